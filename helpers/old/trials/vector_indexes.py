"""What a vector index costs and gives: seconds to build, queries a second, recall, bytes.

    vectors, queries = clustered_vectors(20_000, 128, seed=0)
    measure_index(vectors, queries, "hnsw", search_breadth=64)
    recall_against_speed(ax, recorded_measures(50_000))     # drawn: what each finds, against how fast

What it does not do: compare two machines, or say how texts would do: each made-up cluster has about a hundred vectors,
and where k-means learns clusters as coarse as these, all neighbors of a query lie in one cell.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from helpers.files.paths import RESULTS
from helpers.plots.figures import label_lines
from helpers.retrieval.vectors import build_index, index_bytes, recall_against, unit

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
    index, seconds = built(vectors, kind, options, time.perf_counter)
    qps, found = searched(index, queries, k, time.perf_counter)
    return IndexMeasure(kind, seconds, qps, recall_against(exact, found), len(index_bytes(index)), runs=(qps,))


def recorded_measures(n: int) -> list[IndexMeasure]:
    """What the sweep recorded for n vectors, in data/results; ValueError for another n."""
    runs = {run["case"]["n"]: run for run in json.loads(RECORDED.read_text(encoding="utf-8"))["runs"]}
    if n not in runs:
        raise ValueError(f"Recorded are {', '.join(f'{size:,}' for size in runs)} vectors, not {n:,}.")
    return [
        IndexMeasure(row["kind"], row["build_seconds"], median(row["qps"]), row["recall"], row["bytes"], row["breadth"],
                     tuple(row["qps"]))
        for row in runs[n]["indexes"]
    ]  # fmt: skip


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


def recall_against_speed(ax: Axes, measures: Sequence[IndexMeasure]) -> None:
    """Recall over queries a second, one line a kind through its breadths, slowest first; up and right is better.

    A bar through a point reaches from its slowest to its fastest repetition; a kind without a breadth is a point.
    Raises ValueError without a measure.
    """
    if not measures:
        raise ValueError("There is no measure to draw: recorded_measures() gives some.")
    for kind in dict.fromkeys(measure.kind for measure in measures):
        points = sorted((m for m in measures if m.kind == kind), key=lambda m: m.qps)
        recalls = [m.recall for m in points]
        (line,) = ax.plot([m.qps for m in points], recalls, "o-", label=kind)
        slowest, fastest = ([end(m.runs or (m.qps,)) for m in points] for end in (min, max))
        ax.hlines(recalls, slowest, fastest, color=line.get_color(), linewidth=3, alpha=0.3, label="_runs")
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.set(xlabel="queries a second, one thread", ylabel="recall@10")
    label_lines(ax)
