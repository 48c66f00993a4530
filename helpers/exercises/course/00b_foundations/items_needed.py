"""items_needed: the smallest test whose interval is narrow enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.stats.intervals import wald, wilson


def items_needed(share: float, margin: float, sizes: Sequence[int]) -> int | None:
    """Smallest test in `sizes` whose 95 % Wilson interval is narrow enough, or None.

    share: the accuracy you expect, so count round(share * n) successes in n items.
    margin: enough means (high − low) / 2 ≤ margin. `sizes` come in any order.
    """
    for n in sorted(sizes):
        low, high = wilson(round(share * n), n)
        if (high - low) / 2 <= margin:
            return n
    return None


ANSWER = """
def items_needed(share, margin, sizes):
    for n in sorted(sizes):
        low, high = wilson(round(share * n), n)
        if (high - low) / 2 <= margin:
            return n
    return None
"""
WHOLE_WIDTH = "you compare the whole width; the margin is half of it."
NOT_CENTERED = "Wilson's interval is not centered on the share; what counts is half its width, (high − low) / 2."
NONE_ENOUGH = "where no size is enough, return None."
SLIPS = [
    ("(high - low) / 2", "high - low", WHOLE_WIDTH),
    ("<= margin", "<= margin / 2", WHOLE_WIDTH),  # the same comparison, written otherwise
    ("sorted(sizes)", "sizes", "you take the first size that is enough; `sizes` come in any order."),
    (
        "sorted(sizes)",
        "sorted(sizes, reverse=True)",
        "you take the largest size that is enough; the smallest will do.",
    ),
    ("wilson", "wald", "the Wald interval is too narrow near 1: use `wilson`."),
    ("None", "max(sizes, default=None)", NONE_ENOUGH),
    ("None", "0", NONE_ENOUGH),
    ("<= margin", "< margin", "a half width equal to the margin is enough, too: compare with <=."),
    ("round(share * n)", "int(share * n)", "`int` cuts off; round the expected number of successes."),
    ("(high - low) / 2", "max(high - share, share - low)", NOT_CENTERED),
    ("(high - low) / 2", "high - share", NOT_CENTERED),
    ("(high - low) / 2", "share - low", NOT_CENTERED),
    (
        "(high - low) / 2",
        "1.96 * (share * (1 - share) / n) ** 0.5",
        "this is the half width of the Wald interval, which is too narrow near 1: use `wilson`.",
    ),
]
REFUSED = [
    ("round(share * n)", "share * n", "It stops with an error when called as"),
    ("return None", "return -1", "the answer is one of the sizes, or None"),
]
RIGHT = [
    """
def items_needed(share, margin, sizes):
    n = np.array(sorted(sizes), dtype=int)
    low, high = wilson(np.round(share * n), n)
    enough = n[(high - low) / 2 <= margin]
    return int(enough[0]) if len(enough) else None
""",
]


def cases(rng: Generator) -> list[tuple]:
    sizes = [20, 50, 100, 200, 500, 1000, 2000, 5000]
    shuffled = [sizes[i] for i in rng.permutation(len(sizes))]
    low, high = wilson(160, 200)
    return [
        (0.8, 0.05, sizes),
        (0.9, 0.02, shuffled),
        (0.5, 0.1, shuffled),
        (0.98, 0.04, sizes),
        (1.0, 0.03, sizes[::-1]),
        (0.99, 0.01, shuffled),
        (0.5, 0.001, sizes),
        (0.7, 0.1, []),
        (0.85, 0.08, [10, 15, 25, 30, 35, 45, 60, 75, 90, 120, 150, 175]),  # rounding decides
        (0.8, (high - low) / 2, sizes),  # exactly the half width at 200 items
        (0.97, 0.08, [10, 15, 25, 30, 35, 45, 60, 75, 90, 120, 150, 175]),
    ]


EXERCISE = Exercise(
    reference=items_needed,
    minutes=4,
    difficulty=2,
    hints=(
        "Larger tests have narrower intervals: in which order do you try the sizes?",
        "For each size, smallest first: count the successes you expect, ask `wilson`, and compare half the width "
        "with the margin.",
        "Loop over the sizes in rising order; inside, `low, high = wilson(...)` of the rounded expected count, and "
        "return that size as soon as half of `high - low` is small enough. After the loop, return None.",
    ),
    proves="the smallest size that is enough in any order of sizes, and None where none is",
    properties=[
        Property("the answer is one of the sizes, or None", lambda found, *args: found is None or found in args[2]),
    ],
)
