"""One model for many people: an engine that batches requests as they come, and a server around it. Opened in 18, 18b.

| what                                                                         | module         |
|------------------------------------------------------------------------------|----------------|
| a request, and what it gets at each step: `Ask`, `Piece`, `Usage`            | `requests`     |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "requests",
    ],
    submod_attrs={
        "requests": ["Ask", "EngineStats", "Full", "Piece", "TokenLogprobs", "Usage"],
    },
)
