"""What each kind of vector index costs and finds, on clustered vectors of 128 numbers and one thread: seconds to build,
queries a second (one figure a repetition, all kinds in turns), recall@10, bytes. Seconds are the processor's, not those
of the clock: what else the machine does is left out."""

from __future__ import annotations

from helpers.old.trials.vector_indexes import clustered_vectors
from tests.benchmarks.index_types import TRIALS, compare_indexes

NAME = "10b_index_types"
D, SEED = 128, 0
CASES = [
    {"n": 20_000, "queries": 500, "repeats": 5},
    {"n": 50_000, "queries": 500, "repeats": 5},
    {"n": 500_000, "queries": 100, "repeats": 3},
]


def run(case: dict) -> dict:
    vectors, queries = clustered_vectors(case["n"], D, SEED, case["queries"])
    return {
        "d": D,
        "indexes": [
            {
                "kind": found.kind,
                "breadth": found.breadth,
                "build_seconds": round(found.build_seconds, 2),
                "qps": [round(qps, 1) for qps in found.runs],
                "recall": round(found.recall, 4),
                "bytes": found.nbytes,
            }
            for found in compare_indexes(vectors, queries, TRIALS, repeats=case["repeats"])
        ],
    }
