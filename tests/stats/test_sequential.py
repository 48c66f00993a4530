"""Looking often: false alarms by simulation and exactly, power, the bookkeeping of the test, and impossible input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, binom

from helpers.old.stats import (
    Peeking,
    SequentialTest,
    e_value_limit,
    log_e_value,
    mcnemar_limit,
    mcnemar_p_value,
    power_of_shares,
    simulate_peeking,
)

PRIORS = (0.5, 1.0, 10.0)
COUNTS = st.integers(0, 200)


@pytest.fixture(scope="module")
def equal() -> Peeking:
    """4,000 A/B tests of two systems that are equally good, 2,000 questions each, a look after every one."""
    return simulate_peeking(0.7, 0.7, discordance=0.15, questions=2000, experiments=4000)


def test_peeking_at_p_cries_wolf_and_the_e_value_does_not(equal):
    assert equal.naive[-1] > 0.2  # five times and more of what was promised
    assert equal.sequential[-1] <= 0.05
    assert equal.one_look <= binom.ppf(0.999, 4000, 0.05) / 4000  # the promise of a single look is kept


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize(("share", "discordance"), [(0.5, 1.0), (0.9, 0.02), (0.5, 0.4)])
def test_false_alarms_stay_below_alpha_for_any_prior_and_discordance(prior, share, discordance):
    found = simulate_peeking(
        share, share, discordance=discordance, prior=prior, questions=1000, experiments=2000, seed=1
    )
    assert found.sequential[-1] <= 0.05


@pytest.mark.parametrize("prior", PRIORS)
def test_false_alarms_exactly(prior):
    """No simulation: the probability of every number of wins without an alarm so far, disagreement by disagreement."""
    calm, alarms = np.array([1.0]), 0.0
    for n in range(1, 1001):
        calm = (np.append(calm, 0) + np.append(0, calm)) / 2
        wins = np.arange(n + 1)
        rejects = np.asarray(log_e_value(wins, n - wins, prior=prior)) >= np.log(20)
        alarms += calm[rejects].sum()
        calm[rejects] = 0
    assert alarms + calm.sum() == pytest.approx(1) and 0.001 < alarms <= 0.05


@pytest.mark.parametrize("prior", PRIORS)
def test_the_e_value_is_a_martingale(prior):
    """Under the null, the mean of the next e-value is this one, and that of all of them 1."""
    now = np.exp(log_e_value(7, 4, prior=prior))
    after = np.exp([log_e_value(8, 4, prior=prior), log_e_value(7, 5, prior=prior)])
    assert after.mean() == pytest.approx(now)
    wins = np.arange(31)
    mean = binom.pmf(wins, 30, 0.5) @ np.exp(log_e_value(wins, 30 - wins, prior=prior))
    assert mean == pytest.approx(1)


@pytest.mark.parametrize("prior", PRIORS)
def test_the_e_value_is_the_mixture_over_the_null(prior):
    def mixed(share):
        return beta.pdf(share, prior, prior) * binom.pmf(9, 12, share)

    total, _ = quad(mixed, 0, 1)
    assert np.exp(log_e_value(9, 3, prior=prior)) == pytest.approx(total / binom.pmf(9, 12, 0.5), rel=1e-6)
    assert np.exp(log_e_value(9, 3, prior=prior, share=0.6)) == pytest.approx(total / binom.pmf(9, 12, 0.6), rel=1e-6)


@given(COUNTS, COUNTS, st.sampled_from(PRIORS))
def test_both_sides_are_treated_alike(wins, losses, prior):
    assert log_e_value(wins, losses, prior=prior) == pytest.approx(log_e_value(losses, wins, prior=prior), abs=1e-9)


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("alpha", [0.5, 0.05, 0.001])
def test_the_limit_is_the_last_count_that_rejects(prior, alpha):
    n = np.arange(400)
    limit = e_value_limit(n, alpha, prior=prior)
    assert (limit < n / 2).all() and (np.diff(limit) >= 0).all()
    some = limit >= 0
    assert some.any() and (log_e_value((n - limit)[some], limit[some], prior=prior) >= -np.log(alpha)).all()
    after = np.minimum(limit + 1, n // 2)
    assert (log_e_value(n - after, after, prior=prior) < -np.log(alpha)).all()


def test_the_sequential_test_asks_for_more_at_every_look():
    n = np.arange(1000)
    assert (e_value_limit(n) <= mcnemar_limit(n)).all()


def test_power_on_a_real_difference_and_what_stopping_early_saves():
    """70 against 73 % with 15 % discordance. One planned look is best at its size; the sequential test catches up."""
    planned = simulate_peeking(0.73, 0.70, discordance=0.15, questions=1362)
    assert planned.one_look == pytest.approx(power_of_shares(0.73, 0.70, 1362, discordance=0.15), abs=0.035)  # 4 errors
    assert 0.3 < planned.sequential[-1] < planned.one_look
    longer = simulate_peeking(0.73, 0.70, discordance=0.15, questions=3000)
    assert longer.sequential[-1] > 0.8
    large = simulate_peeking(0.78, 0.70, discordance=0.15, questions=1362)  # the difference is larger than planned for
    assert large.sequential[-1] > 0.99 and np.median(np.where(large.stops > 0, large.stops, np.inf)) < 1362 / 4


def test_curves_rise_and_end_with_the_shares(equal):
    for curve in (equal.naive, equal.sequential):
        assert curve.shape == (2000,) and (np.diff(curve) >= 0).all()
    assert equal.sequential[-1] == (equal.stops > 0).mean()
    assert str(equal).startswith("rejected of 4,000 with 2,000 questions: one look ")


def test_a_simulation_is_the_test_run_on_the_same_answers():
    """Three rules of one simulated experiment, question by question and without tables."""
    found = simulate_peeking(0.8, 0.6, discordance=0.3, questions=120, experiments=30, seed=5)
    luck = np.random.default_rng(5).random((30, 120), dtype=np.float32)
    a, b = luck < 0.25, luck > 0.95
    stops, naive, one_look = [], [], []
    for x, y in zip(a, b, strict=True):
        test = SequentialTest()
        for one, other in zip(x, y, strict=True):
            test.update(one, other)
        stops.append(test.stopped_at or 0)
        p = mcnemar_p_value(np.cumsum(x), np.cumsum(y))
        naive.append((p <= 0.05).any())
        one_look.append(p[-1] <= 0.05)
    assert found.stops.tolist() == stops and 0 < np.count_nonzero(stops)
    assert found.naive[-1] == pytest.approx(np.mean(naive)) and found.one_look == pytest.approx(np.mean(one_look))


def test_blocks_do_not_matter(monkeypatch):
    whole = simulate_peeking(0.7, 0.75, discordance=0.2, questions=100, experiments=50)
    monkeypatch.setattr("helpers.old.stats.sequential.BLOCK", 700)  # seven experiments at a time
    parts = simulate_peeking(0.7, 0.75, discordance=0.2, questions=100, experiments=50)
    assert (whole.stops == parts.stops).all() and (whole.naive == parts.naive).all()


def test_a_batch_is_its_questions_one_by_one():
    rng = np.random.default_rng(0)
    a, b = rng.random(300) < 0.8, rng.random(300) < 0.6
    batch, single, halves = SequentialTest(), SequentialTest(), SequentialTest()
    batch.update(a, b)
    for one, other in zip(a, b, strict=True):
        single.update(one, other)
    halves.update(a[:100], b[:100])
    halves.update(a[100:], b[100:])
    assert batch == single == halves and batch.rejected
    stop = batch.stopped_at
    counts = [((x[:n] & ~y[:n]).sum()) for n in (stop - 1, stop) for x, y in ((a, b), (b, a))]
    assert log_e_value(counts[0], counts[1]) < np.log(20) <= log_e_value(counts[2], counts[3])


def test_it_stays_rejected_when_the_lead_melts():
    test = SequentialTest()
    assert not test.update([1] * 7, [0] * 7) and test.update(True, False)  # 2⁸ / 9 = 28
    assert test.stopped_at == 8 and test.e_value == pytest.approx(256 / 9) and test.p_value == pytest.approx(9 / 256)
    assert test.update([0] * 8, [1] * 8) and test.stopped_at == 8  # level again, yet it had rejected
    assert test.e_value < 1 and test.p_value == pytest.approx(9 / 256)
    assert str(test).startswith(
        "stop: they differ (since question 8); neither ahead; only A right 8, only B right 8 of 16"
    )


def test_questions_on_which_they_agree_say_nothing():
    test = SequentialTest()
    test.update([1, 0] * 50, [1, 0] * 50)
    assert test.e_value == 1 and test.p_value == 1 and test.win_share() == (0, 1)
    assert str(test) == "go on; neither ahead; only A right 0, only B right 0 of 100; e-value 1"


def test_the_interval_holds_the_truth_at_all_looks_together():
    rng = np.random.default_rng(2)
    missed = 0
    for _ in range(100):
        wins = np.cumsum(rng.random(400) < 0.65)
        n = np.arange(1, 401)
        missed += bool((log_e_value(wins, n - wins, share=0.65) >= np.log(20)).any())
    assert missed <= binom.ppf(0.999, 100, 0.05)


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_interval_excludes_one_half_exactly_where_the_test_would_reject(wins, losses):
    test = SequentialTest(only_a=wins, only_b=losses)
    low, high = test.win_share()
    assert 0 <= low <= (wins / (wins + losses) if wins + losses else 0.5) <= high <= 1
    evidence = log_e_value(wins, losses) - np.log(20)
    if abs(evidence) > 0.01:  # the interval is read off a grid, one step too wide
        assert (low > 0.5 or high < 0.5) == (evidence > 0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: SequentialTest(alpha=5), "alpha lies between 0 and 1"),
        (lambda: SequentialTest(prior=0), "prior is a positive number"),
        (lambda: SequentialTest().update([1], [1, 0]), "not 1 and 2"),
        (lambda: SequentialTest().update([], []), "empty"),
        (lambda: SequentialTest().update(0.5, 1), "not scores"),
        (lambda: SequentialTest().update(float("nan"), 1), "NaN"),
        (lambda: log_e_value(-1, 2), "negative"),
        (lambda: log_e_value(1.5, 2), "whole numbers"),
        (lambda: e_value_limit([3], alpha=1), "alpha lies"),
        (lambda: simulate_peeking(0.7, 0.9, discordance=0.1), "differ on 20.0% to 40.0%"),
        (lambda: simulate_peeking(0.7, 0.7, discordance=0.1, questions=0), "at least one question"),
        (lambda: simulate_peeking(0.7, 0.7, discordance=0.1, experiments=0), "at least one question and experiment"),
        (lambda: simulate_peeking(0.7, 0.7, discordance=0.1, alpha=0), "alpha lies"),
    ],
)
def test_input_that_cannot_be_is_named_in_one_sentence(call, said):
    with pytest.raises(ValueError, match=said) as caught:
        call()
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
