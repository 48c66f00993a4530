"""How good a search is: recall@k, reciprocal rank, nDCG@k; how good an answer says `helpers.old.metrics.text`.

    recall_at_k(["d3", "d7", "d1"], {"d7", "d9"}, k=2)          # 0.5
    scores = score_search(index.search, questions, k=10)        # one number a question and measure

In the handbook, what is relevant are passages, whatever the chunks: the first chunk that shows a passage counts, a
second one that shows it again does not. So numbers for different chunk sizes can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np
from numpy.typing import NDArray

from helpers.retrieval.indexes import Hit
from helpers.stats.intervals import bootstrap
from helpers.velunda.handbook import Question, Span

CUTS = (1, 5, 10)


def recall_at_k(ranked: Sequence[Hashable], relevant: Collection[Hashable], k: int) -> float:
    """The share of the relevant items that stand among the first k. Raises ValueError without a relevant item."""
    _require(relevant, k)
    return len(set(ranked[:k]) & set(relevant)) / len(set(relevant))


def reciprocal_rank(ranked: Sequence[Hashable], relevant: Collection[Hashable]) -> float:
    """1 / the rank of the first relevant item, counted from 1; 0 where none is found. Its mean over questions: MRR."""
    _require(relevant, 1)
    return next((1 / rank for rank, item in enumerate(ranked, start=1) if item in relevant), 0.0)


def ndcg_at_k(ranked: Sequence[Hashable], relevant: Collection[Hashable], k: int = 10) -> float:
    """Normalized discounted cumulative gain of the first k: 1 if all relevant items come first.

    A relevant item at rank r is worth 1 / log2(r + 1); the sum is divided by the best that is possible. An item that
    stands twice counts once. Järvelin and Kekäläinen (2002); equals `sklearn.metrics.ndcg_score` for relevance 0 or 1.
    """
    _require(relevant, k)
    wanted, gain = set(relevant), 0.0
    for rank, item in enumerate(ranked[:k], start=1):
        if item in wanted:
            wanted.remove(item)
            gain += 1 / log2(rank + 1)
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(k, len(set(relevant))) + 1))
    return gain / ideal


def found_spans(hits: Sequence[Hit], spans: Sequence[Span]) -> list[int | None]:
    """For each hit the number of the passage that it is the first to show, else None.

    A chunk that shows two passages for the first time takes two places, so that no measure exceeds 1.
    """
    found: list[int | None] = []
    seen: set[int] = set()
    for hit in hits:
        new = [i for i, span in enumerate(spans) if i not in seen and span.shown_by(hit.chunk)]
        seen.update(new)
        found += new or [None]
    return found


@dataclass(frozen=True)
class SearchScores:
    """Measures by name ("recall@5", "mrr", "ndcg@10"), each with one value a question, and the questions with kinds."""

    questions: tuple[str, ...]
    kinds: tuple[str, ...]
    values: Mapping[str, NDArray]

    def mean(self, measure: str, kind: str | None = None) -> float:
        """The mean of a measure over all questions, or those of one kind."""
        return float(self._of(measure, kind).mean())

    def interval(self, measure: str, kind: str | None = None) -> tuple[float, float]:
        """Its 95 % bootstrap interval over questions."""
        return bootstrap(self._of(measure, kind))

    def _of(self, measure: str, kind: str | None) -> NDArray:
        if measure not in self.values:
            raise ValueError(f"There is no measure {measure!r}: choose one of {', '.join(self.values)}.")
        chosen = np.array([kind in (None, own) for own in self.kinds])
        if not chosen.any():
            raise ValueError(f"No question is of the kind {kind!r}.")
        return self.values[measure][chosen]


def score_search(
    search: Callable[[str, int], Sequence[Hit]], questions: Sequence[Question], k: int = 10
) -> SearchScores:
    """Search for each question that has an answer, and measure: recall at 1, 5, 10, MRR and nDCG, all up to k.

    Raises ValueError where no question can be answered.
    """
    asked = [question for question in questions if question.answerable]
    if not asked:
        raise ValueError(
            "No question has a passage to find: unanswerable ones are measured by when the model abstains."
        )
    rows = []
    for question in asked:
        ranked = found_spans(search(question.question, k), question.spans)
        relevant = range(len(question.spans))
        row = {f"recall@{cut}": recall_at_k(ranked, relevant, cut) for cut in CUTS if cut <= k}
        rows.append({**row, "mrr": reciprocal_rank(ranked, relevant), f"ndcg@{k}": ndcg_at_k(ranked, relevant, k)})
    values = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return SearchScores(tuple(q.question for q in asked), tuple(q.kind for q in asked), values)


def _require(relevant: Collection[Hashable], k: int) -> None:
    if not len(relevant):
        raise ValueError("Nothing is relevant, so there is nothing to find: leave this question out.")
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"k is a whole number from 1, not {k!r}.")
