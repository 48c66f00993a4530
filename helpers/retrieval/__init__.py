"""Retrieval, from documents to passages: `chunking`, `units`, `indexes`, `files`. Opened in 10."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["chunking", "indexes", "units"],
    submod_attrs={
        "chunking": ["Chunk", "chunk", "chunk_documents", "count_tokens", "sentence_spans"],
        "indexes": ["BM25Index", "DenseIndex", "Hit", "HybridIndex", "content", "reciprocal_rank_fusion"],
        "units": ["Unit", "split_units", "write_out"],
    },
)
