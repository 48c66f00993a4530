"""Two searches in one: words and meaning, their rankings fused (Cormack et al., 2009).

    reciprocal_rank_fusion([["a", "b"], ["b", "c"]])     # b first: both have it
    index = HybridIndex()                                # a DenseIndex and a BM25Index over the same chunks
    index.search("What does E05 mean?", k=5)

Scores of different searches have different scales, ranks do not: only ranks are fused.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Self, TypeVar

from numpy.typing import NDArray

from helpers.retrieval.bm25 import BM25Index
from helpers.retrieval.chunking import Chunk
from helpers.retrieval.dense import DenseIndex
from helpers.retrieval.index import Arrays, SearchIndex

Item = TypeVar("Item", bound=Hashable)
C = 60  # Cormack et al.'s: with it, rank 1 counts for 1/60 more than rank 2, not for twice as much
STEEP_C = 10  # an index's: in a handbook of a few hundred chunks, who is first counts; chosen on dev questions
DEPTH = 50  # hits of each search that are fused


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[Item]], weights: Sequence[float] | None = None, c: float = C
) -> list[tuple[Item, float]]:
    """Several rankings as one: an item scores weight / (c + rank) in each that has it, ranks counted from 1.

    rankings: items, best first; weights: one a ranking, all 1 by default, 0 leaves a ranking out  →  (item, score),
    best first; of equal scores the one that was met first. Raises ValueError for an item that stands in one ranking
    twice, for weights that are negative, all zero or of another number, and for c below 0.
    """
    weights = [1.0] * len(rankings) if weights is None else list(weights)
    if len(weights) != len(rankings):
        raise ValueError(f"Each ranking needs one weight, not {len(weights)} for {len(rankings)}.")
    if any(not weight >= 0 for weight in weights) or (weights and not any(weights)):
        raise ValueError(f"Weights are 0 or more and not all 0, not {weights}.")
    if not c >= 0:
        raise ValueError(f"c is 0 or more, not {c}.")
    scores: dict[Item, float] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        if len(set(ranking)) != len(ranking):
            raise ValueError("An item stands twice in one ranking: it can have one rank only.")
        for rank, item in enumerate(ranking if weight else (), start=1):
            scores[item] = scores.get(item, 0.0) + weight / (c + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])


class HybridIndex(SearchIndex):
    """A `DenseIndex` and a `BM25Index` over the same chunks; `weights` are theirs, in this order.

    depth: how many hits of each are fused, or k if that is more. encoder, with_headings: for the two where they are
    not given. Raises ValueError for two indexes that are not empty, and as `reciprocal_rank_fusion`.
    """

    name = "HybridIndex"

    def __init__(
        self,
        encoder: Any = None,
        *,
        weights: Sequence[float] = (1.0, 1.0),
        c: float = STEEP_C,
        depth: int = DEPTH,
        with_headings: bool = True,
        dense: DenseIndex | None = None,
        bm25: BM25Index | None = None,
    ) -> None:
        super().__init__()
        reciprocal_rank_fusion([[], []], weights, c)  # raises for weights that cannot be
        if depth < 1:
            raise ValueError(f"depth is how many hits of each search are fused, 1 or more, not {depth}.")
        self.dense = DenseIndex(encoder=encoder, with_headings=with_headings) if dense is None else dense
        self.bm25 = BM25Index(with_headings=with_headings) if bm25 is None else bm25
        if len(self.dense) or len(self.bm25):
            raise ValueError("A hybrid index begins with two empty ones, and fills them by its own add().")
        self.weights, self.c, self.depth = tuple(map(float, weights)), c, depth

    def _add(self, chunks: list[Chunk], progress: bool) -> None:
        self.dense.add(chunks, progress=progress)  # the one that may fail comes first
        self.bm25.add(chunks)

    def _keep(self, keep: NDArray) -> None:
        [document] = {chunk.document for chunk, kept in zip(self.chunks, keep, strict=True) if not kept}
        self.dense.remove(document)
        self.bm25.remove(document)

    def _search(self, query: str, k: int) -> tuple[Sequence[int], Sequence[float]]:
        depth = max(k, min(self.depth, len(self)))
        rankings = [list(map(int, index._search(query, depth)[0])) for index in (self.dense, self.bm25)]
        fused = reciprocal_rank_fusion(rankings, self.weights, self.c)[:k]
        return [row for row, _ in fused], [score for _, score in fused]

    def _pack(self) -> tuple[Arrays, dict[str, Any]]:
        parts = {"dense": self.dense._pack(), "bm25": self.bm25._pack()}
        arrays = {f"{part}.{name}": array for part, (found, _) in parts.items() for name, array in found.items()}
        settings = {"weights": self.weights, "c": self.c, "depth": self.depth}
        return arrays, {**settings, **{part: found for part, (_, found) in parts.items()}}

    @classmethod
    def _unpack(
        cls, arrays: Mapping[str, NDArray], settings: dict[str, Any], chunks: list[Chunk], file: str, **options: Any
    ) -> Self:
        index = cls(weights=settings["weights"], c=settings["c"], depth=settings["depth"])
        for part, kind, extra in (("dense", DenseIndex, options), ("bm25", BM25Index, {})):
            own = {name.removeprefix(f"{part}."): a for name, a in arrays.items() if name.startswith(f"{part}.")}
            loaded = kind._unpack(own, settings[part], chunks, file, **extra)
            loaded._set_chunks(chunks)
            setattr(index, part, loaded)
        return index
