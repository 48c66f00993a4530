"""What the notebooks of Hands-On LLMs import: one topic, one file or folder. In reading order:

    models           the chat model, the embedder and the reranker: fetched once, loaded anywhere
    tokenization     byte-pair encoding and WordPiece from scratch
    attention        heads, masks, positions
    transformer      `Llama` and `Encoder` on real weights
    generation       decoding, sampling, batches, streams
    training         labels of a chat, the loop, a curve on dev
    retrieval        chunks, BM25, vectors, fusion, sources
    assistants       what answers from Velunda's handbook, what reads its tickets
    velunda          the invented company's data
    hosted           the server that a lesson asks
    exercises        `exercise`, `hint`, `predict`, `quiz`, `progress`
    records, mine    recorded experiments; what you build, kept in build/mine
    plots, stats, display, files, fetching, bootstrap, environment     what all of them stand on

`helpers.old` holds what only lessons that wait for their rework use; `metrics`, `quantization` and `serving` are
its names that are used from outside. `show(some_function)` shows source code, highlighted.
"""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "show":  # on first use, so that `import helpers` stays instant
        from helpers.display.source import show

        return show
    raise AttributeError(f"module 'helpers' has no attribute {name!r}")
