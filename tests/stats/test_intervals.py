"""Intervals: against scipy, by worked cases, by simulation, and with input that cannot be."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from helpers.stats import (
    PairedDifference,
    bootstrap,
    bootstrap_ratio,
    coverage,
    gain_interval,
    paired_bootstrap,
    wald,
    wilson,
)

COUNTS = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
CONFIDENCES = st.floats(0.01, 0.999)
NAN = float("nan")


@given(COUNTS, CONFIDENCES)
def test_wilson_is_scipys(counts, confidence):
    theirs = scipy.stats.binomtest(*counts).proportion_ci(confidence, method="wilson")
    assert wilson(*counts, confidence) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(COUNTS, CONFIDENCES)
def test_wilson_lies_in_zero_to_one_and_holds_the_share(counts, confidence):
    low, high = wilson(*counts, confidence)
    assert 0 <= low <= counts[0] / counts[1] <= high <= 1 and low < high


def test_a_worked_case():
    """15 of 20: z² = 3.8415; middle 16.9207 / 23.8415 = 0.7097; reach 1.96 · √(3.75 + 0.9604) / 23.8415 = 0.1784."""
    assert wilson(15, 20) == pytest.approx((0.5313, 0.8881), abs=1e-4)
    assert wald(15, 20) == pytest.approx((0.75 - 0.18977, 0.75 + 0.18977), abs=1e-4)


def test_exact_ends_at_accuracy_0_and_1():
    assert wilson(0, 10)[0] == 0.0 and wilson(10, 10)[1] == 1.0
    assert wilson(0, 10)[1] == pytest.approx(0.2775, abs=1e-4)
    assert wald(0, 10) == (0.0, 0.0) and wald(10, 10) == (1.0, 1.0)


def test_without_a_trial_nothing_is_known():
    assert wilson(0, 0) == (0.0, 1.0) == wald(0, 0)


@pytest.mark.parametrize("interval", [wilson, wald])
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((11, 10), "more successes than trials: 11 of 10"),
        (([1, 4], [2, 3]), "more successes than trials: 4 of 3"),
        ((-1, 10), "cannot be negative"),
        ((0.5, 10), "successes must be whole numbers, not 0.5"),
        ((NAN, 10), "successes must be whole numbers, not nan"),
        ((1, float("inf")), "trials must be whole numbers, not inf"),
        ((1, 2, 0), "confidence lies between 0 and 1, as in 0.95, not 0"),
        ((1, 2, 1), "confidence lies between 0 and 1"),
        ((1, 2, 95), "confidence lies between 0 and 1"),
        ((1, 2, NAN), "confidence lies between 0 and 1"),
        (("many", 2), "successes must be whole numbers, not 'many'"),
        (([1, 2], [3, 3, 3]), "do not go together"),
    ],
)
def test_impossible_counts_give_one_sentence(interval, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        interval(*arguments)


# Bootstrap -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statistic", [np.mean, np.std, np.var])
def test_bootstrap_is_scipys_percentile_interval(statistic):
    """Both draw 20,000 resamples; an end then wavers by about 1 % of the interval's width, and 5 % is asked for."""
    values = np.random.default_rng(1).gamma(2.0, size=60)
    ours = bootstrap(values, statistic, resamples=20_000, seed=2)
    theirs = scipy.stats.bootstrap(
        (values,), statistic, n_resamples=20_000, method="percentile", rng=np.random.default_rng(3)
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.05 * (theirs.high - theirs.low))


@pytest.mark.parametrize(
    ("values", "options", "sentence"),
    [
        ([], {}, "values is empty"),
        ([1.0, NAN], {}, "values holds 1 NaN or infinite"),
        ([1.0, float("inf"), NAN], {}, "values holds 2 NaN or infinite"),
        ([[1.0, 2.0]], {}, "one list of numbers, not an array of shape"),
        (3.0, {}, "one list of numbers"),
        (["a"], {}, "must be a list of numbers"),
        ([1, 2], {"confidence": 1.0}, "confidence lies between"),
        ([1, 2], {"resamples": 0}, "resamples must be 1 or more"),
        ([1, 2], {"statistic": np.cumsum}, "gives one number"),
        ([1, 2], {"statistic": lambda row: NAN}, "not a finite number for every resample"),
    ],
)
def test_what_cannot_be_resampled_gives_one_sentence(values, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        bootstrap(values, **options)


# Pairs ---------------------------------------------------------------------------------------------------------------


def test_pairs_are_the_bootstrap_of_their_differences():
    rng = np.random.default_rng(0)
    a, b = rng.random(80) < 0.7, rng.random(80) < 0.5
    found = paired_bootstrap(a, b)
    assert (found.low, found.high) == bootstrap(a.astype(float) - b.astype(float))
    assert found.difference == pytest.approx(a.mean() - b.mean())


def test_a_system_against_itself_is_never_larger():
    assert paired_bootstrap([1, 0, 1], [1, 0, 1]) == PairedDifference(0.0, 0.0, 0.0, 1.0)


# Coverage ------------------------------------------------------------------------------------------------------------


def test_wilson_keeps_its_promise_and_the_naive_interval_does_not_near_one():
    p = np.linspace(0.5, 0.995, 100)
    assert 0.94 < coverage(wilson, p, 50).mean() < 0.96
    assert coverage(wald, 0.98, 50) < 0.7 < 0.9 < coverage(wilson, 0.98, 50)


def test_the_interval_of_a_ratio_is_scipys():
    rng = np.random.default_rng(3)
    b = rng.integers(10, 60, size=24).astype(float)
    a = 2.5 * b + rng.normal(0, 8, size=24)
    theirs = scipy.stats.bootstrap(
        (a, b),
        lambda x, y, axis: x.sum(axis) / y.sum(axis),
        paired=True,
        method="percentile",
        n_resamples=20_000,
        rng=1,
    ).confidence_interval
    ours = bootstrap_ratio(a, b, resamples=20_000)
    width = theirs.high - theirs.low
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.04 * width)  # Monte-Carlo error of both
    assert ours[0] < a.sum() / b.sum() < ours[1]


GAINS = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=1, max_size=60)


@given(GAINS, CONFIDENCES)
def test_an_interval_of_gains_holds_their_mean_and_its_mirror_image_is_that_of_losses(gains, confidence):
    low, high = gain_interval(gains, confidence)
    assert -1 <= low and high <= 1 and low - 1e-12 <= np.mean(gains) <= high + 1e-12
    assert gain_interval([-gain for gain in gains], confidence) == pytest.approx((-high, -low), abs=1e-12)


@given(st.integers(1, 500), CONFIDENCES)
def test_where_nothing_changed_the_interval_of_gains_is_wilsons(n, confidence):
    reach = wilson(0, n, confidence)[1]
    assert gain_interval(np.zeros(n), confidence) == pytest.approx((-reach, reach), abs=1e-12)


@pytest.mark.parametrize("n", [12, 29, 75])
@pytest.mark.parametrize(("better", "worse"), [(0.0, 0.05), (0.02, 0.02), (0.2, 0.1), (0.4, 0.4)])
def test_the_interval_of_gains_keeps_its_promise_for_few_items(n, better, worse):
    gains = np.random.default_rng(0).choice([1, 0, -1], p=[better, 1 - better - worse, worse], size=(2000, n))
    held = [low <= better - worse <= high for low, high in map(gain_interval, gains)]
    assert np.mean(held) > 0.935  # 95 %, three standard errors below
