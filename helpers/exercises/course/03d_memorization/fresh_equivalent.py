"""fresh_equivalent: a text read again and again; how much fresh text would have led to the same loss?"""

from __future__ import annotations

import math

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def fresh_equivalent(fresh: dict[int, float], loss: float) -> float:
    """How many characters of fresh text lead to this loss.

    fresh: for each number of characters read once, in rising order, the loss on held-out text, falling. Between two
    numbers the loss is read off a straight line over the logarithm of the characters. A loss above the first or below
    the last one was not measured: then the nearest number of characters is returned.
    """
    points = list(fresh.items())
    if loss >= points[0][1]:
        return float(points[0][0])
    for (few, high), (many, low) in zip(points, points[1:], strict=False):
        if low <= loss <= high:
            share = (high - loss) / (high - low)
            return math.exp(math.log(few) + share * (math.log(many) - math.log(few)))
    return float(points[-1][0])


ANSWER = """
def fresh_equivalent(fresh, loss):
    sizes, losses = list(fresh), list(fresh.values())
    loss = min(max(loss, losses[-1]), losses[0])
    for few, many in zip(sizes, sizes[1:]):
        high, low = fresh[few], fresh[many]
        if low <= loss <= high:
            share = (high - loss) / (high - low)
            return few * (many / few) ** share
"""
SLIPS = [
    (
        "few * (many / few) ** share",
        "few + (many - few) * share",
        "the line is straight over the logarithm of the characters: go up by a factor, not by a sum.",
    ),
    (
        "(high - loss) / (high - low)",
        "(loss - low) / (high - low)",
        "you go the wrong way along the line: the lower the loss, the more characters.",
    ),
    (
        "return few * (many / few) ** share",
        "return few",
        "this is the next smaller number of characters: go on along the line between the two.",
    ),
    (
        "return few * (many / few) ** share",
        "return many if share > 0.5 else few",
        "this is the nearest measured number of characters: read off the line between the two.",
    ),
]
REFUSED = [
    ("    loss = min(max(loss, losses[-1]), losses[0])\n", "", "It returns None for"),
    ("low <= loss <= high", "high <= loss <= low", "It returns None"),
]
RIGHT = [
    """
def fresh_equivalent(fresh, loss):
    import numpy as np

    sizes, losses = np.log(list(fresh)), np.array(list(fresh.values()))
    return float(np.exp(np.interp(-loss, -losses, sizes)))
""",
]


def cases(rng: Generator) -> list[tuple]:
    sizes = [65_536 * 2**k for k in range(6)]
    drawn = []
    for _ in range(5):
        losses = 2.6 - rng.uniform(0.08, 0.2, size=6).cumsum()
        table = {size: round(float(loss), 4) for size, loss in zip(sizes, losses, strict=True)}
        drawn.append((table, round(float(rng.uniform(losses[-1], losses[0])), 4)))
    table = {1000: 3.0, 4000: 2.0, 16000: 1.5}
    return [(table, 2.5), (table, 1.75), (table, 2.0), (table, 3.4), (table, 1.0), (table, 1.5), *drawn]


EXERCISE = Exercise(
    reference=fresh_equivalent,
    minutes=5,
    difficulty=2,
    hints=(
        "Between which two measured losses does the loss lie?",
        "Find the two neighbors. Which share of the way from the higher loss to the lower one has been gone? Go the "
        "same share of the way from few to many characters, in logarithms.",
        "A share s of the way from a to b in logarithms is a times (b / a) to the power of s. Before you search, bring "
        "the loss between the last and the first measured one. `np.interp` works, too, if its x rise.",
    ),
    proves="it reads off the line between two measured losses, in logarithms, and stays within what was measured",
    tolerance=1e-4,
)
