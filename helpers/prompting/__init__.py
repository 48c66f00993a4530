"""Prompting: how a model is asked, as versioned and measured code. Opened in 12 and 12b.

| what | module |
|------|--------|
| labels scored by how probable their text is: `label_scores`, `pmi`, `calibrated` … | `scoring` |
| few-shot examples: `balanced`, `nearest`, `diverse`, `shuffled` | `examples` |

Tools and models are passed in as arguments. The templates themselves lie in `data/prompts/`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["examples", "scoring"],
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
    },
)
