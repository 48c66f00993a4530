"""choose_setting: the least surprising of the settings that repeat little enough, chance included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, pstdev, stdev

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def choose_setting(
    perplexity: Mapping[str, float], distinct: Mapping[str, Sequence[float]], at_least: float
) -> str | None:
    """The setting of lowest perplexity whose distinct pairs reach `at_least`, chance included; None if there is none.

    perplexity: setting → its perplexity; distinct: setting → its share of distinct pairs in each run, two or more.
    Chance included: the mean of the runs minus one standard error (sample deviation / √runs) is at least `at_least`.
    """
    allowed = [name for name, runs in distinct.items() if mean(runs) - stdev(runs) / len(runs) ** 0.5 >= at_least]
    return min(allowed, key=lambda name: perplexity[name], default=None)


LOW = "mean(runs) - stdev(runs) / len(runs) ** 0.5"
BEST = "min(allowed, key=lambda name: perplexity[name], default=None)"
LOW_OF_NAME = LOW.replace("runs", "distinct[name]")
SLIPS = [
    (LOW, "mean(runs)", "your limit holds for the mean alone; subtract one standard error."),
    ("- stdev", "+ stdev", "you add the standard error; subtract it, to be on the safe side."),
    ("- stdev", "- 2 * stdev", "you subtract two standard errors; subtract one."),
    (" ** 0.5", "", "you divide the deviation by the runs; divide it by √runs."),
    ("len(runs) ** 0.5", "2", "you divide by √4, but the runs need not be four: divide by √runs."),
    (
        "len(runs)",
        "(len(runs) - 1)",
        "the deviation was already divided by n − 1; divide it by √runs, not by √(runs − 1).",
    ),
    (LOW, "min(runs)", "you hold every single run to the limit; the mean minus one standard error has to keep it."),
    (
        "distinct.items()",
        "zip(perplexity, distinct.values())",
        "the two dicts may list settings in another order: look up by name.",
    ),
    (
        "perplexity[name]",
        "mean(distinct[name])",
        "you take the least varied of what is allowed; take the lowest perplexity.",
    ),
    ("perplexity[name]", LOW_OF_NAME, "you take what is closest to the limit; take the lowest perplexity."),
    (BEST, "allowed[-1] if allowed else None", "you take the last allowed setting, not the least surprising one."),
    (BEST, "min(allowed, default=None)", "you take the first name of the alphabet; compare perplexities."),
    (
        "perplexity[name]",
        "perplexity[name] / mean(distinct[name])",
        "you weigh perplexity against variety; the limit has done that.",
    ),
    (" / len(runs) ** 0.5", "", "you subtract the deviation of one run; divide it by √runs."),
    ("stdev(runs)", "pstdev(runs)", "the deviation of a sample is divided by n − 1."),
    (
        [("min(", "max("), ("perplexity[name]", "mean(distinct[name])")],
        "you take the most varied setting; take the one with the lowest perplexity.",
    ),
    ("min(", "max(", "you take the highest perplexity; take the lowest."),
    (BEST, "allowed[0] if allowed else None", "you take the first allowed setting, not the least surprising one."),
    (f" if {LOW} >= at_least", "", "the limit is ignored."),
    (">= at_least", "> at_least", "a setting exactly at the limit is allowed."),
]
REFUSED = [
    (", default=None", "", "It stops with an error when called as"),
    (BEST, "min((perplexity[name] for name in allowed), default=None)", "The kind of the result"),
]
RIGHT = [
    """
def choose_setting(perplexity, distinct, at_least):
    best = None
    for name, runs in distinct.items():
        low = np.mean(runs) - np.std(runs, ddof=1) / np.sqrt(len(runs))
        if low >= at_least and (best is None or perplexity[name] < perplexity[best]):
            best = name
    return best
""",
]


def cases(rng: Generator) -> list[tuple]:
    def spread(middle: float, width: float, n: int = 5) -> list[float]:
        return [round(float(x), 3) for x in rng.normal(middle, width, size=n)]

    names = ("t=1.5", "t=1", "t=0.5", "greedy")
    measured = {name: spread(0.95 - 0.18 * i, 0.01 + 0.02 * i) for i, name in enumerate(names)}
    surprise = dict(zip(names, (300.0, 20.0, 4.0, 2.0), strict=True))
    nine = [0.6, 0.6, 0.6, 0.6, 0.5, 0.4, 0.4, 0.4, 0.4]  # 0.5 ± 0.033; with the deviation of one run, ± 0.1
    wide = {"steady": [0.6, 0.62, 0.58, 0.61], "lucky": [0.95, 0.95, 0.95, 0.1]}  # means alike, not in their chance
    pair = {"a": 2.0, "b": 9.0}
    varied = [0.98, 0.97]
    return [
        (surprise, measured, 0.7),
        (surprise, measured, 0.5),
        (surprise, measured, 0.99),
        (surprise, measured, 0.0),
        ({"steady": 6.0, "lucky": 3.0}, wide, 0.57),
        (
            {"x": 4.0, "y": 6.0, "z": 3.0, "w": 2.0},
            {"x": [0.75, 0.75], "y": [0.875, 0.875], "z": [0.5, 0.5], "w": [0.25, 0.25]},
            0.5,
        ),
        (pair, {"a": [0.4, 0.6], "b": varied}, 0.41),  # 0.5 ± 0.1, and ± 0.07 with the wrong deviation
        (pair, {"a": [0.4, 0.6], "b": varied}, 0.45),
        (pair, {"a": [0.4, 0.5, 0.6, 0.5], "b": [0.9, 0.91, 0.92, 0.9]}, 0.44),  # 0.5 ± 0.04
        (pair, {"a": [0.4, 0.6], "b": varied}, 0.38),  # √(n − 1) would make it 0.5 ± 0.14
        ({"dear": 9.0, "cheap": 2.0}, {"cheap": [0.9, 0.91], "dear": [0.6, 0.61]}, 0.5),  # varied and probable
        (
            {"dear": 6.0, "cheap": 2.0, "odd": 5.0},
            {"cheap": [0.4, 0.41], "odd": [0.7, 0.71], "dear": [0.9, 0.91]},
            0.65,
        ),
        (pair, {"a": [0.4, 0.6], "b": varied}, 0.55),  # the mean is below
        (pair, {"a": [0.6, 0.5, 0.4, 0.5, 0.5], "b": varied}, 0.45),  # 0.5 ± 0.032, and one run of 0.4
        (pair, {"a": [0.6, 0.5, 0.4, 0.5, 0.5], "b": varied}, 0.47),  # ± 0.028 with the wrong deviation
        *((pair, {"a": nine, "b": varied}, limit) for limit in (0.48, 0.45, 0.42)),
        ({"p": 2.0, "q": 5.0, "r": 8.0}, {"p": [0.6, 0.61], "q": [0.8, 0.81], "r": [0.7, 0.71]}, 0.5),
        ({"m": 5.0, "n": 6.0, "o": 2.0}, {"m": [0.6, 0.61], "n": [0.5, 0.74], "o": [0.8, 0.81]}, 0.4),
        ({}, {}, 0.5),
    ]


EXERCISE = Exercise(
    minutes=4,
    difficulty=2,
    reference=choose_setting,
    hints=(
        "Two steps: which settings are allowed, and which of them is best?",
        "A setting is allowed if mean minus standard error of its distinct pairs is at least `at_least`. Of those, "
        "take the one with the lowest perplexity.",
        "`statistics.mean` and `statistics.stdev` (n − 1) do the arithmetic; the standard error is the deviation "
        "over √n. Collect the allowed names in a list, and give `min` a key and `default=None`.",
    ),
    proves="the limit holds with chance included, and the least surprising of what is allowed is taken",
)
