"""choose_setting: the most varied of the settings whose perplexity keeps a limit, chance included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, pstdev, stdev

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def choose_setting(
    diversity: Mapping[str, float], perplexities: Mapping[str, Sequence[float]], limit: float
) -> str | None:
    """The most varied setting whose perplexity is at most `limit`, chance included; None where there is none.

    diversity: setting → its share of distinct pairs; perplexities: setting → one number a run, two or more.
    Chance included: the mean of the runs plus one standard error (sample deviation / √runs) is at most `limit`.
    """
    allowed = [name for name, runs in perplexities.items() if mean(runs) + stdev(runs) / len(runs) ** 0.5 <= limit]
    return max(allowed, key=lambda name: diversity[name], default=None)


HIGH = "mean(runs) + stdev(runs) / len(runs) ** 0.5"
BEST = "max(allowed, key=lambda name: diversity[name], default=None)"
HIGH_OF_NAME = HIGH.replace("runs", "perplexities[name]")
SLIPS = [
    (HIGH, "mean(runs)", "your limit holds for the mean alone; add one standard error."),
    ("+ stdev", "- stdev", "you subtract the standard error; add it, to be on the safe side."),
    ("+ stdev", "+ 2 * stdev", "you add two standard errors; add one."),
    (" ** 0.5", "", "you divide the deviation by the runs; divide it by √runs."),
    (
        "len(runs)",
        "(len(runs) - 1)",
        "the deviation was already divided by n − 1; divide it by √runs, not by √(runs − 1).",
    ),
    (HIGH, "max(runs)", "you hold every single run to the limit; the mean plus one standard error has to keep it."),
    (
        "perplexities.items()",
        "zip(diversity, perplexities.values())",
        "the two dicts may list settings in another order: look up by name.",
    ),
    (
        "diversity[name]",
        "mean(perplexities[name])",
        "you take the highest perplexity; take the most varied setting.",
    ),
    ("diversity[name]", HIGH_OF_NAME, "you take what is closest to the limit; take the most varied setting."),
    (BEST, "allowed[-1] if allowed else None", "you take the last allowed setting, not the most varied one."),
    (BEST, "max(allowed, default=None)", "you take the last name of the alphabet; compare diversities."),
    (
        "diversity[name]",
        "diversity[name] / mean(perplexities[name])",
        "you weigh diversity against perplexity; the limit has done that.",
    ),
    (" / len(runs) ** 0.5", "", "you add the deviation of one run; divide it by √runs."),
    ("stdev(runs)", "pstdev(runs)", "the deviation of a sample is divided by n − 1."),
    (
        [("max(", "min("), ("diversity[name]", "mean(perplexities[name])")],
        "you take the lowest perplexity; take the most varied setting.",
    ),
    ("max(", "min(", "you take the least varied setting."),
    (BEST, "allowed[0] if allowed else None", "you take the first allowed setting, not the most varied one."),
    (f" if {HIGH} <= limit", "", "the limit is ignored."),
    ("<= limit", "< limit", "a setting exactly at the limit is allowed."),
]
REFUSED = [(", default=None", "", "It stops with an error when called as")]
RIGHT = [
    """
def choose_setting(diversity, perplexities, limit):
    best = None
    for name, runs in perplexities.items():
        high = np.mean(runs) + np.std(runs, ddof=1) / np.sqrt(len(runs))
        if high <= limit and (best is None or diversity[name] > diversity[best]):
            best = name
    return best
""",
]


def cases(rng: Generator) -> list[tuple]:
    def spread(middle: float, width: float, n: int = 5) -> list[float]:
        return [round(float(x), 3) for x in rng.normal(middle, width, size=n)]

    names = ("greedy", "t=0.5", "t=1", "t=1.5")
    measured = {name: spread(5 * 2.0**i, 0.1 + i) for i, name in enumerate(names)}
    variety = dict(zip(names, (0.35, 0.55, 0.8, 0.97), strict=True))
    nine = [4.0, 4.0, 4.0, 4.0, 5.0, 6.0, 6.0, 6.0, 6.0]  # 5 ± 1/3; with the deviation of one run, 5 ± 1
    wide = {"steady": [9.0, 9.2, 8.8, 9.1], "lucky": [4.0, 4.0, 4.0, 24.0]}  # equal means, not equal chance
    return [
        (variety, measured, 15.0),
        (variety, measured, 30.0),
        (variety, measured, 1.0),
        (variety, measured, 1000.0),
        ({"steady": 0.6, "lucky": 0.9}, wide, 10.0),
        (
            {"x": 0.6, "y": 0.4, "z": 0.8, "w": 0.9},
            {"x": [3.0, 3.0], "y": [6.0, 6.0], "z": [8.0, 8.0], "w": [9.0, 9.0]},
            8.0,
        ),
        ({"a": 0.2, "b": 0.1}, {"a": [5.0, 7.0], "b": [2.0, 2.1]}, 6.9),  # 6 ± 1, and ± 0.7 with the wrong deviation
        ({"a": 0.2, "b": 0.1}, {"a": [5.0, 7.0], "b": [2.0, 2.1]}, 5.5),
        ({"a": 0.2, "b": 0.1}, {"a": [5.0, 6.0, 7.0, 6.0], "b": [2.0, 2.1, 1.9, 2.0]}, 6.6),  # 6 ± 0.4
        ({"a": 0.2, "b": 0.1}, {"a": [5.0, 7.0], "b": [2.0, 2.1]}, 7.2),  # √(n − 1) would make it 6 ± 1.4
        ({"wide": 0.9, "dull": 0.6}, {"wide": [5.0, 5.2], "dull": [9.0, 9.1]}, 10.0),  # varied and probable
        ({"dull": 0.6, "wide": 0.9, "odd": 0.7}, {"wide": [9.0, 9.2], "odd": [4.0, 4.1], "dull": [2.0, 2.1]}, 5.0),
        ({"a": 0.5, "b": 0.4}, {"a": [4.0, 5.0, 6.0, 5.0, 5.0], "b": [1.0, 1.1]}, 5.5),  # 5 ± 0.32, one run of 6
        *(({"a": 0.2, "b": 0.1}, {"a": nine, "b": [2.0, 2.1]}, limit) for limit in (5.2, 5.5, 5.8)),
        ({"p": 0.9, "q": 0.4, "r": 0.1}, {"p": [4.0, 4.1], "q": [2.0, 2.1], "r": [3.0, 3.1]}, 6.0),
        ({"m": 0.5, "n": 0.4, "o": 0.9}, {"m": [5.0, 5.1], "n": [4.0, 5.8], "o": [2.0, 2.1]}, 7.0),
        ({}, {}, 3.0),
    ]


EXERCISE = Exercise(
    minutes=4,
    difficulty=2,
    reference=choose_setting,
    hints=(
        "Two steps: which settings are allowed, and which of them is best?",
        "A setting is allowed if mean plus standard error of its perplexities is at most `limit`. Of those, take "
        "the one with the largest diversity.",
        "`statistics.mean` and `statistics.stdev` (n − 1) do the arithmetic; the standard error is the deviation "
        "over √n. Collect the allowed names in a list, and give `max` a key and `default=None`.",
    ),
    proves="the limit holds with chance included, and the most varied of what is allowed is taken",
)
