"""Search by words: BM25, which counts the query's words in a chunk, rare ones for more (Robertson et al., 1995).

    bm25_score(words("battery E05"), words(text), corpus)      # the formula, as it is taught
    index = BM25Index()                                        # bm25s: the same scores, computed in advance
    index.add(chunks)
    index.search("What does E05 mean?", k=5)

The index counts content words: "the" says nothing, and "batteries" is "battery" (`content_words.content`).

What it does not do: know that "bike" and "bicycle" mean the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import inf, log
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from helpers.retrieval.chunking import Chunk
from helpers.retrieval.content_words import content
from helpers.retrieval.index import Arrays, Hit, SearchIndex, from_json_bytes, json_bytes

K1, B = 1.5, 0.75  # the library's defaults, which are those of most search engines


def words(text: str) -> list[str]:
    """The words and numbers of a text, in lower case: `E05: 4.5 bar` gives e05, 4, 5, bar."""
    return re.findall(r"\w+", text.lower())


def bm25_score(
    query: Sequence[str], document: Sequence[str], corpus: Sequence[Sequence[str]], k1: float = K1, b: float = B
) -> float:
    """How well a document fits a query, both as words; corpus: all documents, to know which words are rare.

    A word counts for more if few documents have it (its inverse document frequency), and for more the more often this
    document has it, with less and less gain (k1); long documents have each word more often anyway (b evens that out).
    Equals the "lucene" variant of `bm25s`. Raises ValueError for a corpus without a word.
    """
    mean_length = sum(len(other) for other in corpus) / max(len(corpus), 1)
    if not mean_length:
        raise ValueError("The corpus has no word, so no word is rarer than another.")
    score = 0.0
    for word in query:
        n_with = sum(word in other for other in corpus)
        rarity = log(1 + (len(corpus) - n_with + 0.5) / (n_with + 0.5))
        count = document.count(word)
        length = 1 - b + b * len(document) / mean_length  # 1 for a document of mean length
        score += rarity * count / (count + k1 * length) if count else 0.0
    return score


class BM25Index(SearchIndex):
    """An index of words. k1, b: as in `bm25_score`; with_headings: count the words of a chunk's headings, too.

    plain: count all `words` as they stand, instead of content words without their endings. Only chunks that share a
    word with the query are found. Every change alters how rare words are, so the next search computes all scores
    again. Raises ValueError for k1 below 0 and b outside [0, 1].
    """

    name = "BM25Index"

    def __init__(self, *, k1: float = K1, b: float = B, with_headings: bool = True, plain: bool = False) -> None:
        super().__init__()
        if not k1 >= 0 or not 0 <= b <= 1:
            raise ValueError(f"k1 is 0 or more and b lies between 0 and 1, not {k1} and {b}.")
        self.k1, self.b, self.with_headings, self.plain = k1, b, with_headings, plain
        self._bm25s: Any = None  # None where it has to be built again

    def _add(self, chunks: list[Chunk], progress: bool) -> None:
        self._bm25s = None

    def _keep(self, keep: NDArray) -> None:
        self._bm25s = None

    @property
    def bm25s(self) -> Any:
        """The library's index over the chunks, built if need be."""
        if self._bm25s is None:
            texts = [chunk.with_headings if self.with_headings else chunk.text for chunk in self.chunks]
            counted = [self.terms(text) for text in texts]
            self._bm25s = self._new()
            self._bm25s.index(counted if any(counted) else [[""]] * len(texts), show_progress=False)
        return self._bm25s

    def terms(self, text: str) -> list[str]:
        """What the index counts of a text."""
        return words(text) if self.plain else content(text)

    def _new(self) -> Any:
        import bm25s

        return bm25s.BM25(k1=self.k1, b=self.b, method="lucene")

    def n_with(self, word: str) -> int:
        """How many chunks have the word, given as `terms` gives it."""
        row, starts = self.bm25s.vocab_dict.get(word), self.bm25s.scores["indptr"]
        return 0 if row is None else int(starts[row + 1] - starts[row])

    def scores(self, query: str) -> NDArray:
        """The score of every chunk, (N,) float32."""
        known = self.bm25s.get_tokens_ids(self.terms(query))
        return self.bm25s.get_scores_from_ids(known)

    def search_words(self, weights: Mapping[str, float], k: int) -> list[Hit]:
        """As `search`, for words that count unequally: a chunk scores the sum of weight times the word's score.

        weights: word, as `terms` gives it, to its weight; {word: how often the query has it} is the query itself.
        Raises ValueError for a weight that is negative or no number, and as `search`.
        """
        if not all(0 <= weight < inf for weight in weights.values()):
            raise ValueError("A word's weight is a number from 0: leave out a word that should not count.")

        def search(k: int) -> tuple[Sequence[int], Sequence[float]]:
            known = [(word, weight) for word, weight in weights.items() if word in self.bm25s.vocab_dict]
            each = (weight * self.bm25s.get_scores_from_ids(self.bm25s.get_tokens_ids([w])) for w, weight in known)
            return _best(sum(each, np.zeros(len(self), dtype=np.float32)), k)

        return self._hits(search, k)

    def _search(self, query: str, k: int) -> tuple[Sequence[int], Sequence[float]]:
        return _best(self.scores(query), k)

    def _pack(self) -> tuple[Arrays, dict[str, Any]]:
        arrays = {name: np.asarray(self.bm25s.scores[name]) for name in ("data", "indices", "indptr")}
        arrays["vocabulary"] = json_bytes(self.bm25s.vocab_dict)
        settings = {"k1": self.k1, "b": self.b, "with_headings": self.with_headings, "plain": self.plain}
        return arrays, settings

    @classmethod
    def _unpack(
        cls, arrays: Mapping[str, NDArray], settings: dict[str, Any], chunks: list[Chunk], file: str, **options: Any
    ) -> Self:
        index = cls(**settings, **options)
        index._bm25s = index._new()
        index._bm25s.scores = {name: arrays[name] for name in ("data", "indices", "indptr")}
        index._bm25s.scores["num_docs"] = len(chunks)
        index._bm25s.vocab_dict = from_json_bytes(arrays["vocabulary"])
        index._bm25s.nonoccurrence_array = None  # of other variants than "lucene"
        return index


def _best(scores: NDArray, k: int) -> tuple[NDArray, NDArray]:
    """Up to k rows with scores above 0, best first; of equal ones the earlier row."""
    best = np.argsort(-scores, kind="stable")[:k]
    best = best[scores[best] > 0]
    return best, scores[best]
