"""Prompting: how a model is asked, as versioned and measured code. Opened in 12 and 12b.

| what | module |
|------|--------|
| labels scored by how probable their text is: `label_scores`, `pmi`, `calibrated` … | `scoring` |
| few-shot examples: `balanced`, `nearest`, `diverse`, `shuffled` | `examples` |
| a function's schema, the calls in a reply, the loop that runs them, a calculator | `tools` |

Tools and models are passed in as arguments. The templates themselves lie in `data/prompts/`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["examples", "scoring", "tools"],
    submod_attrs={
        "examples": ["balanced", "diverse", "example_turns", "nearest", "shuffled"],
        "scoring": [
            "CONTENT_FREE",
            "calibrated",
            "chat_ids",
            "choice_prompt",
            "label_lengths",
            "label_scores",
            "length_normalized",
            "named_label",
            "pmi",
        ],
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
    },
)
