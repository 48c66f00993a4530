"""What a vector index costs and gives: seconds to build, queries a second, recall, bytes.

    vectors, queries = clustered_vectors(20_000, 128, seed=0)
    measure_index(vectors, queries, "hnsw", search_breadth=64)
    recall_against_speed(ax, recorded_measures(50_000))     # drawn: what each finds, against how fast

What it does not do: compare two machines, or say how texts would do: each made-up cluster has about a hundred vectors,
and where k-means learns clusters as coarse as these, all neighbors of a query lie in one cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.files.paths import RESULTS
from helpers.retrieval.vectors import build_index, unit

Clock = Callable[[], float]  # seconds

RECORDED = RESULTS / "10b_index_types.json"
QUERIES = 500
SPREAD = 0.6  # of a vector around its cluster's center, a length of 1: neighbors lie in other clusters, too


@dataclass(frozen=True)
class IndexMeasure:
    """One index on one set of vectors. qps: queries a second, one at a time, as a service gets them.

    breadth: clusters probed, or the best kept on the walk through the graph; None for what looks at everything or was
    left as built. runs: the queries a second of each repetition, whose median `qps` is.
    """

    kind: str
    build_seconds: float
    qps: float
    recall: float  # of the k exact neighbors
    nbytes: int
    breadth: int | None = None
    runs: tuple[float, ...] = ()


def clustered_vectors(n: int, d: int, seed: int, n_queries: int = QUERIES) -> tuple[NDArray, NDArray]:
    """n unit vectors (n, d) and as many queries as asked for, (n_queries, d), around the same random centers.

    Evenly spread vectors have no near neighbors in high dimensions, so that every index looks bad; texts do not lie so.
    """
    rng = np.random.default_rng(seed)
    centers = unit(rng.normal(size=(max(1, n // 100), d)))

    def draw(count: int) -> NDArray:
        noise = rng.normal(size=(count, d)).astype(np.float32) * np.float32(SPREAD / d**0.5)
        return unit(centers[rng.integers(len(centers), size=count)] + noise)

    return draw(n), draw(n_queries)


def exact_neighbors(vectors: NDArray, queries: NDArray, k: int = 10) -> NDArray:
    """Rows of the k nearest vectors of each query, (n_queries, k), by looking at all of them."""
    return build_index(vectors).search(queries, k)[1]


def built(vectors: NDArray, kind: str, options: Mapping[str, int | None], clock: Clock) -> tuple[Any, float]:
    """The index, and the seconds that it took to build by this clock."""
    started = clock()
    index = build_index(vectors, kind, **options)
    return index, clock() - started


def searched(index: Any, queries: NDArray, k: int, clock: Clock) -> tuple[float, list[list[int]]]:
    """Queries a second, and the rows that each found."""
    started = clock()
    found = [index.search(query[None], k)[1][0] for query in queries]
    seconds = clock() - started
    return len(queries) / seconds, [[int(row) for row in rows if row >= 0] for rows in found]
