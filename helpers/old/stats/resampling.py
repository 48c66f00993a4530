"""Which rows a bootstrap draws: single ones, or whole groups of rows that belong together.

    bootstrap_groups(question_of, agreement)       # any statistic of rows, resampled question by question

Three pairs of answers to one question are hard or easy together, so they are closer to one observation than to three.
An interval that draws them one by one is too narrow; one that draws whole questions is not.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from helpers.stats.checks import tails, whole_numbers


def bootstrap_groups(
    groups: Sequence[Hashable],
    statistic: Callable[[NDArray], float],
    *,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int | np.random.Generator = 0,
) -> tuple[float, float]:
    """Percentile bootstrap over groups: the statistic is asked again for groups drawn with replacement, rows and all.

    groups: (n,) the group of each row, such as its question. `statistic` maps row numbers (some more than once) to one
    number: `lambda rows: kendalltau(metric[rows], rating[rows]).statistic`. Groups of one row each give the ordinary
    bootstrap. Raises ValueError for no rows and where the statistic is not one finite number.

    A. C. Davison and D. V. Hinkley (1997), chapter 3.
    """
    times = times_drawn(len(groups), groups, resamples, seed)
    rows = np.arange(len(groups))
    drawn = np.array([statistic(np.repeat(rows, row)) for row in times], dtype=float)
    if drawn.shape != (resamples,) or not np.isfinite(drawn).all():
        raise ValueError("The statistic is not one finite number for every resample, so it has no bootstrap interval.")
    low, high = np.quantile(drawn, tails(confidence))
    return float(low), float(high)


def times_drawn(n: int, groups: Sequence[Hashable] | None, resamples: int, seed: int | np.random.Generator) -> NDArray:
    """How often each of n rows is drawn in every resample: (resamples, n). Rows of one group are drawn together."""
    if whole_numbers(resamples, "resamples") < 1:
        raise ValueError(f"resamples must be 1 or more, not {resamples}.")
    group_of = group_numbers(groups, n)
    n_groups = int(group_of.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=resamples)
    return drawn[:, group_of]


def group_numbers(groups: Sequence[Hashable] | None, n: int) -> NDArray:
    """The groups of n rows as whole numbers from 0 (n,); None: each row is its own. Raises ValueError otherwise."""
    if groups is None:
        return np.arange(n)
    if len(groups) != n or not n:
        raise ValueError(
            f"Each of the {n} rows belongs to one group, at least one row; there are {len(groups)} groups."
        )
    names = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    return np.array([names[name] for name in groups])
