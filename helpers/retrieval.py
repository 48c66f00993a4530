"""Retrieval, from documents to an answer with its sources; each part in a module of its own.

| what                                                                  | lives in                    |
|-----------------------------------------------------------------------|-----------------------------|
| `load_handbook`, `load_questions`: what is searched, and the gold set | `helpers.handbook`          |
| `chunk`, `pack_units`: documents in pieces                            | `helpers.chunking`          |
| what all indexes do: `SearchIndex`, `Hit`                             | `helpers.search_index`      |
| `BM25Index`, `bm25_score`: by words                                   | `helpers.bm25_index`        |
| `DenseIndex`: by meaning                                              | `helpers.dense_index`       |
| `cosine_top_k`, `build_index`, `nearest`: vectors and FAISS           | `helpers.vector_index`      |
| `HybridIndex`, `reciprocal_rank_fusion`: by both                      | `helpers.hybrid_index`      |
| `rerank`, `query_likelihood`: read again, order anew                  | `helpers.reranking`         |
| `pseudo_relevance`, `hypothetical_answer` …: a question rewritten     | `helpers.query_rewriting`   |
| `score_search`, `compare`, recall@k, MRR, nDCG                        | `helpers.retrieval_metrics` |
| `exact_match`, `answer_f1`: how good an answer is                     | `helpers.text_metrics`      |
| `grounded_prompt`: passages within a budget                           | `helpers.grounded_prompt`   |
| `cite`: which passage supports which sentence                         | `helpers.citations`         |
| `risk_coverage`, `calibrate_threshold`: when not to answer            | `helpers.abstention`        |
| `answer`: all of it                                                   | `helpers.grounding`         |
| `searches`, `ask`: tried on the gold set                              | `helpers.retrieval_trial`   |
| `AnswerCache`                                                         | `helpers.answer_cache`      |
"""

from helpers.abstention import RiskCoverage, calibrate_threshold, risk_coverage
from helpers.answer_cache import AnswerCache
from helpers.bm25_index import BM25Index, bm25_score, words
from helpers.chunking import Chunk, chunk, chunk_documents, count_tokens, pack_units, sentence_spans
from helpers.citations import Answer, Citation, Evidence, cite, word_support
from helpers.dense_index import DenseIndex, encode_texts, encoder_checksum
from helpers.grounded_prompt import GroundedPrompt, grounded_messages, grounded_prompt
from helpers.grounding import ABSTENTION, answer
from helpers.handbook import Document, Question, Span, load_handbook, load_questions, read_document
from helpers.hybrid_index import HybridIndex, reciprocal_rank_fusion
from helpers.query_rewriting import hypothetical_answer, multi_query, pseudo_relevance, rephrased
from helpers.reranking import load_cross_encoder, query_likelihood, rerank
from helpers.retrieval_metrics import (
    SearchScores,
    compare,
    found_spans,
    ndcg_at_k,
    recall_at_k,
    reciprocal_rank,
    score_search,
)
from helpers.search_index import Hit, IndexUnavailable, SearchIndex
from helpers.text_metrics import answer_f1, exact_match
from helpers.vector_index import build_index, cosine_top_k, index_bytes, nearest, recall_against, unit

__all__ = [
    "ABSTENTION",
    "Answer",
    "AnswerCache",
    "BM25Index",
    "Chunk",
    "Citation",
    "DenseIndex",
    "Document",
    "Evidence",
    "GroundedPrompt",
    "Hit",
    "HybridIndex",
    "IndexUnavailable",
    "Question",
    "RiskCoverage",
    "SearchIndex",
    "SearchScores",
    "Span",
    "answer",
    "answer_f1",
    "bm25_score",
    "build_index",
    "calibrate_threshold",
    "chunk",
    "chunk_documents",
    "cite",
    "compare",
    "cosine_top_k",
    "count_tokens",
    "encode_texts",
    "encoder_checksum",
    "exact_match",
    "found_spans",
    "grounded_messages",
    "grounded_prompt",
    "hypothetical_answer",
    "index_bytes",
    "load_cross_encoder",
    "load_handbook",
    "load_questions",
    "multi_query",
    "ndcg_at_k",
    "nearest",
    "pack_units",
    "pseudo_relevance",
    "query_likelihood",
    "read_document",
    "recall_against",
    "recall_at_k",
    "reciprocal_rank",
    "reciprocal_rank_fusion",
    "rephrased",
    "rerank",
    "risk_coverage",
    "score_search",
    "sentence_spans",
    "unit",
    "word_support",
    "words",
]
