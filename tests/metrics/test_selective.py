"""Thresholds for "I do not know": the bound is the one of SciPy, and a threshold chosen by it keeps its promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from helpers.old.metrics import calibrate_threshold, risk_bound


@given(
    st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.8, 0.9, 0.95])
)
def test_the_bound_is_the_one_of_scipy(counts, confidence):
    wrong, n = counts
    theirs = binomtest(wrong, n, alternative="less").proportion_ci(confidence).high
    assert risk_bound(wrong, n, confidence) == pytest.approx(theirs, abs=1e-9)


def test_so_few_wrong_ones_are_rare_where_the_share_is_the_bound():
    assert binom.cdf(2, 20, risk_bound(2, 20, 0.9)) == pytest.approx(0.1, abs=1e-9)
    assert risk_bound([0, 4], [0, 4]).tolist() == [1, 1], "nothing is known, or all were wrong"


@pytest.mark.parametrize(("counts", "said"), [((3, 2, 0.9), "none to all"), ((1, 2, 1.0), "confidence lies between")])
def test_impossible_counts_are_refused(counts, said):
    with pytest.raises(ValueError, match=said):
        risk_bound(*counts)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.booleans()), min_size=1), st.floats(0, 1))
def test_of_all_thresholds_whose_bound_keeps_the_promise_the_lowest_is_chosen(rows, max_risk):
    sure, right = zip(*rows, strict=True)

    def keeps(threshold):
        given = [ok for confidence, ok in rows if confidence >= threshold]
        return risk_bound(given.count(False), len(given)) <= max_risk

    allowed = [t for t in set(sure) if keeps(t)]
    assert calibrate_threshold(sure, right, max_risk, confidence=0.9) == (min(allowed) if allowed else math.inf)


def test_a_promise_chosen_by_its_bound_is_kept_more_often_than_one_chosen_by_the_share():
    rng, kept = np.random.default_rng(0), {None: 0, 0.9: 0}

    def risk_above(threshold: float) -> float:  # of a score x, uniform in 0 to 1, that is right with probability x
        return 0.0 if threshold >= 1 else (1 - threshold) / 2

    for _ in range(200):
        sure = rng.random(100)
        right = rng.random(100) < sure
        for confidence in kept:
            kept[confidence] += risk_above(calibrate_threshold(sure, right, 0.2, confidence)) <= 0.2
    assert kept[None] < 130 and kept[0.9] > 165
