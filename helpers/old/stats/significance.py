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

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from helpers.old.stats.resampling import group_numbers
from helpers.stats.checks import finite_values, inside, paired_answers, paired_values, plain, whole_numbers

Alternative = Literal["two-sided", "greater", "less"]
BLOCK = 4_000_000  # permuted values held at once: 32 MB


@dataclass(frozen=True)
class PermutationTest:
    """How much larger `a` is than `b` on average, and how often shuffling gives as much."""

    difference: float  # mean(a) − mean(b)
    p_value: float
    permutations: int  # how many were compared
    exact: bool  # those are all there are

    def __str__(self) -> str:
        how = "all" if self.exact else "random"
        return f"{self.difference:+.3g} (p = {self.p_value:.3g}, {self.permutations:,} permutations, {how})"


def permutation_test(
    a: ArrayLike,
    b: ArrayLike,
    *,
    paired: bool = True,
    groups: Sequence[Hashable] | None = None,
    alternative: Alternative = "two-sided",
    permutations: int = 10_000,
    seed: int | np.random.Generator = 0,
) -> PermutationTest:
    """If the labels "a" and "b" meant nothing, how often would they differ as much as they do?

    a, b: (n,) and (m,) finite numbers or booleans. Paired, a[i] and b[i] are scores of the same item, and each pair is
    swapped or not; otherwise all n + m values are dealt out again. Every permutation is tried if there are at most
    `permutations` of them; otherwise that many random ones, and the one seen counts as one of them, so that p is
    never 0. groups: (n,) which pairs belong together, such as several answers about one document: they are swapped
    together. Raises ValueError for NaN, no values, unequal lengths of pairs, groups without pairs and an unknown
    alternative.

    R. A. Fisher (1935), E. J. G. Pitman (1937). Matches `scipy.stats.permutation_test` of the difference of means with
    `permutation_type="samples"` (paired) or `"independent"`, up to the random draws.
    """
    if whole_numbers(permutations, "permutations") < 1:
        raise ValueError(f"permutations must be 1 or more, not {permutations}.")
    if groups is not None and not paired:
        raise ValueError("groups are of pairs: without them every value is dealt out by itself.")
    if alternative not in ("two-sided", "greater", "less"):
        raise ValueError(f"alternative is 'two-sided', 'greater' or 'less', not {alternative!r}.")
    rng = np.random.default_rng(seed)

    if paired:
        first, second = paired_values(a, b)
        gaps = np.bincount(group_numbers(groups, len(first)), first - second)
        gaps = gaps[gaps != 0]  # swapping what is equal changes nothing
        exact, seen = 2 ** len(gaps) <= permutations, gaps.sum()
        shuffled = _all_signs(gaps) if exact else _random_signs(gaps, permutations, rng)
    else:
        first, second = finite_values(a, "a"), finite_values(b, "b")
        pool = np.concatenate([first, second])
        exact, seen = comb(len(pool), len(first)) <= permutations, first.sum()
        shuffled = _all_deals(pool, len(first)) if exact else _random_deals(pool, len(first), permutations, rng)

    # The mean difference grows with the sum that is compared here. What differs by rounding only is a tie.
    tie = 1e-12 * (np.abs(first).sum() + np.abs(second).sum())
    tried = at_least = at_most = 0 if exact else 1  # the permutation seen is one of the random ones
    for sums in shuffled:
        tried += len(sums)
        at_least += int((sums >= seen - tie).sum())
        at_most += int((sums <= seen + tie).sum())
    counts = {"greater": at_least, "less": at_most, "two-sided": 2 * min(at_least, at_most)}
    p_value = min(1.0, counts[alternative] / tried)
    return PermutationTest(float(first.mean() - second.mean()), p_value, tried if exact else tried - 1, exact)


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


def holm(p_values: ArrayLike) -> NDArray:
    """Adjusted p-values for many tests: rejecting those ≤ 0.05 makes a single false alarm in at most 5 % of cases.

    p_values: (m,) numbers in [0, 1], in any order, from any tests  →  (m,), in the same order. No p-values, none back.
    Raises ValueError for anything that is no p-value.

    S. Holm (1979). Matches `statsmodels.stats.multitest.multipletests(p, method="holm")[1]`.
    """
    p, order = _p_values(p_values)
    steps = np.arange(len(p), 0, -1)  # the smallest is multiplied by m, the next by m − 1, …
    adjusted = np.minimum(1.0, np.maximum.accumulate(p[order] * steps))
    return adjusted[np.argsort(order)]


def benjamini_hochberg(p_values: ArrayLike) -> NDArray:
    """Adjusted p-values for many tests: of those rejected at 0.05, at most 5 % are false alarms, on average.

    p_values: (m,) as for `holm`, from tests that are independent or positively dependent  →  (m,), in the same order.

    Y. Benjamini and Y. Hochberg (1995). Matches `scipy.stats.false_discovery_control(p)`.
    """
    p, order = _p_values(p_values)
    ranks = np.arange(1, len(p) + 1)
    scaled = p[order] * (len(p) / ranks)
    adjusted = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return adjusted[np.argsort(order)]


def _p_values(p_values: ArrayLike) -> tuple[NDArray, NDArray]:
    """(m,) p-values and the order from the smallest on."""
    p = np.asarray(p_values, dtype=float)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():  # NaN is neither
        raise ValueError("p-values are one list of numbers between 0 and 1, without NaN.")
    return p, np.argsort(p, kind="stable")


def _all_signs(gaps: NDArray) -> Iterator[NDArray]:
    """The sum of the gaps under every choice of signs: 2ⁿ sums."""
    choices = np.arange(2 ** len(gaps))
    swapped = (choices[:, None] >> np.arange(len(gaps))) & 1
    yield gaps.sum() - 2 * (swapped @ gaps)


def _random_signs(gaps: NDArray, permutations: int, rng: np.random.Generator) -> Iterator[NDArray]:
    for rows in _blocks(permutations, len(gaps)):
        swapped = rng.random((rows, len(gaps)), dtype=np.float32) < 0.5
        yield gaps.sum() - 2 * (swapped @ gaps)


def _all_deals(pool: NDArray, size: int) -> Iterator[NDArray]:
    """The sum of every group of `size` values."""
    yield pool[np.array(list(combinations(range(len(pool)), size)))].sum(axis=1)


def _random_deals(pool: NDArray, size: int, permutations: int, rng: np.random.Generator) -> Iterator[NDArray]:
    for rows in _blocks(permutations, len(pool)):
        yield rng.permuted(np.tile(pool, (rows, 1)), axis=1)[:, :size].sum(axis=1)


def _blocks(total: int, width: int) -> Iterator[int]:
    """How many rows of `width` values to hold at once, again and again, until there were `total`."""
    most = max(1, BLOCK // width)
    while total > 0:
        yield min(most, total)
        total -= most
