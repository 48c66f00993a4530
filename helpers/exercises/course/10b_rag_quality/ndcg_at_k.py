"""ndcg_at_k: relevant passages are worth more the earlier they come, as a share of the best that is possible."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.retrieval.metrics import ndcg_at_k

ANSWER = """
def ndcg_at_k(ranked, relevant, k=10):
    def worth(rank):
        return 1 / math.log2(rank + 1)

    gain, seen = 0.0, set()
    for rank, item in enumerate(ranked[:k], start=1):
        if item in relevant and item not in seen:
            seen.add(item)
            gain += worth(rank)
    places = min(k, len(relevant))
    best = sum(worth(rank) for rank in range(1, places + 1))
    return gain / best
"""
PLACES = "min(k, len(relevant))"
NONE_IS_ZERO = ("gain / best", "gain / best if best else 0.0")
NO_ZERO = "log2(1) is 0: count ranks from 1, and add 1 inside the logarithm."
SLIPS = [
    ("gain / best", "gain", "this is the gain itself; divide it by the largest that is possible."),
    ("/ best", "/ len(relevant)", "the sum below the line takes ranks into account, too."),
    (PLACES, "len(relevant)", "below the line only k places can be filled: min(k, relevant ones)."),
    (PLACES, "k", "below the line only as many places are filled as there are relevant ones."),
    (
        [(PLACES, "len(seen)"), NONE_IS_ZERO],
        "below the line you rank what was *found* best; what was missed belongs there, too.",
    ),
    (
        [(PLACES, "min(k, len(relevant), len(ranked))"), NONE_IS_ZERO],
        "below the line stands a perfect search, however few passages yours found.",
    ),
    (" and item not in seen", "", "a passage that comes a second time is worth nothing."),
    (
        "enumerate(ranked[:k]",
        "enumerate(list(dict.fromkeys(ranked))[:k]",
        "a passage that comes a second time is worth nothing, but it keeps its rank: count first, remove nothing.",
    ),
    ("ranked[:k], start=1", "ranked[:k], start=2", "the first rank is 1, as in the sum below the line."),
    (
        "gain += worth(rank)",
        "gain += 1 / math.log(rank + 1)",
        "one logarithm is natural, the other has base 2: use log2 above and below the line.",
    ),
    ("ranked[:k]", "ranked", "the cut at k is missing: only the first k count."),
    ("math.log2(rank + 1)", "rank", "a rank is worth 1 / log2(rank + 1), not 1 / rank."),
    ("1 / math.log2(rank + 1)", "1", "every rank is worth the same: 1 / log2(rank + 1) is missing."),
    ("1 / math", "math", "the worth is 1 *over* the logarithm."),
    ("rank + 1", "rank", NO_ZERO),
    ([("start=1", "start=0"), ("range(1, places + 1)", "range(places)")], NO_ZERO),
    ("start=1", "start=0", "ranks start at 1: log2(0 + 1) is 0, and 1 / 0 is an error."),
    ("rank + 1", "rank + 2", "with ranks from 1 it is log2(rank + 1)."),
]
RIGHT = [
    ("math.log2", "math.log"),  # the base cancels out
    """
def ndcg_at_k(ranked, relevant, k=10):
    worth = 1 / np.log2(np.arange(k) + 2)
    unique = [item if item not in ranked[:i] else None for i, item in enumerate(ranked[:k])]
    hits = np.array([item in relevant for item in unique], dtype=float)
    return float((hits * worth[: len(hits)]).sum() / worth[: len(relevant)].sum())
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = [f"p{i}" for i in rng.permutation(20)]
    return [
        (["p3", "p7", "p1"], {"p7"}, 3),
        (["p3", "p7", "p1"], {"p3"}, 3),
        (["p3", "p7", "p1"], {"p1", "p7"}, 3),
        (["p3", "p7", "p1"], {"p1"}, 2),  # behind the cut
        (drawn, {drawn[1], drawn[6]}),
        (drawn, {drawn[0], drawn[3], drawn[12]}),
        (drawn, set(drawn[2:8]), 4),  # more relevant ones than places
        (drawn, set(drawn[:8]), 5),
        (["p1", "p2"], {"p2", "p9"}, 10),  # fewer found than k
        ([], {"p1"}, 5),
        (["p4", "p4", "p2"], {"p4"}, 3),  # one passage twice
        (["p3"], {"p3", "p8"}, 5),  # fewer found than there are relevant ones
        (["p2", "p6"], {"p1", "p2", "p5", "p9"}, 10),
        (["p5", "p4", "p4", "p2"], {"p4", "p2"}, 4),
    ]


EXERCISE = Exercise(
    reference=ndcg_at_k,
    minutes=5,
    difficulty=2,
    hints=(
        "Recall does not care whether the passage came first or tenth. By how much should it?",
        "Add 1 / log2(rank + 1) for each relevant passage among the first k. Then compute the same sum for a "
        "perfect search, which has relevant ones at ranks 1, 2, 3 …, and divide.",
        "The perfect sum has min(k, number of relevant ones) terms, at the ranks from 1 on. For passages that come "
        "twice, remember in a set which ones you have counted. `math.log2(rank + 1)` is 1 at rank 1.",
    ),
    proves="each rank's worth, the best possible sum for any k, and repeated passages counted once",
    properties=[Property("it lies between 0 and 1", lambda result, *_: -1e-9 <= result <= 1 + 1e-9)],
)
