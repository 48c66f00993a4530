"""One model for many people: an engine that batches requests as they come, and a server around it. Opened in 18, 18b.

| what                                                                         | module         |
|------------------------------------------------------------------------------|----------------|
| a request, and what it gets at each step: `Ask`, `Piece`, `Usage`            | `requests`     |
| continuous batching in its smallest form, to be shown: `minimal_serve`       | `minimal`      |
| pages of keys and values: owners, sharing, what is given up first: `PagePool` | `pages`       |
| the model's step over pages, many texts at once: `PagedLlama`                | `paged`        |
| several adapters in one batch                                                | `corrections`  |
| the next token of one request                                                | `choosing`     |
| who is served at each step: `Engine`                                         | `engine`       |
| the thread that steps the engine, and async streams: `EngineWorker`          | `worker`       |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "choosing",
        "corrections",
        "engine",
        "minimal",
        "paged",
        "pages",
        "requests",
        "worker",
    ],
    submod_attrs={
        "corrections": ["Corrections"],
        "engine": ["Engine"],
        "minimal": ["minimal_serve"],
        "paged": ["PagedLlama", "Row"],
        "pages": ["PagePool", "page_key"],
        "requests": ["Ask", "EngineStats", "Full", "Piece", "TokenLogprobs", "Usage"],
        "worker": ["EngineWorker"],
    },
)
