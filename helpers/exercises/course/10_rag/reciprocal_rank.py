"""reciprocal_rank: the first relevant passage decides what a search is worth."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.retrieval.metrics import reciprocal_rank

from ._shared import names

ANSWER = """
def reciprocal_rank(ranked, relevant):
    for rank, item in enumerate(ranked, start=1):
        if item in relevant:
            return 1 / rank
    return 0.0
"""
BODY = ANSWER.partition("relevant):\n    ")[2].rstrip()
WORTHS = "worths = [1 / rank for rank, item in enumerate(ranked, start=1) if item in relevant]"
FIRST_ONLY = "only the first relevant one counts."
SLIPS = [
    ("start=1", "start=0", "your ranks begin with 0; the first has 1."),
    ("start=1", "start=2", "one too many: the first has rank 1."),
    ("1 / rank", "rank", "this is the rank; give 1 / rank."),
    (BODY, f"{WORTHS}\n    return min(worths, default=0.0)", "the first relevant one counts, not the last."),
    (BODY, f"{WORTHS}\n    return sum(worths)", FIRST_ONLY),
    (BODY, f"{WORTHS}\n    return sum(worths) / len(relevant)", FIRST_ONLY),
    (BODY, f"{WORTHS}\n    return sum(worths) / max(1, len(worths))", FIRST_ONLY),
    ("1 / rank", "1 - (rank - 1) / len(ranked)", "the worth falls as 1, 1/2, 1/3 …, not evenly."),
    (
        "return 1 / rank",
        "return 1.0 if rank == 1 else 0.0",
        "you look at the first place only; go on until you meet a relevant one.",
    ),
    ("return 0.0", "return 1.0", "nothing found is worth 0, not 1."),
    ("return 0.0", "return -1", "nothing found is worth 0, not −1."),
]
REFUSED = [
    ("    return 0.0", "", "It returns None for"),
    ("return 0.0", "raise ValueError('not found')", "It stops with an error"),
]
RIGHT = [
    (BODY, f"{WORTHS}\n    return max(worths, default=0.0)"),
    """
def reciprocal_rank(ranked, relevant):
    places = [ranked.index(item) for item in relevant if item in ranked]
    return 1 / (1 + min(places)) if places else 0
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = names(rng, 12)
    return [
        (["p3", "p7", "p1"], {"p7"}),
        (["p3", "p7", "p1"], {"p1", "p7"}),  # the second relevant one does not count
        (["p3", "p7", "p1"], {"p3"}),
        (["p3", "p7", "p1"], {"p9"}),
        (drawn, set(drawn[4:7])),
        (drawn, {drawn[-1]}),
        ([], {"p1"}),
        (["p2", "p5"], {"p1", "p5", "p8"}),
    ]


EXERCISE = Exercise(
    reference=reciprocal_rank,
    minutes=2,
    difficulty=1,
    hints=(
        "The right passage comes third. How much is that search worth?",
        "Walk through what was found with its ranks, and leave at the first that is relevant. What do you return "
        "if you come to the end?",
        "`enumerate(ranked, start=1)` gives ranks that begin with 1. Inside the loop: if the passage is in "
        "`relevant`, return 1 over the rank. Behind the loop: 0.0.",
    ),
    proves="the first relevant passage decides, ranks begin with 1, and nothing found gives 0",
)
