"""Rows that belong together are drawn together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, kendalltau

from helpers.old.stats import (
    alpha_interval,
    bootstrap_groups,
    bradley_terry,
    cohen_kappa,
    kappa_interval,
    permutation_test,
)
from helpers.stats import bootstrap


def test_groups_of_one_row_are_the_ordinary_bootstrap():
    values = np.random.default_rng(0).normal(size=80)
    ours = bootstrap_groups(range(80), lambda rows: values[rows].mean())
    assert ours == pytest.approx(bootstrap(values), abs=0.03)  # two sets of draws: ends move by about 0.01


def test_copies_of_a_row_add_nothing():
    """Each row four times: by rows the interval seems half as wide, by groups it stays what it is."""
    values = np.random.default_rng(1).normal(size=60)
    copies, group = np.repeat(values, 4), np.repeat(np.arange(60), 4)
    once = bootstrap_groups(range(60), lambda rows: values[rows].mean())
    by_group = bootstrap_groups(group, lambda rows: copies[rows].mean())
    by_row = bootstrap_groups(range(240), lambda rows: copies[rows].mean())
    assert by_group == pytest.approx(once, abs=1e-12)
    assert by_row[1] - by_row[0] == pytest.approx((once[1] - once[0]) / 2, rel=0.1)


def test_any_statistic_of_rows_such_as_a_rank_correlation():
    rng = np.random.default_rng(2)
    metric = rng.normal(size=120)
    rating = metric + rng.normal(size=120)
    low, high = bootstrap_groups(
        np.arange(120) // 3, lambda rows: kendalltau(metric[rows], rating[rows]).statistic, resamples=200
    )
    assert 0.3 < low < kendalltau(metric, rating).statistic < high < 0.7


def labels_of_questions(rng, questions=40, each=3):
    """Two raters who agree on all pairs of an easy question, and by the toss of a coin on those of a hard one."""
    group = np.repeat(np.arange(questions), each)
    hard = (rng.random(questions) < 0.5)[group]
    one = rng.integers(0, 2, questions)[group]
    other = np.where(hard, rng.integers(0, 2, questions)[group], one)
    return one, other, group


def test_intervals_of_agreement_draw_whole_questions():
    one, other, group = labels_of_questions(np.random.default_rng(3))
    for interval, raters in ((kappa_interval, (one, other)), (alpha_interval, ([one, other],))):
        (low, high), (lower, higher) = interval(*raters), interval(*raters, groups=group)
        assert higher - lower == pytest.approx((high - low) * np.sqrt(3), rel=0.15)
    rng = np.random.default_rng(4)
    by_group, by_row = [], []
    for _ in range(200):
        one, other, group = labels_of_questions(rng)
        for held, groups in ((by_group, group), (by_row, None)):
            low, high = kappa_interval(one, other, groups=groups, resamples=200, seed=rng)
            held.append(low <= 0.5 <= high)
    assert np.mean(by_group) > 0.87 > 0.8 > np.mean(by_row)


def test_groups_that_were_not_rated_twice_may_be_drawn():
    ratings = [[1, 2, 1, 2, None], [1, 2, 2, 2, 1], [1, 1, 1, 2, None]]
    low, high = alpha_interval(ratings, groups=[0, 0, 1, 1, 2])
    assert low < high


def test_a_ranking_draws_whole_questions():
    names, others, won = np.array(["a", "b"] * 10), np.array(["b", "a"] * 10), np.ones(20)
    won[:8:2] = 0
    rows = bradley_terry(names, others, won)
    copies = bradley_terry(np.repeat(names, 3), np.repeat(others, 3), np.repeat(won, 3), groups=np.repeat(range(20), 3))
    assert copies.names == rows.names
    for ours, theirs in ((copies.strengths, rows.strengths), (copies.low, rows.low), (copies.high, rows.high)):
        assert ours == pytest.approx(theirs, abs=1e-5)


def test_a_permutation_test_swaps_whole_groups():
    a, b = np.array([3.0, 1, 4, 1, 5, 9]), np.array([2.0, 1, 1, 0, 5, 3])
    once = permutation_test(a, b)
    copies = permutation_test(np.repeat(a, 4), np.repeat(b, 4), groups=np.repeat(range(6), 4))
    assert copies.p_value == once.p_value > permutation_test(np.repeat(a, 4), np.repeat(b, 4)).p_value
    assert copies.difference == pytest.approx(once.difference)


def test_false_alarms_with_grouped_answers():
    rng = np.random.default_rng(5)
    group = np.repeat(np.arange(20), 5)
    grouped, alone = [], []
    for _ in range(200):
        gaps = rng.normal(size=20)[group] + 0.3 * rng.normal(size=100)
        for found, groups in ((grouped, group), (alone, None)):
            found.append(permutation_test(gaps, 0 * gaps, groups=groups, permutations=500, seed=rng).p_value <= 0.05)
    assert np.mean(grouped) <= binom.ppf(0.999, 200, 0.05) / 200 < 0.25 < np.mean(alone)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: bootstrap_groups([], len), "at least one row"),
        (lambda: bootstrap_groups([1], lambda rows: float("nan")), "not one finite number"),
        (lambda: bootstrap_groups([1], lambda rows: [1, 2]), "not one finite number"),
        (lambda: bootstrap_groups([1], len, resamples=0), "1 or more"),
        (lambda: bootstrap_groups([1], len, confidence=95), "confidence lies"),
        (lambda: kappa_interval("ab", "ab", groups=[1]), "2 rows belongs to one group.*there are 1 groups"),
        (lambda: permutation_test([1], [2], groups=[1, 2]), "there are 2 groups"),
        (lambda: permutation_test([1], [2], groups=[1], paired=False), "groups are of pairs"),
    ],
)
def test_input_that_cannot_be_is_named_in_one_sentence(call, said):
    with pytest.raises(ValueError, match=said) as caught:
        call()
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_the_estimate_does_not_depend_on_groups():
    one, other, group = labels_of_questions(np.random.default_rng(6))
    low, high = kappa_interval(one, other, groups=group)
    assert low < cohen_kappa(one, other) < high
