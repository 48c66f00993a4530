"""What a vector index costs and gives: seconds to build, queries a second, recall, bytes.

    vectors, queries = clustered_vectors(20_000, 128, seed=0)
    measure_index(vectors, queries, "hnsw", search_breadth=64)
    measures = compare_indexes(vectors, queries, TRIALS)
    recall_against_speed(ax, measures)                      # drawn: what each finds, against how fast

What it does not do: compare two machines. `compare_indexes` uses one thread, counts the seconds in which the processor
worked for it, not those in which it worked for others, and lets all indexes take turns: so it can be repeated on a busy
machine, and what still disturbs it disturbs all. Nor does it say how texts would do: each made-up cluster has about a
hundred vectors, and where k-means learns clusters as coarse as these, all neighbors of a query lie in one cell.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from helpers.paths import RESULTS
from helpers.plots import label_lines
from helpers.vector_index import build_index, index_bytes, recall_against, set_breadth, unit

Clock = Callable[[], float]  # seconds

RECORDED = RESULTS / "10b_index_types.json"
QUERIES = 500
SPREAD = 0.6  # of a vector around its cluster's center, a length of 1: neighbors lie in other clusters, too


@dataclass(frozen=True)
class IndexMeasure:
    """One index on one set of vectors. qps: queries a second, one at a time, as a service gets them.

    breadth: as in `set_breadth`, None for what looks at everything or was left as built. runs: the queries a second of
    each repetition, whose median `qps` is.
    """

    kind: str
    build_seconds: float
    qps: float
    recall: float  # of the k exact neighbors
    nbytes: int
    breadth: int | None = None
    runs: tuple[float, ...] = ()


@dataclass(frozen=True)
class Trial:
    """A kind of index with the options of `build_index`, searched at each of `breadths`, or as built without any."""

    kind: str
    options: Mapping[str, int | None] = field(default_factory=dict)
    breadths: tuple[int, ...] = ()


TRIALS = {  # what is recorded; a graph built at half the default's breadth takes half as long to build
    "flat": Trial("flat"),
    "int8": Trial("int8"),
    "IVF": Trial("ivf", breadths=(1, 2, 4, 16, 64)),
    "IVF-PQ": Trial("ivf-pq", {"code_bytes": 32}, breadths=(1, 4, 16)),
    "HNSW": Trial("hnsw", {"build_breadth": 40}, breadths=(8, 16, 32, 64, 128)),
}


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
    index, seconds = _built(vectors, kind, options, time.perf_counter)
    qps, found = _searched(index, queries, k, time.perf_counter)
    return IndexMeasure(kind, seconds, qps, recall_against(exact, found), len(index_bytes(index)), runs=(qps,))


def compare_indexes(
    vectors: NDArray,
    queries: NDArray,
    trials: Mapping[str, Trial],
    *,
    k: int = 10,
    repeats: int = 5,
    exact: Sequence[Sequence[int]] | None = None,
) -> list[IndexMeasure]:
    """Build each index once, then search with each at each breadth, in turns, `repeats` times, on one thread.

    Seconds are the processor's. `kind` of a measure is the trial's name. Raises ValueError for no repetition, and as
    `build_index` and `set_breadth`.
    """
    if repeats < 1:
        raise ValueError(f"repeats is how often each index is searched, 1 or more, not {repeats}.")
    exact = exact_neighbors(vectors, queries, k) if exact is None else exact
    with one_thread():
        built = {name: _built(vectors, trial.kind, trial.options, time.process_time) for name, trial in trials.items()}
        settings = [(name, breadth) for name, trial in trials.items() for breadth in trial.breadths or (None,)]
        runs: dict[tuple[str, int | None], list[float]] = {setting: [] for setting in settings}
        found = {}
        for _ in range(repeats):
            for name, breadth in settings:
                index, _ = built[name]
                if breadth is not None:
                    set_breadth(index, breadth)
                qps, found[name, breadth] = _searched(index, queries, k, time.process_time)
                runs[name, breadth].append(qps)
    sizes = {name: len(index_bytes(index)) for name, (index, _) in built.items()}
    return [
        IndexMeasure(
            name,
            built[name][1],
            median(runs[name, breadth]),
            recall_against(exact, found[name, breadth]),
            sizes[name],
            breadth,
            tuple(runs[name, breadth]),
        )
        for name, breadth in settings
    ]


def recorded_measures(n: int) -> list[IndexMeasure]:
    """What `compare_indexes` gave for n vectors when it was recorded, in data/results; ValueError for another n."""
    runs = {run["case"]["n"]: run for run in json.loads(RECORDED.read_text(encoding="utf-8"))["runs"]}
    if n not in runs:
        raise ValueError(f"Recorded are {', '.join(f'{size:,}' for size in runs)} vectors, not {n:,}.")
    return [
        IndexMeasure(row["kind"], row["build_seconds"], median(row["qps"]), row["recall"], row["bytes"], row["breadth"],
                     tuple(row["qps"]))
        for row in runs[n]["indexes"]
    ]  # fmt: skip


@contextmanager
def one_thread() -> Iterator[None]:
    """FAISS on one thread: figures of one core, which do not depend on how many there are."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _built(vectors: NDArray, kind: str, options: Mapping[str, int | None], clock: Clock) -> tuple[Any, float]:
    started = clock()
    index = build_index(vectors, kind, **options)
    return index, clock() - started


def _searched(index: Any, queries: NDArray, k: int, clock: Clock) -> tuple[float, list[list[int]]]:
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
        raise ValueError("There is no measure to draw: compare_indexes() gives some.")
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
