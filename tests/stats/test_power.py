"""Power and sample size: against statsmodels, against simulation, by worked cases, and with input that cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import power_proportions_2indep, proportion_effectsize, proportions_ztest

from helpers.old.stats import mcnemar_p_value, power_of_shares, sample_size
from helpers.old.stats import power as module


@pytest.mark.parametrize(("first", "second"), [(0.7, 0.73), (0.73, 0.7), (0.5, 0.6), (0.02, 0.1), (0.9, 0.9)])
@pytest.mark.parametrize("n", [20, 200, 3554])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_power_of_two_samples_is_statsmodels(first, second, n, alpha):
    theirs = power_proportions_2indep(first - second, second, n, alpha=alpha, return_results=False)
    assert power_of_shares(first, second, n, alpha=alpha) == pytest.approx(theirs, abs=1e-9)


def test_sample_size_is_near_the_one_by_cohens_h():
    """The arcsine approximation is another route to the same question: within 1 % for differences that are small."""
    for first, second in ((0.7, 0.73), (0.5, 0.55), (0.6, 0.65)):
        h = proportion_effectsize(first, second)
        theirs = NormalIndPower().solve_power(abs(h), power=0.8, alpha=0.05)
        assert sample_size(first, second) == pytest.approx(theirs, rel=0.01)


def test_power_of_two_samples_is_what_simulated_experiments_find():
    rng, n, runs = np.random.default_rng(0), 400, 4000
    a, b = rng.binomial(n, 0.7, runs), rng.binomial(n, 0.8, runs)
    p = [proportions_ztest([x, y], [n, n])[1] for x, y in zip(a[:1000], b[:1000], strict=True)]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(power_of_shares(0.7, 0.8, n), abs=0.04)  # 4 errors: 0.038


def disagreements(first, second, discordance, n, runs, seed=0):
    """How many of n questions only the first, and only the second, got right: drawn question by question."""
    only = (discordance + first - second) / 2, (discordance - first + second) / 2
    return np.random.default_rng(seed).multinomial(n, [*only, 1 - discordance], size=runs).T[:2]


@pytest.mark.parametrize(
    ("first", "second", "discordance", "n"), [(0.7, 0.73, 0.15, 1362), (0.6, 0.8, 0.3, 60), (0.9, 0.8, 0.1, 50)]
)
def test_power_of_pairs_is_what_simulated_experiments_find(first, second, discordance, n):
    p = mcnemar_p_value(*disagreements(first, second, discordance, n, 20_000))
    error = np.sqrt(0.25 / 20_000)
    assert np.mean(p <= 0.05) == pytest.approx(
        power_of_shares(first, second, n, discordance=discordance), abs=4 * error
    )


def test_power_of_pairs_sums_over_every_outcome():
    """All outcomes of ten questions, written out."""
    n, win, lose = 10, 0.35, 0.05
    total = sum(
        binom.pmf(wins + losses, n, win + lose) * binom.pmf(wins, wins + losses, win / (win + lose))
        for wins in range(n + 1)
        for losses in range(n + 1 - wins)
        if mcnemar_p_value(wins, losses) <= 0.05
    )
    assert power_of_shares(0.8, 0.5, n, discordance=0.4) == pytest.approx(total, abs=1e-9)


def test_without_a_difference_the_power_is_the_false_alarm_rate():
    assert power_of_shares(0.7, 0.7, 1000) == pytest.approx(0.05)
    paired = power_of_shares(0.7, 0.7, 1000, discordance=0.2)
    assert 0.03 < paired <= 0.05  # an exact test of whole numbers keeps below


def test_questions_to_tell_70_from_73_percent():
    """The course's headline numbers, by the function and by the textbook's formulas."""
    z = 1.959964 + 0.841621
    assert sample_size(0.70, 0.73) == 3554 == pytest.approx(z**2 * 2 * 0.715 * 0.285 / 0.03**2, rel=0.001)
    paired = sample_size(0.70, 0.73, discordance=0.15)
    connor = (
        1.959964 * 0.15**0.5 + 0.841621 * (0.15 - 0.03**2) ** 0.5
    ) ** 2 / 0.03**2  # R. J. Connor (1987), not exact
    assert paired == 1362 and connor < paired < 1.06 * connor
    independent = 0.7 * 0.27 + 0.3 * 0.73  # answers that have nothing to do with each other: pairing gains nothing
    assert sample_size(0.70, 0.73, discordance=independent) == pytest.approx(3554, rel=0.03)


@pytest.mark.parametrize("discordance", [None, 0.15, 0.4])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_one_question_fewer_is_not_enough(discordance, power):
    n = sample_size(0.6, 0.7, discordance=discordance, power=power)
    reached = power_of_shares(0.6, 0.7, [n - 1, n], discordance=discordance)
    assert reached[0] < power <= reached[1]


def test_large_differences_need_few_questions():
    assert sample_size(0, 1) <= 4
    assert sample_size(0, 1, discordance=1) == 6  # 2 / 64 is the first p below 0.05
    assert sample_size(0.6, 0.7, power=0.95) > sample_size(0.6, 0.7) > sample_size(0.6, 0.75)


def test_discordance_costs_questions():
    sizes = [sample_size(0.7, 0.73, discordance=d) for d in (0.04, 0.1, 0.2, 0.4)]
    assert sizes == sorted(sizes) and sizes[-1] > 9 * sizes[0]


def test_many_sizes_at_once_and_a_symmetric_pair():
    sizes = np.array([[10, 100], [1000, 5000]])
    for discordance in (None, 0.2):
        found = power_of_shares(0.6, 0.65, sizes, discordance=discordance)
        assert found.shape == sizes.shape and (np.diff(found.ravel()) > 0).all()
        assert found == pytest.approx(power_of_shares(0.65, 0.6, sizes, discordance=discordance))
        assert isinstance(power_of_shares(0.6, 0.65, 10, discordance=discordance), float)


def test_systems_that_never_disagree_are_never_told_apart():
    assert power_of_shares(0.7, 0.7, 100, discordance=0) == 0
    assert power_of_shares(1, 1, 100) == power_of_shares(0, 0, 100) == 0


def test_numbers_in_the_docstring():
    assert "# 3,554 questions" in module.__doc__ and "# 1,362 if both" in module.__doc__
