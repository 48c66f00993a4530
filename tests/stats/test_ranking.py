"""Bradley and Terry: against a logistic regression, by hand, by simulation, and with comparisons that rank nobody."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from helpers.old.stats import bradley_terry

TRUTH = np.array([1.0, 0.5, 0.0, -0.5, -1.0])
NAMES = np.array(list("abcde"))


def compared(n, seed, ties=0.15):
    rng = np.random.default_rng(seed)
    i = rng.integers(5, size=n)
    j = (i + rng.integers(1, 5, size=n)) % 5
    won = (rng.random(n) < 1 / (1 + np.exp(TRUTH[j] - TRUTH[i]))).astype(float)
    won[rng.random(n) < ties] = 0.5
    return i, j, won


@pytest.mark.parametrize("seed", range(4))
def test_strengths_are_those_of_a_logistic_regression(seed):
    """Each comparison twice: as a win, weighted with what the first got, and as a loss, weighted with the rest."""
    i, j, won = compared(200, seed)
    columns = np.eye(5)[i] - np.eye(5)[j]
    regression = LogisticRegression(C=1e12, fit_intercept=False, tol=1e-10, max_iter=1000)
    regression.fit(np.vstack([columns, columns]), np.repeat([1, 0], 200), np.concatenate([won, 1 - won]))
    theirs = regression.coef_[0] - regression.coef_[0].mean()
    ours = bradley_terry(NAMES[i], NAMES[j], won, resamples=1)
    assert ours.strengths == pytest.approx(np.sort(theirs)[::-1], abs=1e-4)
    assert ours.names == tuple(NAMES[np.argsort(-theirs)])


def test_of_two_systems_the_chance_is_the_share_of_wins():
    ranking = bradley_terry(["a"] * 10, ["b"] * 10, [1] * 6 + [0] * 2 + [0.5] * 2)
    assert ranking.names == ("a", "b") and ranking.strengths.sum() == pytest.approx(0)
    assert ranking.chance("a", "b") == pytest.approx(0.7) and ranking.chance("b", "a") == pytest.approx(0.3)
    assert ranking.chance("a", "a") == 0.5


def test_it_does_not_matter_who_is_named_first():
    i, j, won = compared(150, 1)
    one = bradley_terry(NAMES[i], NAMES[j], won)
    other = bradley_terry(NAMES[j], NAMES[i], 1 - won)
    assert one.names == other.names
    for ours, theirs in ((one.strengths, other.strengths), (one.low, other.low), (one.high, other.high)):
        assert ours == pytest.approx(theirs, abs=1e-5)


def test_those_who_never_met_are_ranked_through_others():
    first, second = ["a"] * 4 + ["b"] * 4, ["b"] * 4 + ["c"] * 4
    ranking = bradley_terry(first, second, [1, 1, 1, 0] * 2)
    assert ranking.names == ("a", "b", "c")
    assert ranking.chance("a", "c") == pytest.approx(9 / 10)  # odds of 3 and 3 multiply to 9


def test_intervals_hold_the_truth_about_as_often_as_promised():
    held = []
    for seed in range(40):
        i, j, won = compared(400, seed, ties=0)
        ranking = bradley_terry(NAMES[i], NAMES[j], won, resamples=300, seed=seed)
        truth = TRUTH[[list("abcde").index(name) for name in ranking.names]]
        held.append((ranking.low <= truth) & (truth <= ranking.high))
    assert 0.90 < np.mean(held) < 0.99  # 200 intervals


def test_more_comparisons_are_surer():
    i, j, won = compared(1600, 0)
    few, many = (bradley_terry(NAMES[i][:n], NAMES[j][:n], won[:n]) for n in (100, 1600))
    assert (few.high - few.low).mean() == pytest.approx(4 * (many.high - many.low).mean(), rel=0.4)


def test_the_same_seed_gives_the_same_intervals():
    i, j, won = compared(100, 0)
    one, two, other = (bradley_terry(NAMES[i], NAMES[j], won, seed=seed) for seed in (1, 1, 2))
    assert (one.low == two.low).all() and (one.low != other.low).any()


def test_who_never_lost_has_no_finite_strength_unless_a_prior_pulls():
    first, second, won = ["a", "a", "b", "c"], ["b", "c", "c", "b"], [1, 1, 1, 1]
    with pytest.raises(ValueError, match="No finite strengths.*prior=0.5"):
        bradley_terry(first, second, won)
    ranking = bradley_terry(first, second, won, prior=0.5)
    assert ranking.names[0] == "a" and np.isfinite([ranking.low, ranking.high]).all()
    # Half a win for each side added to one win: 1.5 of 2 against an opponent of equal strength.
    assert bradley_terry(["a"], ["b"], [1], prior=0.5).chance("a", "b") == pytest.approx(0.75)


def test_two_groups_that_never_met_are_not_ranked():
    with pytest.raises(ValueError, match="No finite strengths"):
        bradley_terry(["a", "b", "c", "d"], ["b", "a", "d", "c"], [1, 1, 1, 1])


def test_a_single_loss_leaves_the_interval_open():
    """Without it, which happens in a third of the resamples, the strength would have no end."""
    ranking = bradley_terry(["a"] * 20, ["b"] * 20, [1] * 19 + [0])
    assert np.isinf(ranking.high[0]) and np.isfinite(ranking.strengths).all()


def test_a_ranking_is_a_table():
    ranking = bradley_terry(["new"] * 10, ["old"] * 10, [1] * 6 + [0] * 4, prior=0.5)
    lines = str(ranking).splitlines()  # log(6.5 / 4.5) apart
    assert len(lines) == 2 and lines[0].startswith("new  +0.18 (") and lines[1].startswith("old  -0.18 (")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: bradley_terry(["a"], ["b", "c"], [1]), "not 1, 2, 1"),
        (lambda: bradley_terry([], [], []), "outcome is empty"),
        (lambda: bradley_terry(["a"], ["b"], [float("nan")]), "1 NaN"),
        (lambda: bradley_terry(["a"], ["b"], [0.7]), "An outcome is 1"),
        (lambda: bradley_terry(["a"], ["a"], [1]), "two different names"),
        (lambda: bradley_terry(["a"], ["b"], [0.5], prior=-1), "prior is"),
        (lambda: bradley_terry(["a"], ["b"], [0.5], resamples=0), "1 or more"),
        (lambda: bradley_terry(["a"], ["b"], [0.5], confidence=2), "confidence"),
        (lambda: bradley_terry(["a"], ["b"], [0.5]).chance("a", "z"), "'z' is not among those ranked: a, b"),
    ],
)
def test_input_that_cannot_be_is_named_in_one_sentence(call, said):
    with pytest.raises(ValueError, match=said) as caught:
        call()
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
