"""choose_n_draft: how many tokens to draft, so that the most tokens per second are expected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def choose_n_draft(a: float, seconds: Sequence[float]) -> int:
    """How many tokens to draft for each pass, so that the most tokens per second are expected.

    a: the probability that a draft is kept, given that all before it were. seconds[k]: time of a pass with k
    drafts, which writes one token more than it keeps. Of equally fast numbers, the smallest.
    """
    expected, best, fastest = 0.0, 0, 0.0
    for k, time in enumerate(seconds):
        expected += a**k
        speed = expected / time
        if speed > fastest:
            best, fastest = k, speed
    return best


GROWS = "expected += a**k"
SLIPS = [
    (" / time", "", "longer passes cost more: divide by `seconds[k]`."),
    (
        GROWS,
        "expected = sum(a**i for i in range(1, k + 1))",
        "a pass writes one token even if no draft is kept.",
    ),
    (GROWS, "expected = 1 + k * a", "a draft counts only if all before it were kept: a, a², a³ …"),
    (GROWS, "expected = a**k", "that is how often all k are kept; count the tokens written on average, 1 + a + … ."),
    (GROWS, "expected = 1 + k * a**k", "some of the drafts may be kept, not only all of them."),
    (
        GROWS,
        "expected = (k + 1) * a**k",
        "where a draft is refused, those before it and one token more are written all the same.",
    ),
    (
        GROWS,
        "expected = sum(a**i for i in range(k))",
        "k drafts write up to k + 1 tokens: your sum ends too early.",
    ),
    (
        GROWS,
        "expected = (1 - a ** (k + 1)) / (1 - a)",
        "where every draft is kept, 1 − a is 0: add up, or treat it apart.",
    ),
    ("> fastest", ">= fastest", "of equally fast numbers you take the largest; take the smallest."),
    (
        "= k, speed",
        "= k, speed\n        else:\n            break",
        "you stop where it gets slower; further on it may be faster.",
    ),
    (
        [("fastest = 0.0", "fastest = 1.0"), ("enumerate(seconds)", "[*enumerate(seconds)][1:]")],
        "no draft at all may be the fastest: begin with k = 0.",
    ),
    ("return best", "return best + 1", "you count the token that comes anyway as a draft: one too many."),
    ("expected / time", "time / expected", "you take the slowest."),
]
REFUSED = [("return best", "return fastest", "Expected an int, yours is a float")]
RIGHT = [
    """
def choose_n_draft(a, seconds):
    def speed(k):
        n = k + 1 if a == 1 else (1 - a ** (k + 1)) / (1 - a)
        return n / seconds[k]
    return max(range(len(seconds)), key=speed)
""",
    """
def choose_n_draft(a, seconds):
    return int(np.argmax(np.cumsum(a ** np.arange(len(seconds))) / np.array(seconds)))
""",
]


def cases(rng: Generator) -> list[tuple]:
    def times(n: int, base: float, each: float) -> list[float]:
        return [round(float(base + each * k + rng.uniform(0, each / 4)), 4) for k in range(n)]

    return [
        (0.8, times(9, 20.0, 1.0)),
        (0.5, times(9, 7.0, 2.0)),
        (0.9, [10.0, 10.5, 10.9, 11.5, 19.0, 20.0, 21.0]),  # a step in the cost
        (0.0, times(5, 10.0, 0.5)),
        (1.0, times(12, 15.0, 0.7)),
        (0.3, times(8, 30.0, 0.2)),
        (0.7, times(16, 8.0, 0.8)),
        (0.9, [10.0, 10.5, 16.0, 16.5, 17.0, 17.5]),  # slower at 2 than at 1, and then faster than both
        (1.0, [20.0, 32.0, 64.0, 64.0]),  # 1 and 3 are equally fast, to the last bit
    ]


EXERCISE = Exercise(
    reference=choose_n_draft,
    minutes=3,
    difficulty=2,
    hints=(
        "With no drafts a pass writes one token. How many on average with one draft that is kept half of the time?",
        "A pass with k drafts writes 1 + a + a² + … + a^k tokens on average: the i-th draft counts only if all "
        "before it were kept. Divide by its seconds, and take the best k.",
        "For each `k, time in enumerate(seconds)`: sum `a ** i` for i from 0 to k, divide by `time`. "
        "Remember the k with the largest value; a later one must be *faster* to replace it.",
    ),
    proves="the best trade between tokens and seconds, from no acceptance to full, the smallest of equals",
)
