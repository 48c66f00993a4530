"""Tasks whose answers can be checked by code: what prompts and reasoning are measured on. Opened in 12 and 12d.

| what | module |
|------|--------|
| messages to sort, written one by one | `reading` |
| word problems of one to four steps, stories told by chance | `word_problems` |

They lie in `data/tasks/`, split into dev and test.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["reading", "word_problems"],
    submod_attrs={
        "reading": ["Message", "load_guide", "load_messages"],
        "word_problems": ["Problem", "generate_problems", "load_problems", "load_stories"],
    },
)
