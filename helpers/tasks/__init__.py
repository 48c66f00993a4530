"""Tasks whose answers can be checked by code: what notebook 12 measures its prompts on. Opened in 12.

| what                                                                 | module          |
|----------------------------------------------------------------------|-----------------|
| word problems of 1 to 4 steps, from stories that are told by chance  | `word_problems` |

The written ones lie in `data/tasks/`, split into dev and test.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["word_problems"],
    submod_attrs={
        "word_problems": ["Problem", "generate_problems", "load_problems", "load_stories"],
    },
)
