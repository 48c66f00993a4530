"""Significance tests: against scipy and statsmodels, by worked cases, by simulation, and with input that cannot be."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from helpers.old.stats import (
    benjamini_hochberg,
    holm,
    mcnemar,
    mcnemar_limit,
    mcnemar_p_value,
    permutation_test,
)

NAN = float("nan")
ALTERNATIVES = ("two-sided", "greater", "less")


def mean_gap(x, y, axis=-1):
    return x.mean(axis=axis) - y.mean(axis=axis)


def scipys(a, b, kind, alternative):
    found = scipy.stats.permutation_test(
        (a, b), mean_gap, permutation_type=kind, alternative=alternative, vectorized=True, n_resamples=20_000, rng=1
    )
    return found.pvalue


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("n", [2, 5, 10])
def test_all_permutations_of_pairs_are_scipys(n, alternative):
    rng = np.random.default_rng(n)
    for a, b in (rng.normal(size=(2, n)), rng.integers(0, 3, size=(2, n)) / 10):  # the second with ties
        ours = permutation_test(a, b, alternative=alternative)
        assert ours.exact and ours.p_value == pytest.approx(scipys(a, b, "samples", alternative), abs=1e-12)
        assert ours.difference == pytest.approx(mean_gap(a, b))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize(("n", "m"), [(2, 2), (2, 4), (4, 5), (6, 3), (7, 7)])
def test_all_deals_of_two_groups_are_scipys(n, m, alternative):
    rng = np.random.default_rng(n + m)
    for a, b in ((rng.normal(size=n), rng.normal(size=m)), (rng.integers(0, 3, n) / 10, rng.integers(0, 3, m) / 10)):
        ours = permutation_test(a, b, paired=False, alternative=alternative)
        assert ours.exact and ours.p_value == pytest.approx(scipys(a, b, "independent", alternative), abs=1e-12)


@pytest.mark.parametrize(("paired", "kind"), [(True, "samples"), (False, "independent")])
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_random_permutations_come_near_scipys(paired, kind, alternative):
    rng = np.random.default_rng(5)
    a, b = rng.normal(0.25, 1, 60), rng.normal(0, 1, 60)
    ours = permutation_test(a, b, paired=paired, alternative=alternative, permutations=20_000, seed=2)
    theirs = scipys(a, b, kind, alternative)
    error = np.sqrt(
        2 * theirs * (1 - theirs) / 20_000
    )  # of the difference of two estimates; a two-sided one doubles it
    assert not ours.exact and ours.permutations == 20_000 and abs(ours.p_value - theirs) < 8 * error


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=13))
def test_permuting_right_and_wrong_answers_is_mcnemars_test(pairs):
    """Swapping a pair changes something only where one of the two is right: the toss of a coin for each of these."""
    a, b = np.array(pairs).T
    assert permutation_test(a, b).p_value == pytest.approx(mcnemar(a, b).p_value, abs=1e-12)


def test_the_difference_that_was_seen_is_one_of_the_random_ones():
    a = np.arange(100) + 1.0
    assert permutation_test(a, -a, permutations=999).p_value == 2 / 1000  # nothing else is as large, at either end
    assert permutation_test(a, -a, permutations=999, alternative="greater").p_value == 1 / 1000
    assert permutation_test(a, -a, permutations=999, alternative="less").p_value == 1


def test_one_item_says_nothing():
    assert permutation_test([3], [1]).p_value == permutation_test([3], [1], paired=False).p_value == 1
    assert permutation_test([3], [1], alternative="greater").p_value == 0.5


def test_equal_scores_are_no_difference():
    for paired in (True, False):
        found = permutation_test([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], paired=paired)
        assert (found.difference, found.p_value) == (0, 1)


def test_rounding_does_not_break_ties():
    """0.1 + 0.2 is not 0.3 in floating point, yet these two deals are the same."""
    a, b = [0.1, 0.2, 0.3], [0.3, 0.2, 0.1]
    assert permutation_test(a, b, paired=False).p_value == 1
    assert permutation_test(a, b).p_value == 1


def test_equal_systems_are_rejected_in_one_case_of_twenty():
    rng = np.random.default_rng(3)
    p = [permutation_test(*rng.normal(size=(2, 25)), permutations=400, seed=rng).p_value for _ in range(400)]
    low, high = scipy.stats.binom.ppf([0.001, 0.999], 400, 0.05) / 400
    assert low <= np.mean(np.array(p) <= 0.05) <= high


def test_pairing_finds_what_hard_items_hide():
    rng = np.random.default_rng(0)
    hard = rng.normal(0, 1, 200)
    a, b = hard + rng.normal(0.05, 0.1, 200), hard + rng.normal(0, 0.1, 200)
    assert permutation_test(a, b).p_value < 0.01 < 0.3 < permutation_test(a, b, paired=False).p_value


def test_the_same_seed_gives_the_same_p_and_blocks_do_not_matter(monkeypatch):
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 50))
    whole = permutation_test(a, b, permutations=2000, seed=4)
    assert permutation_test(a, b, permutations=2000, seed=4) == whole
    monkeypatch.setattr("helpers.old.stats.significance.BLOCK", 333)  # six rows at a time
    assert permutation_test(a, b, permutations=2000, seed=4) == whole


def test_a_permutation_test_says_what_it_did():
    assert str(permutation_test([2, 3, 4], [1, 1, 1])) == "+2 (p = 0.25, 8 permutations, all)"


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


@pytest.mark.parametrize("m", [1, 30])
def test_holm_and_benjamini_hochberg_are_statsmodels(m):
    rng = np.random.default_rng(m)
    for p in (rng.random(m), rng.random(m) ** 4, rng.integers(0, 5, m) / 100):  # the last with ties
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)
        assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], abs=1e-12)


@given(P_VALUES)
def test_benjamini_hochberg_is_scipys(p):
    assert benjamini_hochberg(p) == pytest.approx(scipy.stats.false_discovery_control(p), abs=1e-12)


@given(P_VALUES)
def test_adjusting_raises_p_keeps_the_order_and_holm_is_stricter(p):
    order = np.argsort(p, kind="stable")
    for adjusted in (holm(p), benjamini_hochberg(p)):
        assert (adjusted >= np.array(p)).all() and (adjusted <= 1).all()
        assert (np.diff(adjusted[order]) >= 0).all()
    assert (holm(p) >= benjamini_hochberg(p) - 1e-12).all()


def test_twenty_metrics_without_a_difference():
    """Without adjustment, one of twenty true nulls is "found" in most experiments; with Holm's in 5 %."""
    p = np.random.default_rng(0).random((2000, 20))
    careless = (p.min(axis=1) <= 0.05).mean()
    careful = np.mean([holm(row).min() <= 0.05 for row in p])
    assert careless == pytest.approx(1 - 0.95**20, abs=0.04)  # 64 %
    assert careful <= scipy.stats.binom.ppf(0.999, 2000, 0.05) / 2000


def test_no_p_values_are_none():
    assert holm([]).shape == benjamini_hochberg([]).shape == (0,)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: permutation_test([1, 2], [1]), "as many values in b as in a, not 2 and 1"),
        (lambda: permutation_test([], []), "a is empty"),
        (lambda: permutation_test([1, NAN], [1, 2]), "a holds 1 NaN"),
        (lambda: permutation_test([1, 2], [1, NAN], paired=False), "b holds 1 NaN"),
        (lambda: permutation_test([[1]], [[2]]), "one list of numbers"),
        (lambda: permutation_test(["x"], [1]), "a must be a list of numbers"),
        (lambda: permutation_test([1], [2], permutations=0), "1 or more, not 0"),
        (lambda: permutation_test([1], [2], alternative="larger"), "not 'larger'"),
        (lambda: mcnemar([0.5], [1]), "not scores"),
        (lambda: mcnemar([1, 0], [1, 2]), "b must hold True"),
        (lambda: mcnemar([1], [1, 0]), "not 1 and 2"),
        (lambda: mcnemar([], []), "empty"),
        (lambda: mcnemar_p_value(-1, 2), "negative"),
        (lambda: mcnemar_p_value(0.5, 2), "whole numbers"),
        (lambda: mcnemar_limit([5], alpha=0), "alpha lies between 0 and 1"),
        (lambda: mcnemar_limit([5], alpha=NAN), "alpha lies between 0 and 1"),
        (lambda: holm([0.1, NAN]), "between 0 and 1, without NaN"),
        (lambda: benjamini_hochberg([1.1]), "between 0 and 1"),
        (lambda: holm([[0.1]]), "one list"),
    ],
)
def test_input_that_cannot_be_is_named_in_one_sentence(call, said):
    with pytest.raises(ValueError, match=said) as caught:
        call()
    assert str(caught.value).count(". ") == 0 and str(caught.value).endswith(".")
