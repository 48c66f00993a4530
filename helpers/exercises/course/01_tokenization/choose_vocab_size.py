"""choose_vocab_size: the smallest vocabulary that is as good as the best, compared text by text."""

from __future__ import annotations

from statistics import mean, pstdev, stdev

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property


def choose_vocab_size(measured: dict[int, list[float]]) -> int:
    """The smallest vocabulary that is as good as the best one, within one standard error.

    measured: vocabulary size → its bits for each text; the texts are the same, in the same order. The best needs the
    fewest bits in all. Another is as good if its differences to the best, text by text, have a mean of at most one
    standard error: their sample standard deviation / √(number of texts).
    """
    best = min(measured, key=lambda size: sum(measured[size]))
    good = []
    for size, bits in measured.items():
        gaps = [a - b for a, b in zip(bits, measured[best], strict=True)]
        if mean(gaps) <= stdev(gaps) / len(gaps) ** 0.5:
            good.append(size)
    return min(good)


ANSWER = """
def choose_vocab_size(measured):
    best = min(measured, key=lambda size: sum(measured[size]))
    good = []
    for size, bits in measured.items():
        gaps = [a - b for a, b in zip(bits, measured[best])]
        if mean(gaps) <= stdev(gaps) / len(gaps) ** 0.5:
            good.append(size)
    return min(good)
"""
PAIRS = "zip(bits, measured[best])"
APPEND = """        if mean(gaps) <= stdev(gaps) / len(gaps) ** 0.5:
            good.append(size)
"""
BEST_LEFT_OUT = "you leave the best out; it is as good as itself, and it may be the smallest that is good."
AT_MOST = "the best differs from itself by 0 and the error of that is 0: the rule says at most, not less."
UNPAIRED = "you use how much the texts differ; use how much the differences to the best do."
SLIPS = [
    ("min(good)", "best", "you take the fewest bits; a smaller size may be as good within the error."),
    (
        "min(good)",
        "max(good)",
        "you take the largest of the good sizes; every row costs weights, so take the smallest.",
    ),
    (
        [
            (APPEND, "        if size != best:\n    " + APPEND.replace("\n    ", "\n        ")),
            ("min(good)", "min(good, default=best)"),
        ],
        BEST_LEFT_OUT,
    ),
    (
        [
            (APPEND, "        if size != best:\n    " + APPEND.replace("\n    ", "\n        ")),
            ("min(good)", "good[0] if good else best"),
        ],
        BEST_LEFT_OUT,
    ),
    (
        "mean(gaps) <=",
        "sum(gaps) <=",
        "you compare the sum of the differences with the error of their mean; take their mean.",
    ),
    ("<= stdev(gaps)", "< stdev(gaps)", AT_MOST),
    ("min(good)", "good[0]", "you take the first good size; the sizes come in any order."),
    (" / len(gaps) ** 0.5", "", "you allow a whole standard deviation; divide it by √n."),
    (" ** 0.5", "", "you divide by n; the standard error divides by √n."),
    ("<= stdev", "<= 2 * stdev", "you allow two standard errors; one is the rule."),
    ("<= stdev", "<= 0.5 * stdev", "you allow half a standard error; one is the rule."),
    ("<= stdev", "<= pstdev", "you divide by n inside; use `stdev`, for samples."),
    ("stdev(gaps)", "stdev(bits)", UNPAIRED),
    ("stdev(gaps)", "stdev(measured[best])", UNPAIRED),
    (PAIRS, "zip(sorted(bits), sorted(measured[best]))", "you sort, so that the pairs are no longer of the same text."),
    (
        "lambda size: sum",
        "lambda size: min",
        "you compare single texts; the best has the fewest bits of all texts together.",
    ),
]
REFUSED = [
    ("min(good)", "good", "The kind of the result is wrong"),
]
RIGHT = [
    ("sum(measured[size])", "mean(measured[size])"),
    """
def choose_vocab_size(measured):
    sizes = sorted(measured)
    table = np.array([measured[size] for size in sizes])
    gaps = table - table[table.mean(axis=1).argmin()]
    errors = gaps.std(axis=1, ddof=1) / np.sqrt(gaps.shape[1])
    return sizes[int(np.flatnonzero(gaps.mean(axis=1) <= errors)[0])]
""",
]

SWING = [-0.1, 0.1, -0.1, 0.1, -0.1, 0.1]  # its standard error over six texts: 0.0447


def cases(rng: Generator) -> list[tuple]:
    apart, close = [1.2, 2.6, 1.9, 1.5, 2.2, 3.1], [1.50, 1.52, 1.54, 1.49, 1.51, 1.53]

    def worse(base: list[float], by: float, swing: float = 1.0) -> list[float]:
        return [round(b + by + swing * s, 4) for b, s in zip(base, SWING, strict=True)]

    drawn = [round(float(x), 3) for x in rng.uniform(1.2, 2.8, 6)]
    steps = (0.01, 0.02, 0.03, 0.043, 0.05, 0.06, 0.092, 0.1, 0.12, 0.3)
    return [
        ({512: worse(apart, 0.02), 1024: apart, 2048: worse(apart, 0.3)},),
        ({2048: worse(apart, 0.01), 1024: apart, 512: worse(apart, 0.03), 256: worse(apart, 0.4)},),
        *(({1024: apart, 512: worse(apart, by)},) for by in steps),
        *(({512: worse(close, by), 4096: close},) for by in (0.02, 0.05, 0.2)),
        *(({4096: drawn, 256: worse(drawn, by, 0.2)},) for by in (0.006, 0.012, 0.02, 0.2)),
        ({1024: [1.0, 2.0, 3.0, 2.0], 512: [0.9, 2.4, 3.4, 2.4], 256: [1.5, 2.6, 3.5, 2.4]},),  # lowest is not best
        ({1024: [1.0, 2.0, 3.0, 4.0], 512: [2.0, 1.0, 4.1, 3.1]},),  # sorted, the pairs would be other pairs
        ({512: [1.2, 2.6, 1.9, 1.5], 1024: [1.3, 2.5, 2.0, 1.5]},),  # the best is the smallest
        ({4096: worse(apart, 0.03), 512: apart, 2048: worse(apart, 0.02)},),
        ({512: [2.0, 2.3], 256: [2.1, 2.2]},),
        ({300: [1.0, 1.5]},),
    ]


EXERCISE = Exercise(
    reference=choose_vocab_size,
    minutes=8,
    difficulty=2,
    hints=(
        "Some texts are hard for every vocabulary. What is left if you compare two vocabularies on the same text?",
        "Find the size with the fewest bits in all. For every size, take the differences to it, text by text. The "
        "size is as good if the mean of these differences is at most their `stdev` divided by √n. Take the smallest "
        "such size.",
        "`best = min(measured, key=…)` with the `sum` of its list as the key. Then a loop over `measured.items()`: the "
        "differences come from `zip` of the two lists, and a size that passes the test is appended to a list. Return "
        "the `min` of that list.",
    ),
    proves="sizes in any order, differences taken text by text, one standard error of them, the smallest that passes",
    properties=[Property("the choice is one of the sizes", lambda size, measured: size in measured)],
)
