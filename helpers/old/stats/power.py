"""How many questions does it take to tell two shares of right answers apart? To be asked before measuring.

    sample_size(0.70, 0.73)                           # 3,554 questions for each system, if each answers its own
    sample_size(0.70, 0.73, discordance=0.15)         # 1,362 if both answer the same and disagree on 15 % of them
    power_of_shares(0.70, 0.73, 200, discordance=0.15)    # the chance to find it with 200 questions
    smallest_effect(0.70, 200, discordance=0.15)      # what 200 questions can find

The power is the chance that a test has p ≤ alpha if the true shares are as you say. The discordance is the share of
questions that exactly one of the two systems gets right: small for two versions of one system, and, for systems that
have nothing to do with each other, p(1 − q) + q(1 − p). Estimate it on a few dozen questions before you plan.

What it does not do: tell the power of a test from its own result (that only says the p-value again).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom, norm

from helpers.old.stats.significance import mcnemar_limit
from helpers.stats.checks import inside, plain, require_shares, whole_numbers

MOST = 10_000_000  # questions: nobody asks more


def power_of_shares(
    first: float, second: float, n: ArrayLike, *, discordance: float | None = None, alpha: float = 0.05
) -> NDArray | float:
    """Chance that a two-sided test finds the difference between two true shares of right answers.

    first, second: shares in [0, 1]; n: questions for each system, a whole number or an array of them  →  like n.
    Without `discordance` each system answers n questions of its own, and the test is that of two proportions (normal
    approximation, pooled under the null; J. L. Fleiss and others, 2003; matches
    `statsmodels.stats.proportion.power_proportions_2indep`). With it, both answer the same n questions, and the test is
    the exact one of McNemar, whose power is summed over all numbers of disagreements (no approximation).
    Raises ValueError for shares outside [0, 1], n below 1, and a discordance that these shares cannot have.
    """
    require_shares(first, second, discordance)
    inside(alpha, "alpha", 0.05)
    sizes = whole_numbers(n, "n")
    if (sizes < 1).any():
        raise ValueError("n is a number of questions, 1 or more.")
    if discordance is None:
        return plain(_two_samples(first, second, sizes, alpha))
    powers = [_one_sample(first - second, discordance, int(size), alpha) for size in sizes.flat]
    return plain(np.array(powers).reshape(sizes.shape))


def sample_size(first: float, second: float, *, discordance: float | None = None, power: float = 0.8) -> int:
    """How many questions (for each system) `power_of_shares` needs to reach `power`: with one fewer it does not.

    Raises ValueError for equal shares, for more than ten million questions, and like `power_of_shares`.
    """
    require_shares(first, second, discordance)
    inside(power, "power", 0.8)
    if first == second:
        raise ValueError("No number of questions tells two equal shares apart.")

    def enough(n: int) -> bool:
        return power_of_shares(first, second, n, discordance=discordance, alpha=0.05) >= power

    high = 1
    while not enough(high):
        high *= 2
        if high > MOST:
            raise ValueError(f"To tell {first:.2%} from {second:.2%} takes more than {MOST:,} questions.")
    low = high // 2  # not enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _two_samples(first: float, second: float, n: NDArray, alpha: float) -> NDArray:
    z = norm.isf(alpha / 2)
    pooled, gap = (first + second) / 2, abs(first - second)
    error = np.sqrt(2 * pooled * (1 - pooled) / n)  # of the difference, if both had the pooled share
    true_error = np.sqrt((first * (1 - first) + second * (1 - second)) / n)
    with np.errstate(divide="ignore", invalid="ignore"):  # shares of 0 and 1 do not vary at all
        found = norm.sf((z * error - gap) / true_error) + norm.cdf((-z * error - gap) / true_error)
    return np.where(true_error > 0, found, (gap > z * error).astype(float))


def _one_sample(gap: float, discordance: float, n: int, alpha: float) -> float:
    if discordance == 0:
        return 0.0
    low, high = binom.ppf([1e-12, 1 - 1e-12], n, discordance)
    disagreements = np.arange(low, high + 1)
    chance = binom.pmf(disagreements, n, discordance)
    limit = mcnemar_limit(disagreements, alpha)
    wins = np.clip((1 + gap / discordance) / 2, 0, 1)  # the share of disagreements that the first system wins
    found = binom.cdf(limit, disagreements, wins) + binom.sf(disagreements - limit - 1, disagreements, wins)
    return float(chance @ found)
