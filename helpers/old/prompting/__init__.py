"""Prompting: how a model is asked, as versioned and measured code. Opened in 12, 12b, 12c and 12d.

| what | module |
|------|--------|
| `load`, `render`: templates with versions, variables and tests; a user's text stays text | `templates` |
| `check`: the tests that a template carries; `python -m helpers.old.prompting test` | `checking` |
| `ask`: a template put to a model, for many items at once | `asking` |
| `load_set`, `right`: what each template is measured on; `bare`: a prompt without instruction | `sets` |
| `optimize`: edits that help on dev are kept | `optimizer` |
| labels scored by how probable their text is: `label_scores`, `pmi`, `calibrated` … | `scoring` |
| few-shot examples: `balanced`, `nearest`, `diverse` | `examples` |
| replies that cannot leave their form: `json_grammar`, `regex_grammar`, `generate_within`, `within` | `constrained` |
| self-consistency: `final_answer`, `majority`, `self_consistency` | `voting` |
| the calls in a reply, a calculator | `tools` |

Tools and models are passed in as arguments. The templates themselves lie in `data/prompts/`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "asking",
        "checking",
        "examples",
        "optimizer",
        "scoring",
        "sets",
        "templates",
        "tools",
        "voting",
    ],
    submod_attrs={
        "asking": ["ask"],
        "checking": ["check", "check_replies"],
        "examples": ["balanced", "diverse", "example_turns", "nearest"],
        "optimizer": [
            "Optimized",
            "Trial",
            "last_line",
            "optimize",
            "reply_begins",
            "system",
        ],
        "scoring": [
            "calibrated",
            "chat_ids",
            "choice_prompt",
            "label_lengths",
            "label_scores",
            "length_normalized",
            "named_label",
            "pmi",
        ],
        "sets": ["Item", "bare", "load_set", "right"],
        "templates": [
            "PromptError",
            "Template",
            "Variable",
            "escape",
            "load",
            "names",
            "parse",
            "prompt_ids",
            "render",
            "versions",
        ],
        "tools": ["Call", "calculate", "parse_calls"],
        "voting": ["Vote", "final_answer", "majority", "self_consistency"],
    },
)
