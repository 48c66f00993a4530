"""exponent_interval: a power law is a line in logarithms; how sure is its slope?"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from helpers.exercises.checking.spec import Exercise


def exponent_interval(x: NDArray, y: NDArray, draws: NDArray) -> tuple[float, float, float]:
    """The exponent of y = factor · x^exponent by least squares in logarithms, and its 95 % bootstrap interval.

    x, y: (n,) positive numbers. draws: (resamples, n) whole numbers; each row says which points a resample holds.
    Returns (exponent, low, high): low and high are the 2.5 % and 97.5 % quantiles over the resamples.
    """
    across, up = np.log(x), np.log(y)
    found = [np.polyfit(across[rows], up[rows], 1)[0] for rows in draws]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(np.polyfit(across, up, 1)[0]), float(low), float(high)


ANSWER = """
def exponent_interval(x, y, draws):
    def slope(rows):
        return np.polyfit(np.log(x[rows]), np.log(y[rows]), 1)[0]

    everything = np.arange(len(x))
    found = [slope(rows) for rows in draws]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(slope(everything)), float(low), float(high)
"""
SLIPS = [
    (
        "np.polyfit(np.log(x[rows]), np.log(y[rows]), 1)",
        "np.polyfit(x[rows], y[rows], 1)",
        "a power law is a straight line only in logarithms: take those of x and of y.",
    ),
    ("np.log(x[rows]), np.log(y[rows])", "np.log(x[rows]), y[rows]", "y stays as it is: take its logarithm, too."),
    ("np.log(x[rows]), np.log(y[rows])", "x[rows], np.log(y[rows])", "x stays as it is: take its logarithm, too."),
    (
        "np.log(x[rows]), np.log(y[rows])",
        "np.log(y[rows]), np.log(x[rows])",
        "x and y are exchanged: `np.polyfit` takes x first.",
    ),
    (
        "np.log(x[rows]), np.log(y[rows])",
        "np.log(x[rows]), np.log(y[everything])",
        "x and y are drawn apart: a point keeps its y when it is drawn.",
    ),
    ("1)[0]", "1)[1]", "that is where the line starts: its slope is the first of the two numbers."),
    ("[0.025, 0.975]", "[0.05, 0.95]", "those quantiles leave out 10 %: 95 % lie between 2.5 % and 97.5 %."),
    ("[0.025, 0.975]", "[0, 1]", "the extremes depend on how often you draw: take the quantiles 2.5 % and 97.5 %."),
    (
        "    low, high = np.quantile(found, [0.025, 0.975])\n",
        "    low, high = np.mean(found) - 1.96 * np.std(found) / len(found) ** 0.5, "
        "np.mean(found) + 1.96 * np.std(found) / len(found) ** 0.5\n",
        "divided by the root of the number of resamples, the interval shrinks as you draw more: their quantiles do "
        "not.",
    ),
    (
        "    low, high = np.quantile(found, [0.025, 0.975])\n",
        "    low, high = slope(everything) - 1.96 * np.std(found), slope(everything) + 1.96 * np.std(found)\n",
        "you take 1.96 deviations to both sides, as if the resamples were symmetric: take their quantiles.",
    ),
    (
        "float(slope(everything))",
        "float(np.mean(found))",
        "the exponent itself comes from all points, each once; the resamples only tell how far it may move.",
    ),
]
RIGHT = [
    """
def exponent_interval(x, y, draws):
    logs = np.log(np.stack([x, y]))

    def slope(points):
        a, b = points - points.mean(axis=1, keepdims=True)
        return (a * b).sum() / (a * a).sum()

    found = np.array([slope(logs[:, rows]) for rows in draws])
    return slope(logs), np.percentile(found, 2.5), np.percentile(found, 97.5)
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = []
    for n, exponent in ((5, 0.5), (8, -0.3), (6, 0.73), (12, 0.12), (7, 1.4)):
        x = np.exp(rng.uniform(1, 9, size=n))
        y = float(rng.uniform(0.5, 4)) * x**exponent * np.exp(0.1 * rng.standard_normal(n))
        rows = [row for row in rng.integers(n, size=(60, n)) if len(set(row)) > 2]
        drawn.append((x, y, np.array(rows)))
    return drawn


EXERCISE = Exercise(
    reference=exponent_interval,
    minutes=7,
    difficulty=2,
    hints=(
        "If y = 3 · x², what is log y, as a function of log x? What kind of curve is that?",
        "`np.polyfit(a, b, 1)` gives slope and start of the line through points (a, b). Use it for all points, and for "
        "the points of each row of `draws`.",
        "The slope of log y against log x is the exponent. Collect the slopes of `x[rows], y[rows]` for all rows, and "
        "take two quantiles of them with `np.quantile`. The exponent itself comes from all points.",
    ),
    proves="it finds the exponent from all points, and the interval from resamples of whole points",
)
