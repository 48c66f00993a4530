"""Significance tests: against scipy and statsmodels, by worked cases, by simulation, and with input that cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from helpers.old.stats import mcnemar, mcnemar_limit, mcnemar_p_value

NAN = float("nan")
ALTERNATIVES = ("two-sided", "greater", "less")


def mean_gap(x, y, axis=-1):
    return x.mean(axis=axis) - y.mean(axis=axis)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 9), st.integers(0, 9))
def test_mcnemar_is_statsmodels(only_a, only_b, both, neither):
    a = np.repeat([True, False, True, False], [only_a, only_b, both, neither])
    b = np.repeat([False, True, True, False], [only_a, only_b, both, neither])
    if not len(a):
        return
    ours = mcnemar(a, b)
    assert (ours.both, ours.only_a, ours.only_b, ours.neither) == (both, only_a, only_b, neither)
    assert ours.difference == pytest.approx(a.mean() - b.mean())
    theirs = statsmodels_mcnemar([[both, only_a], [only_b, neither]], exact=True).pvalue
    assert ours.p_value == pytest.approx(1 if only_a + only_b == 0 else theirs, abs=1e-12)


def test_mcnemar_by_hand():
    """Six disagreements, all won by a: both tails of six tosses, 2 / 64. Answers that agree change nothing."""
    a, b = [1] * 6 + [1, 0] * 50, [0] * 6 + [1, 0] * 50
    assert mcnemar(a, b).p_value == pytest.approx(2 / 64)
    assert str(mcnemar(a, b)) == "+5.7% (only a right 6, only b right 0, p = 0.0312)"


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.0625, 0.5])  # 0.0625 is met exactly by 5 of 5
def test_the_limit_is_the_last_count_that_rejects(alpha):
    n = np.arange(200)
    limit = mcnemar_limit(n, alpha)
    assert (limit < n / 2).all()
    some = limit >= 0
    assert (mcnemar_p_value(limit[some], (n - limit)[some]) <= alpha).all()
    assert (mcnemar_p_value(limit + 1, np.maximum(n - limit - 1, limit + 1)) > alpha).all()
    assert some.argmax() == np.ceil(np.log2(2 / alpha))  # so few can never reject


P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)
