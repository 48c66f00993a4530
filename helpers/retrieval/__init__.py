"""Retrieval, from documents to an answer with its sources. Opened in 10 and 10b.

| what                                                                  | module            |
|-----------------------------------------------------------------------|-------------------|
| `chunk`, `pack_units`: documents in pieces                            | `chunking`        |
| `split_units`, `write_out`: sentences and rows of tables written out  | `units`           |
| what all indexes do: `SearchIndex`, `Hit`                             | `index`           |
| `BM25Index`, `bm25_score`: search by words                            | `bm25`, `content_words` |
| `DenseIndex`: search by meaning                                       | `dense`           |
| `cosine_top_k`, `build_index`, `nearest`: vectors and FAISS           | `vectors`         |
| `HybridIndex`, `reciprocal_rank_fusion`: both together                | `hybrid`          |
| `rerank`, `query_likelihood`: order the hits again                    | `reranking`       |
| `pseudo_relevance`, `hypothetical_answer` …: a question rewritten     | `rewriting`       |
| `grounded_prompt`: passages within a budget                           | `prompt`          |
| `answer`: all of it                                                   | `answering`       |
| `cite`, `Answer`, `Evidence`: which passage supports which sentence   | `citations`       |
| `AnswerCache`: answers given before                                   | `cache`           |
| documents that give the model orders, and a defense                   | `injection`       |
| `score_search`, `compare`, recall@k, MRR, nDCG; exact match           | `metrics`         |
| searches drawn                                                        | `plots`           |

The documents and the questions about them: `helpers.velunda`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "answering",
        "bm25",
        "cache",
        "chunking",
        "citations",
        "content_words",
        "dense",
        "hybrid",
        "index",
        "injection",
        "metrics",
        "plots",
        "prompt",
        "reranking",
        "rewriting",
        "units",
        "vectors",
    ],
    submod_attrs={
        "answering": ["ABSTENTION", "answer"],
        "bm25": ["BM25Index", "bm25_score", "words"],
        "cache": ["AnswerCache", "normalized"],
        "chunking": [
            "Chunk",
            "chunk",
            "chunk_documents",
            "count_tokens",
            "embedder_tokenizer",
            "pack_units",
            "sentence_spans",
        ],
        "citations": ["Answer", "Citation", "Evidence", "cite", "word_support"],
        "content_words": ["content"],
        "dense": ["DenseIndex", "encode_texts", "encoder_checksum"],
        "hybrid": ["HybridIndex", "reciprocal_rank_fusion"],
        "index": ["Hit", "IndexUnavailable", "SearchIndex"],
        "injection": ["disarmed", "speaks_to_a_model", "without_orders"],
        "metrics": [
            "SearchScores",
            "compare",
            "found_spans",
            "ndcg_at_k",
            "recall_at_k",
            "reciprocal_rank",
            "score_search",
        ],
        "plots": ["by_kind", "corpus_map", "principal_axes"],
        "prompt": ["GroundedPrompt", "encode_prompt", "grounded_messages", "grounded_prompt"],
        "reranking": ["PASSAGE", "load_cross_encoder", "query_likelihood", "rerank"],
        "rewriting": [
            "feedback_vector",
            "feedback_words",
            "fuse",
            "hypothetical_answer",
            "multi_query",
            "pseudo_relevance",
            "rephrased",
            "search_rewritten",
        ],
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
