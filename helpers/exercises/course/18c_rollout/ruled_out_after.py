"""ruled_out_after: when may the share grow? A bet that the new version does not lose much has to be won first."""

from __future__ import annotations

import numpy as np  # noqa: F401 (answers use it)
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.old.serving.rollout import NotWorse


def ruled_out_after(pairs: list[tuple[bool, bool]], most_loss: float, alpha: float = 0.05) -> int | None:
    """After how many pairs a loss of `most_loss` is ruled out for the first time; None if it never is.

    pairs: for each, whether the new version was right, and whether the old one was. The gambler begins with a wealth
    of 1 and stakes half of what it has on each pair. It wins the stake if only the new version was right, and loses it
    if only the old one was. Besides, every pair brings `most_loss` times the stake. The loss is ruled out as soon as
    the wealth is at least 1 / alpha.
    """
    bet = NotWorse(most_loss, alpha)
    for number, (new, old) in enumerate(pairs, start=1):
        if bet.update(new, old):
            return number
    return None


ANSWER = """
def ruled_out_after(pairs, most_loss, alpha=0.05):
    wealth = 1.0
    for number, (new, old) in enumerate(pairs, start=1):
        difference = int(new) - int(old)
        wealth *= 1 + 0.5 * (difference + most_loss)
        if wealth >= 1 / alpha:
            return number
    return None
"""
SLIPS = [
    (
        "(difference + most_loss)",
        "difference",
        "`most_loss` is never used, so that only a version that is *better* may grow: each pair brings most_loss times "
        "the stake.",
    ),
    (
        "(difference + most_loss)",
        "(difference - most_loss)",
        "the sign of `most_loss`: a pair without a difference speaks for a version that does not lose.",
    ),
    (
        "int(new) - int(old)",
        "int(old) - int(new)",
        "this bets on the old version: the gambler wins if only the new one is right.",
    ),
    (
        "wealth *= 1 + 0.5 * (difference + most_loss)",
        "wealth += 0.5 * (difference + most_loss)",
        "wealth is multiplied: the stake is half of what the gambler has *now*.",
    ),
    ("1 + 0.5 *", "1 +", "the stake is half of the wealth, not all of it."),
    ("wealth >= 1 / alpha", "wealth >= alpha", "evidence grows with the wealth: compare it with 1 / alpha, here 20."),
    (
        "wealth >= 1 / alpha",
        "wealth >= 20",
        "20 is 1 / alpha for an alpha of 0.05 only: use the `alpha` that is given.",
    ),
    ("wealth >= 1 / alpha", "wealth > 1 / alpha", "a wealth of exactly 1 / alpha is enough."),
    ("start=1", "start=0", "it is one too few: after the first pair, one pair has been seen."),
    (
        "        difference = int(new) - int(old)\n",
        "        difference = int(new) - int(old)\n        if difference == 0:\n            continue\n",
        "pairs without a difference count here: they say that the new version does not lose.",
    ),
    (
        """
def ruled_out_after(pairs, most_loss, alpha=0.05):
    wealth = 1.0
    for new, old in pairs:
        wealth *= 1 + 0.5 * (int(new) - int(old) + most_loss)
    return len(pairs) if wealth >= 1 / alpha else None
""",
        "you look only once, at the end: the bet may be looked at after every pair, and the first time counts.",
    ),
]
REFUSED = [("            return number\n", "            return wealth\n", "")]
RIGHT = [
    """
def ruled_out_after(pairs, most_loss, alpha=0.05):
    differences = np.array([int(a) - int(b) for a, b in pairs], dtype=float)
    over = np.flatnonzero(np.cumprod(1 + (differences + most_loss) / 2) >= 1 / alpha - 1e-12)
    return int(over[0]) + 1 if len(over) else None
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = []
    for new in (0.5, 0.7, 0.9, 0.9, 0.95):
        pairs = [(bool(a), bool(b)) for a, b in zip(rng.random(120) < new, rng.random(120) < 0.5, strict=True)]
        drawn.append((pairs, float(rng.choice([0.05, 0.1, 0.2])), float(rng.choice([0.05, 0.1]))))
    only_new, neither, only_old = (True, False), (False, False), (False, True)
    return [
        ([only_new] * 6, 0.2, 0.25),  # 1.6 ** 3 = 4.1
        ([only_new] * 3, 1.0, 0.125),  # exactly 8
        ([only_old, neither, only_new] * 3, 0.1, 0.05),  # never
        ([neither] * 70, 0.1, 0.05),  # equal for long
        ([only_new] * 8 + [only_old] * 12, 0.1, 0.05),  # ruled out once, whatever comes later
        ([], 0.1, 0.05),
        *drawn,
    ]


EXERCISE = Exercise(
    reference=ruled_out_after,
    minutes=6,
    difficulty=2,
    hints=(
        "By what does the wealth change if only the new version was right, at a most_loss of 0.1? And if both were?",
        "Half of the wealth is staked. A pair brings the stake times the difference (1, 0 or -1), and most_loss times "
        "the stake besides: at 0.1, the wealth is multiplied by 1.55, 1.05 or 0.55.",
        "Begin with `wealth = 1.0`, and number the pairs from 1 on. For each pair, multiply it by "
        "1 + 0.5 · (new − old + most_loss), and return the number of "
        "pairs so far as soon as it is at least 1 / alpha. After the loop, return None.",
    ),
    proves="the bet wins and loses by the right factors, ties count, and the first pair that suffices is found",
)
