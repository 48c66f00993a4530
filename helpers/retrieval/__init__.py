"""Retrieval, from documents to an answer with its sources. Opened in 10 and 10b."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["bm25", "chunking", "citations", "content_words", "dense", "hybrid", "index", "units", "vectors"],
    submod_attrs={
        "bm25": ["BM25Index", "bm25_score", "words"],
        "chunking": [
            "Chunk",
            "chunk",
            "chunk_documents",
            "count_tokens",
            "embedder_tokenizer",
            "pack_units",
            "sentence_spans",
        ],
        "citations": ["Answer", "Citation"],
        "content_words": ["content"],
        "dense": ["DenseIndex", "encode_texts", "encoder_checksum"],
        "hybrid": ["HybridIndex", "reciprocal_rank_fusion"],
        "index": ["Hit", "IndexUnavailable", "SearchIndex"],
        "units": ["Unit", "split_units", "write_out"],
        "vectors": [
            "build_index",
            "cosine_top_k",
            "default_clusters",
            "index_bytes",
            "nearest",
            "recall_against",
            "unit",
        ],
    },
)
