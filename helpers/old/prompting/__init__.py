"""What 12b, 12d and the server still use: scored labels, tool calls, and votes over replies."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["scoring", "tools", "voting"],
    submod_attrs={
        "scoring": ["chat_ids", "label_scores"],
        "tools": ["Call", "calculate", "parse_calls"],
        "voting": ["Vote", "final_answer", "majority", "self_consistency"],
    },
)
