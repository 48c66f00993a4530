"""What 12b, 12c and 12d still use: labels scored by the course's decoders, tool calls, and votes over replies."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["scoring", "tools", "voting"],
    submod_attrs={
        "scoring": ["chat_ids", "label_scores"],
        "tools": [
            "Call",
            "Step",
            "ToolAnswer",
            "calculate",
            "parse_calls",
            "run_call",
            "run_tools",
            "tool_schema",
            "wrong_arguments",
        ],
        "voting": ["Vote", "final_answer", "majority", "self_consistency"],
    },
)
