"""choose_vocab_size: the smallest vocabulary within one standard error of the best."""

from __future__ import annotations

from statistics import mean, pstdev, stdev

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.trials.vocabulary import choose_vocab_size

ANSWER = """
def choose_vocab_size(measured):
    best = min(measured, key=lambda size: mean(measured[size]))
    error = stdev(measured[best]) / len(measured[best]) ** 0.5
    limit = mean(measured[best]) + error
    return min(size for size in measured if mean(measured[size]) <= limit)
"""
OWN_ERROR = "stdev(measured[size]) / len(measured[size]) ** 0.5"
WITHIN = "mean(measured[size]) <= limit"
CHOICE = f"min(size for size in measured if {WITHIN})"
SLIPS = [
    (CHOICE, "best", "you take the lowest mean; a smaller size may be as good within the error."),
    (" / len(measured[best]) ** 0.5", "", "you allow a whole standard deviation; divide it by √n."),
    ("stdev", "2 * stdev", "you allow two standard errors; one is the rule."),
    ("stdev", "1.96 * stdev", "you allow 1.96 standard errors; one is the rule."),
    ("stdev", "0.5 * stdev", "you allow half a standard error; one is the rule."),
    ("len(measured[best])", "(len(measured[best]) - 1)", "you divide by √(n − 1); `stdev` has that already."),
    (
        "/ len(measured[best]) ** 0.5",
        "** 2",
        "you add the variance; take its root, the standard deviation.",
    ),
    (" ** 0.5", "", "you divide by n; the standard error divides by √n."),
    ("min(size for", "max(size for", "you take the largest size within the error; rows cost parameters."),
    ("stdev", "pstdev", "you divide by n inside; use `stdev`, for samples."),
    (
        "<= limit",
        f"<= limit - error + {OWN_ERROR}",
        "you add each size's own error; the best one's error is the limit.",
    ),
    ("min(size for", "next(size for", "you take the first size within the error; they come in any order."),
    (
        [("lambda size: mean", "lambda size: min"), (CHOICE, "best")],
        "you compare single losses; compare means over the seeds.",
    ),
]
REFUSED = [
    (WITHIN, f"mean(measured[size]) - {OWN_ERROR} <= limit", "The result is wrong"),
    (CHOICE, "min([size for size in measured if mean(measured[size]) < limit] or [best])", "The result is wrong"),
    (WITHIN, "round(mean(measured[size]), 2) <= round(limit, 2)", "The result is wrong"),
]
RIGHT = [
    """
def choose_vocab_size(measured):
    means = {size: np.mean(losses) for size, losses in measured.items()}
    losses = measured[min(means, key=means.get)]
    error = np.std(losses, ddof=1) / np.sqrt(len(losses))
    for size in sorted(measured):
        if means[size] <= min(means.values()) + error:
            return size
""",
]


def cases(rng: Generator) -> list[tuple]:
    def seeds(center: float, spread: float, n: int = 3) -> list[float]:
        return [round(float(x), 3) for x in rng.normal(center, spread, n)]

    sizes = [256, 512, 1024, 2048, 4096]
    flat = {size: seeds(2.0, 0.05) for size in sizes}
    return [
        ({256: [3.0, 3.2], 512: [2.39, 2.59], 1024: [2.3, 2.5]},),  # 512: 2.49, and 1024: 2.4 ± 0.1
        ({1024: [2.3, 2.5], 256: [3.0, 3.2], 512: [2.52, 2.54]},),  # just outside
        ({256: [2.49, 2.49, 2.50], 512: [2.2, 2.4, 2.6, 2.4], 8192: [2.9, 3.3]},),
        ({512: [2.41, 2.42, 2.43], 1024: [2.30, 2.31, 2.32], 2048: [2.30, 2.32, 2.34]},),
        ({size: flat[size] for size in reversed(sizes)},),
        ({size: seeds(2.0 + 0.1 * abs(n - 3), 0.08, 5) for n, size in enumerate(sizes)},),
        ({size: seeds(3.0 - 0.01 * n, 0.03, 4) for n, size in enumerate(sizes)},),
        ({256: [2.44, 2.44, 2.44, 2.44], 512: [2.2, 2.5, 2.3, 2.6]},),  # a deviation is not yet an error
        ({2048: [2.0, 2.2], 512: [2.05, 2.17], 256: [2.6, 2.7]},),  # the first that is good is not the smallest
        ({512: [2.0, 2.2], 1024: [2.05, 2.19], 256: [3.0, 3.1]},),  # the best is the smallest that is good
        ({512: [2.3, 2.5], 256: [2.5, 2.64]},),  # between a deviation and two errors
        *(({512: [2.3, 2.4, 2.5], 256: [other] * 3},) for other in (2.405, 2.431, 2.465, 2.485, 2.5145)),
        ({256: [2.4, 2.6], 512: [2.44, 2.46]},),  # the other's error does not count
        ({256: [2.464, 2.464], 512: [2.44, 2.46]},),  # 2.46 is the limit
        ({512: [2.0, 2.0], 256: [2.0, 2.0]},),
        ({300: [1.0, 1.0]},),
    ]


EXERCISE = Exercise(
    reference=choose_vocab_size,
    minutes=3,
    difficulty=2,
    hints=(
        "A few seeds give a few losses. How far may their mean be off by luck?",
        "Find the size with the lowest mean. Its standard error is `stdev` divided by √n. Every size whose mean is "
        "at most the best mean plus that error is as good; take the smallest.",
        "Compute `mean` for every size; `best` is the size of the lowest; the limit is its mean plus "
        "`stdev(measured[best]) / len(measured[best]) ** 0.5`; return the `min` of the sizes that stay within it.",
    ),
    proves="sizes in any order, any number of seeds, ties, one size only, and the best one's error alone",
    properties=[Property("the choice is one of the sizes", lambda size, measured: size in measured)],
)
