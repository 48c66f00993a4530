"""Is a difference between two systems more than luck? Tests of scores, of right and wrong answers, of many at once.

    permutation_test(new, old)                  # any score, both systems on the same items
    permutation_test(a, b, paired=False)        # two systems, each on items of its own
    mcnemar(new_right, old_right)               # right or wrong, on the same questions: only disagreements count
    holm([0.01, 0.04, 0.03])                    # many tests: not one false alarm among them, in 95 % of the cases
    benjamini_hochberg([0.01, 0.04, 0.03])      # many tests: at most 5 % of the alarms are false, on average

A p-value is the chance of a difference at least as large as the one seen if the two systems were equally good. It is
not the chance that they are equally good, and it does not say how large the difference is: `paired_bootstrap` does.
Each test here is for one look at a sample whose size was fixed beforehand; `sequential` has the one for many looks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from helpers.stats.checks import inside, paired_answers, plain, whole_numbers


@dataclass(frozen=True)
class McNemar:
    """Two systems on the same questions: who was right where, and what the disagreements say."""

    both: int
    only_a: int
    only_b: int
    neither: int
    p_value: float

    @property
    def difference(self) -> float:
        """Share of right answers of a, minus that of b."""
        return (self.only_a - self.only_b) / (self.both + self.only_a + self.only_b + self.neither)

    def __str__(self) -> str:
        return (
            f"{self.difference:+.1%} (only a right {self.only_a}, only b right {self.only_b}, p = {self.p_value:.3g})"
        )


def mcnemar(a: ArrayLike, b: ArrayLike) -> McNemar:
    """Exact test of two systems' right and wrong answers to the same questions.

    a, b: (n,) booleans or 0 and 1. Questions that both got right, or both wrong, say nothing about who is better. On
    the others, two equally good systems win by the toss of a coin, so p comes from the binomial distribution.
    Raises ValueError for scores that are neither 0 nor 1, NaN, no answers and unequal lengths.

    Q. McNemar (1947), exact form. Matches `statsmodels.stats.contingency_tables.mcnemar(table, exact=True)`.
    """
    first, second = paired_answers(a, b)
    only_a, only_b = int((first & ~second).sum()), int((second & ~first).sum())
    both, neither = int((first & second).sum()), int((~first & ~second).sum())
    return McNemar(both, only_a, only_b, neither, float(mcnemar_p_value(only_a, only_b)))


def mcnemar_p_value(only_a: ArrayLike, only_b: ArrayLike) -> NDArray | float:
    """The exact two-sided p-value from the two counts of disagreements: numbers or arrays that broadcast."""
    wins, losses = whole_numbers(only_a, "only_a"), whole_numbers(only_b, "only_b")
    if (wins < 0).any() or (losses < 0).any():
        raise ValueError("Counts cannot be negative.")
    return plain(np.minimum(1.0, 2 * binom.cdf(np.minimum(wins, losses), wins + losses, 0.5)))


def mcnemar_limit(disagreements: ArrayLike, alpha: float = 0.05) -> NDArray:
    """The most disagreements that the loser may win so that `mcnemar` still has p ≤ alpha; −1 where none will do.

    disagreements: whole numbers (n,)  →  whole numbers (n,). The table behind power and simulations.
    """
    n, half = whole_numbers(disagreements, "disagreements"), inside(alpha, "alpha", 0.05) / 2
    most = binom.ppf(half, n, 0.5)  # the first count at which the tail reaches half of alpha …
    return np.where(binom.cdf(most, n, 0.5) <= half, most, most - 1).astype(int)  # … and may pass it
