"""exposure_bits: how much a model gives away of a secret; the planted bug takes the place of a tie for a rank."""

from __future__ import annotations

import math

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property


def exposure_bits(log_p: Tensor, true: int) -> float:
    """Exposure of the code number `true`, in bits: log2(number of codes) − log2(rank).

    log_p: (n,), what the model gives to each code, in nats. Rank 1 is the likeliest code. Of the *other* codes that are
    exactly as likely as the true one, half count as ahead of it.
    """
    ahead = int((log_p > log_p[true]).sum())
    level = int((log_p == log_p[true]).sum()) - 1  # the true code itself is no rival
    return math.log2(len(log_p)) - math.log2(1 + ahead + level / 2)


ANSWER = """
def exposure_bits(log_p, true):
    ahead = (log_p > log_p[true]).sum().item()
    equal = (log_p == log_p[true]).sum().item() - 1
    rank = 1 + ahead + equal / 2
    return math.log2(len(log_p)) - math.log2(rank)
"""
BODY = """    ahead = (log_p > log_p[true]).sum().item()
    equal = (log_p == log_p[true]).sum().item() - 1
    rank = 1 + ahead + equal / 2
"""
SORTED = """    order = log_p.argsort(descending=True, stable=True).tolist()
    rank = order.index(true) + 1
"""
SLIPS = [
    (
        BODY,
        SORTED,
        "the planted bug is still there: among codes that are equally likely, the order of their numbers decides.",
    ),
    (
        "rank = 1 + ahead + equal / 2",
        "rank = 1 + ahead",
        "a model that finds all codes equally likely gets the best rank: count half of those that are level.",
    ),
    (
        "rank = 1 + ahead + equal / 2",
        "rank = 1 + ahead + equal",
        "all codes that are level count as ahead: half of them do.",
    ),
    (
        ".sum().item() - 1",
        ".sum().item()",
        "the true code counts as a rival of itself: take one away from those that are level.",
    ),
    (
        [(".sum().item() - 1", ".sum().item()"), ("rank = 1 + ahead + equal / 2", "rank = ahead + equal / 2")],
        "the true code is one of those that are level: take it out, and begin at rank 1.",
    ),
    ("rank = 1 + ahead", "rank = ahead", "rank 1 is the likeliest code, and you begin at 0."),
    ("log_p > log_p[true]", "log_p < log_p[true]", "you count the codes behind the true one, not those ahead of it."),
    (
        "math.log2(len(log_p)) - math.log2(rank)",
        "math.log(len(log_p)) - math.log(rank)",
        "this is in nats: exposure is in bits, with `math.log2`.",
    ),
    (
        "math.log2(len(log_p)) - math.log2(rank)",
        "math.log2(rank)",
        "that is how many bits are still unknown: subtract it from log2 of the number of codes.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    ("return math", "math", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    """
def exposure_bits(log_p, true):
    better = int(torch.count_nonzero(log_p > log_p[true]))
    worse = int(torch.count_nonzero(log_p < log_p[true]))
    level = len(log_p) - 1 - better - worse
    return math.log2(len(log_p) / (1 + better + 0.5 * level))
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(n: int) -> Tensor:
        return torch.tensor(rng.normal(size=n)).log_softmax(0)

    coarse = torch.tensor(rng.integers(4, size=200)).double().log_softmax(0)  # many codes are level
    return [
        (torch.tensor([-1.0, -3.0, -0.5, -4.0]), 0),
        (torch.zeros(1000) - 6.9, 3),
        (torch.zeros(1000) - 6.9, 990),
        (coarse, 17),
        (coarse, 150),
        (torch.tensor([-2.0, -1.0, -1.0, -1.0]), 3),
        *[(row, int(row.argmax())) for row in (drawn(16), drawn(100))],
        (row := drawn(100), int(row.argmin())),
        *[(drawn(100), int(rng.integers(100))) for _ in range(3)],
    ]


def _same_for_all(result: object, log_p: Tensor, true: int) -> bool:
    return bool((log_p != log_p[0]).any()) or abs(result - math.log2(2 * len(log_p) / (len(log_p) + 1))) < 1e-6


EXERCISE = Exercise(
    reference=exposure_bits,
    minutes=4,
    difficulty=2,
    hints=(
        "A model gives every code the same probability. Which rank does your version give to code 3, and to code 990?",
        "Sorting puts codes that are level into some order, here that of their numbers. Count instead: how many codes "
        "are likelier, and how many are exactly as likely?",
        "The rank is 1, plus the number of codes with a larger `log_p` than the true one, plus half of the other codes "
        "with the very same `log_p`. Do not count the true code as its own rival.",
    ),
    proves="the rank counts likelier codes whole and equally likely ones half, so that knowing nothing gives 1 bit",
    properties=[Property("where all codes are equally likely, each has the same exposure", _same_for_all)],
)
