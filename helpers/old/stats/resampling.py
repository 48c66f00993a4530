"""Which rows a bootstrap draws: single ones, or whole groups of rows that belong together.

    bootstrap_groups(question_of, agreement)       # any statistic of rows, resampled question by question

Three pairs of answers to one question are hard or easy together, so they are closer to one observation than to three.
An interval that draws them one by one is too narrow; one that draws whole questions is not.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from helpers.stats.checks import whole_numbers


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
