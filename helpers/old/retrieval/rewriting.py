"""Rewrite a question before it is searched, so that it sounds more like the passage that answers it.

    pseudo_relevance(question, index, k=10)                # with the words, or the vectors, of what is found at first
    hypothetical_answer(question, index, 10, write)        # with an answer that the chat model makes up: write(order)
    rephrased(question, index, 10, write)                  # in the chat model's words instead
    multi_query(question, index, 10, write)                # the question and its rephrasings, their rankings fused

Each takes a `BM25Index`, a `DenseIndex` or a `HybridIndex` and gives hits, so that one can be measured in place of
another. What it does not do: promise to help. A rewriting that misses the point finds passages about another one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from numpy.typing import NDArray

from helpers.retrieval.bm25 import BM25Index, words
from helpers.retrieval.dense import DenseIndex, encode_texts
from helpers.retrieval.hybrid import C, HybridIndex, reciprocal_rank_fusion
from helpers.retrieval.index import Hit, SearchIndex, require_k, require_query
from helpers.retrieval.vectors import unit

Write = Callable[[str], str]  # an order to the chat model → its reply

FEEDBACK = 5  # hits that are taken to be relevant, unseen
ADDED_WORDS = 10
FEEDBACK_SHARE = 0.3  # of the new query; the rest is the question's own
COMMON = 0.1  # a word that stands in more of all chunks than this says nothing about what is asked

ANSWER = "Write one sentence, as in a company's handbook, that answers this question: {question}"
REPHRASE = "Ask this question again in other words: {question}"
REPHRASINGS = (REPHRASE, "Write this question as a list of search words: {question}")


# From what is found at first ------------------------------------------------------------------------------------------


def pseudo_relevance(query: str, index: SearchIndex, k: int) -> list[Hit]:
    """Search, take the first hits for relevant, search again with the query and what they say.

    Words are added by `feedback_words`, vectors by `feedback_vector`; a hybrid index does both. Raises ValueError as
    `search`.
    """
    require_query(query)
    require_k(k)
    return search_rewritten(
        index,
        k,
        lambda bm25: feedback_words(query, bm25, hits=FEEDBACK, share=FEEDBACK_SHARE),
        lambda dense: feedback_vector(query, dense, hits=FEEDBACK, share=FEEDBACK_SHARE),
    )


def feedback_words(
    query: str, index: BM25Index, *, hits: int = FEEDBACK, share: float = FEEDBACK_SHARE
) -> dict[str, float]:
    """The query's words and the `n_words` most likely ones of its first hits, with weights that sum to 1.

    A word's weight in the hits is how often a word drawn from one of them is this word, where a hit is drawn the more
    often the higher its score. This is RM3 (Abdul-Jaleel et al., 2004, after Lavrenko and Croft, 2001). Common words
    are not added. Raises as `pseudo_relevance`.
    """
    _require_feedback(hits, share)
    own = _shares(Counter(index.terms(query)))
    found = index.search(query, hits)
    texts = [index.terms(hit.chunk.with_headings if index.with_headings else hit.chunk.text) for hit in found]
    total, model = sum(hit.score for hit in found), Counter[str]()
    for hit, text in zip(found, texts, strict=True):
        for word, count in Counter(text).items():
            model[word] += hit.score / total * count / len(text)
    limit = max(2, COMMON * len(index))
    rare = [(word, weight) for word, weight in model.most_common() if index.n_with(word) <= limit]
    theirs = _shares(dict(rare[:ADDED_WORDS]))
    if not theirs:
        return own
    mixed = {word: (1 - share) * own.get(word, 0.0) + share * theirs.get(word, 0.0) for word in {**own, **theirs}}
    return {word: weight for word, weight in mixed.items() if weight}


def feedback_vector(query: str, index: DenseIndex, *, hits: int = FEEDBACK, share: float = FEEDBACK_SHARE) -> NDArray:
    """The query's vector moved towards the mean of its first hits' vectors, (d,) of length one (Rocchio, 1971).

    With an embedder: Li et al. (2021). Raises as `pseudo_relevance`.
    """
    _require_feedback(hits, share)
    require_query(query)
    own = index.vector_of(query)
    row_of = {chunk: row for row, chunk in enumerate(index.chunks)}
    rows = [row_of[hit.chunk] for hit in index.search_vector(own, hits)]
    return unit((1 - share) * own + share * index.vectors[rows].mean(axis=0))


# From what the chat model writes --------------------------------------------------------------------------------------


def hypothetical_answer(query: str, index: SearchIndex, k: int, write: Write) -> list[Hit]:
    """Search with an answer that the chat model makes up: its facts are wrong, yet it may sound like the right passage.

    By vectors: HyDE (Gao et al., 2022), which averages the query's vector and that of the answer, here with the weight
    1/2 for the answer. By words: the answer's are added to the query's with that weight, as in query2doc (Wang et
    al., 2023). A reply without words leaves the query as it is. Raises ValueError as `search`.
    """
    require_query(query)
    require_k(k)
    text = write(ANSWER.format(question=query.strip()))
    if not words(text):
        return index.search(query, k)

    def as_words(bm25: BM25Index) -> dict[str, float]:
        own, theirs = _shares(Counter(bm25.terms(query))), _shares(Counter(bm25.terms(text)))
        return {word: (own.get(word, 0.0) + theirs.get(word, 0.0)) / 2 for word in {**own, **theirs}}

    def as_vector(dense: DenseIndex) -> NDArray:
        return unit(dense.vector_of(query) + encode_texts(dense.encoder, [text])[0])

    return search_rewritten(index, k, as_words, as_vector)


def rephrased(query: str, index: SearchIndex, k: int, write: Write) -> list[Hit]:
    """Search with the chat model's rephrasing instead of the query (Ma et al., 2023); with the query if it is empty."""
    require_query(query)
    require_k(k)
    text = write(REPHRASE.format(question=query.strip()))
    return index.search(text if words(text) else query, k)


def multi_query(
    query: str,
    index: SearchIndex,
    k: int,
    write: Write,
) -> list[Hit]:
    """Search with the query and with one rephrasing for each prompt, 50 hits each, and fuse their rankings.

    A rephrasing has half the weight of the query. This is RAG-fusion (Rackauckas, 2024). One without words, or met
    before, is left out.
    """
    require_query(query)
    require_k(k)
    texts = dict.fromkeys([query, *(write(prompt.format(question=query.strip())) for prompt in REPHRASINGS)])
    asked = [text for text in texts if text is query or words(text)]
    rankings = [index.search(text, max(k, 50)) for text in asked]
    return fuse(rankings, k, [1.0] + [0.5] * (len(asked) - 1))


# What they share -----------------------------------------------------------------------------------------------------


def search_rewritten(
    index: SearchIndex,
    k: int,
    as_words: Callable[[BM25Index], Mapping[str, float]],
    as_vector: Callable[[DenseIndex], NDArray],
) -> list[Hit]:
    """Search with a query that was rewritten as weighted words, as a vector, or, for a hybrid index, as both, fused.

    Raises TypeError for another kind of index.
    """
    if isinstance(index, BM25Index):
        return index.search_words(as_words(index), k)
    if isinstance(index, DenseIndex):
        return index.search_vector(as_vector(index), k)
    if not isinstance(index, HybridIndex):
        raise TypeError(f"A rewritten query needs an index of words or vectors, not {type(index).__name__}.")
    depth = max(k, index.depth)
    rankings = [
        index.dense.search_vector(as_vector(index.dense), depth),
        index.bm25.search_words(as_words(index.bm25), depth),
    ]
    return fuse(rankings, k, index.weights, index.c)


def fuse(rankings: Sequence[Sequence[Hit]], k: int, weights: Sequence[float] | None = None, c: float = C) -> list[Hit]:
    """The k best chunks of several lists of hits by `reciprocal_rank_fusion`, whose scores they get."""
    fused = reciprocal_rank_fusion([[hit.chunk for hit in ranking] for ranking in rankings], weights, c)
    return [Hit(chunk, score) for chunk, score in fused[:k]]


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {word: weight / total for word, weight in weights.items()} if total else {}


def _require_feedback(hits: int, share: float) -> None:
    if isinstance(hits, bool) or not isinstance(hits, int) or hits < 1:
        raise ValueError(f"hits is how many hits are taken for relevant, a whole number from 1, not {hits!r}.")
    if not 0 <= share <= 1:
        raise ValueError(f"share is what the new part of the query counts for, from 0 to 1, not {share}.")
