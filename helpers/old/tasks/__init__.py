"""Tasks whose answers can be checked by code: what prompts and reasoning are measured on. Opened in 12 and 12d.

| what | module |
|------|--------|
| the written tasks: messages to sort, fields to pull out, replies in a form | `reading` |
| whether a reply has the form that was asked for | `formats` |
| whether a value that was pulled out is right, spelling aside | `fields` |
| word problems of one to four steps, stories told by chance | `word_problems` |

The written ones lie in `data/tasks/`, split into dev and test.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["fields", "formats", "reading", "word_problems"],
    submod_attrs={
        "fields": ["normalized", "right_fields", "right_value"],
        "formats": ["CHECKS", "Check"],
        "reading": ["Instruction", "Message", "Notice", "load_guide", "load_task"],
        "word_problems": ["Problem", "generate_problems", "load_problems", "load_stories"],
    },
)
