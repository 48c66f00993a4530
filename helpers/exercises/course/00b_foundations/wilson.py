"""wilson: an interval for a share that is pulled towards one half and never leaves [0, 1]."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.stats import wilson

ANSWER = """
def wilson(successes, trials, confidence=0.95):
    below = (1 + confidence) / 2  # both tails are cut off
    z = NormalDist().inv_cdf(below)
    middle = (successes + z**2 / 2) / (trials + z**2)
    spread = successes * (trials - successes) / trials
    reach = z / (trials + z**2) * np.sqrt(spread + z**2 / 4)
    return middle - reach, middle + reach
"""
MIDDLE = "(successes + z**2 / 2) / (trials + z**2)"
REACH = "z / (trials + z**2) * np.sqrt(spread + z**2 / 4)"
INSIDE = "Wilson's interval never leaves [0, 1]: check the brackets, every z², and the n + z² below."
SLIPS = [
    (
        [(MIDDLE, "successes / trials"), (REACH, "z / trials * np.sqrt(spread)")],
        "this is the naive interval, share ± z standard errors.",
    ),
    ("(1 + confidence) / 2", "confidence", "z belongs to (1 + confidence) / 2: both tails are cut off."),
    ("NormalDist().inv_cdf(below)", "1.96", "1.96 is fixed in your code; compute z from `confidence`."),
    (
        "(successes + z**2 / 2)",
        "successes",
        "the middle lacks z² / 2: it must be pulled towards one half.",
    ),
    (" + z**2 / 4", "", "the z² / 4 under the root is missing."),
    ("z**2 / 4", "z**2", "under the root stands z² / 4, a quarter of z²."),
    (MIDDLE, "successes / trials", "the middle is the share itself; Wilson's lies nearer one half."),
    ("middle - reach, middle + reach", "middle + reach, middle - reach", "low and high are swapped, or z is negative."),
    (
        "middle - reach, middle + reach",
        "100 * (middle - reach), 100 * (middle + reach)",
        "these are percent; return shares.",
    ),
    ("reach = z / (trials + z**2)", "reach = z / trials + z**2", INSIDE),
]
REFUSED = [
    (
        "middle - reach, middle + reach",
        "middle, reach",
        "both ends lie in [0, 1] and the low one is below",
    ),
    ("np.sqrt", "math.sqrt", "It stops with an error when called as"),
]
RIGHT = [
    """
def wilson(successes, trials, confidence=0.95):
    z = -NormalDist().inv_cdf((1 - confidence) / 2)
    p, factor = successes / trials, 1 + z * z / trials
    root = (p * (1 - p) / trials + z * z / (4 * trials * trials)) ** 0.5
    return (p + z * z / (2 * trials) - z * root) / factor, (p + z * z / (2 * trials) + z * root) / factor
""",
]


def cases(rng: Generator) -> list[tuple]:
    trials = [int(n) for n in rng.integers(5, 400, size=3)]
    drawn = [(int(rng.integers(n + 1)), n, 0.95) for n in trials]
    return [
        (15, 20, 0.95),
        *drawn,
        (0, 12, 0.95),
        (12, 12, 0.95),
        (7, 9, 0.5),
        (450, 500, 0.99),
        (np.array([0, 3, 10, 20]), 20, 0.9),
        (np.array([[1, 2], [3, 4]]), 5, 0.95),
    ]


EXERCISE = Exercise(
    reference=wilson,
    minutes=2,
    difficulty=2,
    hints=(
        "The formula has a plus and a minus: what do both ends share?",
        "Compute z from the confidence, then the middle (k + z²/2) / (n + z²), then the reach; return the middle "
        "minus the reach, and plus it. NumPy functions work on numbers and on arrays.",
        "With `z = NormalDist().inv_cdf((1 + confidence) / 2)` the reach is z · √(k (n − k) / n + z² / 4), divided "
        "by n + z². Return a tuple of two; use `np.sqrt`, not `math.sqrt`, so that arrays work too.",
    ),
    proves="right for single counts and arrays, for 0 and all successes, for three confidences",
    properties=[
        Property(
            "both ends lie in [0, 1] and the low one is below",
            lambda result, *_: bool(np.all((-1e-9 < result[0]) & (result[0] < result[1]) & (result[1] < 1 + 1e-9))),
            INSIDE,
        ),
    ],
)
