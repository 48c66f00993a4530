"""Answers given before: for the same question, and for questions that mean nearly the same.

    cache = AnswerCache(index)                     # exact: case, spaces and the last mark do not matter
    cache = AnswerCache(index, threshold=0.9)      # semantic, too: the cosine of two questions
    cache.get(question);  cache.put(question, answer);  cache.invalidate("returns-policy")

A cached answer is only as true as the passages that it was made from. A cache that knows its index asks it anew after a
change, and drops the answer unless the same passages are found; one without an index has to be told what changed.

What it does not do: know that two questions with the same words ask different things ("with" and "without"): a semantic
cache answers the wrong question now and then. Measure how often, and choose the threshold on dev.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.retrieval.chunking import Chunk
from helpers.retrieval.citations import Answer
from helpers.retrieval.dense import encode_texts
from helpers.retrieval.index import SearchIndex, require_query

DEPTH = 10  # passages that are compared after a change: at least as many as an answer is made from


@dataclass
class _Entry:
    question: str
    answer: Answer
    found: tuple[Chunk, ...]  # what the index found for the question
    version: int  # of the index, when that was last looked at
    vector: NDArray | None


class AnswerCache:
    """Up to `size` answers, the oldest dropped first. hits, misses: how often `get` found one, and how often not.

    index: where answers come from; without it only `invalidate` removes what is no longer true. threshold: the cosine
    from which another question counts as the same, None for exact matches only. encoder: makes the questions' vectors,
    the course's embedder by default. Raises ValueError for a threshold outside (0, 1] and a size below 1.
    """

    def __init__(
        self,
        index: SearchIndex | None = None,
        *,
        threshold: float | None = None,
        encoder: Any = None,
        size: int = 1000,
        depth: int = DEPTH,
    ) -> None:
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(f"threshold is a cosine above 0 and up to 1, not {threshold}.")
        if size < 1 or depth < 1:
            raise ValueError(
                f"A cache holds at least 1 answer and compares at least 1 passage, not {size} and {depth}."
            )
        self.index, self.threshold, self.size, self.depth = index, threshold, size, depth
        self._encoder = encoder
        self._entries: dict[str, _Entry] = {}  # in order of age
        self.hits = self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, question: str) -> Answer | None:
        """The answer to this question or, with a threshold, to the nearest one; None if there is none, or no more.

        Raises ValueError for an empty question.
        """
        require_query(question)
        key = normalized(question)
        if key not in self._entries and self.threshold is not None:
            near = self.closest(question)
            key = normalized(near[0]) if near is not None and near[1] >= self.threshold else key
        entry = self._entries.get(key)
        if entry is not None and not self._still_true(entry):
            del self._entries[key]
            entry = None
        self.hits, self.misses = self.hits + (entry is not None), self.misses + (entry is None)
        return None if entry is None else entry.answer

    def put(self, question: str, answer: Answer) -> None:
        """Remember the answer, in place of an earlier one. Raises ValueError for an empty question."""
        require_query(question)
        vector = None if self.threshold is None else self._vector(question)
        key = normalized(question)
        self._entries.pop(key, None)
        version = -1 if self.index is None else self.index.version
        self._entries[key] = _Entry(question, answer, self._found(question), version, vector)
        while len(self._entries) > self.size:
            del self._entries[next(iter(self._entries))]

    def invalidate(self, document: str) -> int:
        """Forget what was answered from a document that has changed, and all abstentions: it may answer those now.

        How many answers went. Answers that a new document would change are found by a cache with an index only.
        """
        stale = [key for key, entry in self._entries.items() if _uses(entry.answer, document)]
        for key in stale:
            del self._entries[key]
        return len(stale)

    def require(self, index: SearchIndex, searched: int) -> None:
        """Raises ValueError where this cache would miss a change of that index among the first `searched` passages."""
        if self.index is None:
            return
        if self.index is not index:
            raise ValueError("The cache watches another index than the one that is searched: make one for this index.")
        if self.depth < searched:
            raise ValueError(
                f"The cache compares the first {self.depth} passages after a change, and the answer is made from "
                f"{searched}: make it with depth={searched} or more."
            )

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def closest(self, question: str) -> tuple[str, float] | None:
        """The cached question nearest in meaning, and the cosine; None for an empty cache or one without threshold."""
        entries = [entry for entry in self._entries.values() if entry.vector is not None]
        if not entries:
            return None
        cosines = np.stack([entry.vector for entry in entries]) @ self._vector(question)
        best = int(cosines.argmax())
        return entries[best].question, float(cosines[best])

    def _still_true(self, entry: _Entry) -> bool:
        if self.index is None or entry.version == self.index.version:
            return True
        entry.version = self.index.version
        return self._found(entry.question) == entry.found

    def _found(self, question: str) -> tuple[Chunk, ...]:
        if self.index is None or not len(self.index):
            return ()
        return tuple(hit.chunk for hit in self.index.search(question, self.depth))

    def _vector(self, question: str) -> NDArray:
        if self._encoder is None:
            from helpers.models import embedder

            self._encoder = embedder()
        return encode_texts(self._encoder, [question], query=True)[0]


def normalized(question: str) -> str:
    """The question as exact matches compare it: lower case, single spaces, no mark at its end."""
    return re.sub(r"\s+", " ", question.casefold()).strip().rstrip("?!. ")


def _uses(answer: Answer, document: str) -> bool:
    cited = [citation.chunk for citation in answer.citations if citation.chunk is not None]
    return answer.abstained or any(chunk.document == document for chunk in (*answer.passages, *cited))
