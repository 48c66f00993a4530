"""membership_auc: how well do losses tell texts that were trained on from texts that were not?"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property


def membership_auc(members: list[float], others: list[float]) -> float:
    """Share of all pairs (a member, another text) in which the member has the lower loss; equal losses count half.

    members: (n,) losses of texts that were trained on, others: (m,) losses of texts that were not. 1: every member lies
    below every other text; 0.5: guessing. The area under the ROC curve (AUC).
    """
    inside, outside = np.asarray(members, dtype=float)[:, None], np.asarray(others, dtype=float)[None]
    return float((inside < outside).mean() + 0.5 * (inside == outside).mean())


ANSWER = """
def membership_auc(members, others):
    points = 0.0
    for member in members:
        for other in others:
            if member < other:
                points += 1
            elif member == other:
                points += 0.5
    return points / (len(members) * len(others))
"""
SLIPS = [
    (
        "if member < other:",
        "if member > other:",
        "this is 1 where members have the higher loss: what was trained on has the lower one.",
    ),
    ("points += 0.5", "points += 1", "equal losses decide nothing: they count half."),
    ("points += 0.5", "points += 0", "equal losses decide nothing: they count half, so that guessing gives 0.5."),
    (
        "(len(members) * len(others))",
        "(len(members) + len(others))",
        "divide by the number of pairs, n times m.",
    ),
    ("(len(members) * len(others))", "len(members)", "divide by the number of pairs, n times m."),
    (
        [
            ("for other in others", "for other in [sum(others) / len(others)]"),
            ("(len(members) * len(others))", "len(members)"),
        ],
        "you compare with the mean of the others: compare with each of them.",
    ),
    (
        [
            ("    for member in members:\n", "    if True:\n"),
            ("for other in others", "for member, other in zip(members, others)"),
            ("(len(members) * len(others))", "min(len(members), len(others))"),
        ],
        "you compare the first with the first, the second with the second: compare all pairs.",
    ),
]
REFUSED = [("return points", "points", "It returns None. Did you forget `return`?")]
RIGHT = [
    """
def membership_auc(members, others):
    members, others = np.asarray(members), np.asarray(others)
    gap = others[:, None] - members[None, :]
    return float((np.sign(gap).mean() + 1) / 2)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def losses(n: int, mean: float, digits: int = 4) -> list[float]:
        return [round(float(x), digits) for x in rng.normal(mean, 0.3, size=n)]

    return [
        ([1.0, 2.0], [3.0, 4.0]),
        ([3.0, 4.0], [1.0, 2.0]),
        ([1.0, 2.0, 2.0], [2.0, 2.0]),
        ([1.5], [1.5, 1.0, 2.0]),
        ([1.0, 3.0], [2.0, 2.5, 0.5]),
        (losses(12, 1.4), losses(9, 1.6)),
        (losses(7, 1.4), losses(15, 1.4)),
        (losses(20, 1.5, 1), losses(20, 1.6, 1)),
    ]


def _share(result: object, members: list[float], others: list[float]) -> bool:
    return 0 <= result <= 1


EXERCISE = Exercise(
    reference=membership_auc,
    minutes=4,
    difficulty=2,
    hints=(
        "With one member and one other text: which results are possible, and what does each mean?",
        "Go through all pairs of a member and another text. A pair is worth 1, 0.5 or 0; the result is the mean.",
        "Two loops, one inside the other, or a matrix of all differences. Count 1 where the member's loss is lower and "
        "0.5 where both are equal, and divide by the number of members times the number of others.",
    ),
    proves="all pairs are compared, the lower loss counts for the member, and equal losses count half",
    properties=[Property("the share lies between 0 and 1", _share)],
)
