"""What a vector index costs and gives: seconds to build, queries a second, recall, bytes.

    vectors, queries = clustered_vectors(20_000, 128, seed=0)
    measure_index(vectors, queries, "hnsw", search_breadth=64)

What it does not do: compare two machines, or two moments of a busy one. Repeat, and report all runs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.vector_index import build_index, index_bytes, recall_against, unit

QUERIES = 500
SPREAD = 0.6  # of a vector around its cluster's center, a length of 1: neighbors lie in other clusters, too


@dataclass(frozen=True)
class IndexMeasure:
    """One index on one set of vectors. qps: queries a second, one at a time, as a service gets them."""

    kind: str
    build_seconds: float
    qps: float
    recall: float  # of the k exact neighbors
    nbytes: int


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


def measure_index(
    vectors: NDArray,
    queries: NDArray,
    kind: str,
    *,
    k: int = 10,
    exact: Sequence[Sequence[int]] | None = None,
    **options: int | None,
) -> IndexMeasure:
    """Build the index and search it, query by query. exact: from `exact_neighbors`, computed if left out.

    options: those of `build_index`. Raises ValueError as `build_index`.
    """
    exact = exact_neighbors(vectors, queries, k) if exact is None else exact
    started = time.perf_counter()
    index = build_index(vectors, kind, **options)
    built = time.perf_counter()
    found = [index.search(query[None], k)[1][0] for query in queries]
    searched = time.perf_counter()
    kept = [[row for row in rows if row >= 0] for rows in found]
    qps = len(queries) / (searched - built)
    return IndexMeasure(kind, built - started, qps, recall_against(exact, kept), len(index_bytes(index)))
