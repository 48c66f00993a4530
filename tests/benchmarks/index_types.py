"""Kinds of vector indexes side by side: what each costs and finds at each breadth of its search.

    measures = compare_indexes(vectors, queries, TRIALS)

`compare_indexes` uses one thread, counts the seconds in which the processor worked for it, not those in which it worked
for others, and lets all indexes take turns: so it can be repeated on a busy machine, and what still disturbs it
disturbs all.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from numpy.typing import NDArray

from helpers.old.trials.vector_indexes import IndexMeasure, built, exact_neighbors, searched
from helpers.retrieval import index_bytes, recall_against


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
        made = {name: built(vectors, trial.kind, trial.options, time.process_time) for name, trial in trials.items()}
        settings = [(name, breadth) for name, trial in trials.items() for breadth in trial.breadths or (None,)]
        runs: dict[tuple[str, int | None], list[float]] = {setting: [] for setting in settings}
        found = {}
        for _ in range(repeats):
            for name, breadth in settings:
                index, _ = made[name]
                if breadth is not None:
                    set_breadth(index, breadth)
                qps, found[name, breadth] = searched(index, queries, k, time.process_time)
                runs[name, breadth].append(qps)
    sizes = {name: len(index_bytes(index)) for name, (index, _) in made.items()}
    return [
        IndexMeasure(
            name,
            made[name][1],
            median(runs[name, breadth]),
            recall_against(exact, found[name, breadth]),
            sizes[name],
            breadth,
            tuple(runs[name, breadth]),
        )
        for name, breadth in settings
    ]


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


def set_breadth(index: Any, breadth: int) -> None:
    """How much of the index a search looks at: clusters probed, or the best kept on the walk through the graph.

    More finds more, and takes longer. Raises ValueError below 1 and for a kind that looks at everything.
    """
    if breadth < 1:
        raise ValueError(f"A search looks at 1 cluster or vector at least, not at {breadth}.")
    if hasattr(index, "hnsw"):
        index.hnsw.efSearch = breadth
    elif hasattr(index, "nprobe"):
        index.nprobe = breadth
    else:
        raise ValueError("This index looks at all vectors, so there is no breadth to choose.")
