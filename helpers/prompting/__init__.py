"""Prompting: how a model is asked, as versioned and measured code. Opened in 12 and 12b.

| what | module |
|------|--------|

Tools and models are passed in as arguments. The templates themselves lie in `data/prompts/`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[],
    submod_attrs={},
)
