"""Agreement of raters: against scikit-learn, a published worked example, a second formula, and impossible input."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from helpers.old.stats import alpha_interval, cohen_kappa, kappa_interval, krippendorff_alpha

NAN = float("nan")
LABELS = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=40)
RATINGS = st.integers(2, 4).flatmap(
    lambda raters: st.lists(
        st.lists(st.sampled_from([1, 2, 3, 5, None]), min_size=raters, max_size=raters), min_size=2, max_size=15
    )
)


@pytest.mark.filterwarnings("ignore")  # scikit-learn warns where kappa is not defined
@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
@settings(max_examples=40)
@given(LABELS)
def test_kappa_is_sklearns(weights, pairs):
    a, b = zip(*pairs, strict=True)
    # With every label of the scale named, so that both take the same distances.
    labels = sorted({*a, *b})
    theirs = cohen_kappa_score(a, b, weights=weights, labels=labels) if len(labels) > 1 else NAN
    assert cohen_kappa(a, b, weights=weights) == pytest.approx(theirs, abs=1e-12, nan_ok=True)


def test_kappa_by_hand():
    """Ten items: they agree on 7, by chance on 0.6 · 0.7 + 0.4 · 0.3 = 0.54 of them."""
    a, b = "yyyyyynnnn", "yyyyynnnyy"
    assert cohen_kappa(a, b) == pytest.approx((0.7 - 0.54) / (1 - 0.54))


def test_agreement_by_chance_is_no_agreement():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 20_000)) < 0.9  # "good" nine times of ten, whatever the item is
    assert (a == b).mean() > 0.8 and abs(cohen_kappa(a, b)) < 0.03
    assert abs(krippendorff_alpha([a, b])) < 0.03


@given(LABELS)
def test_kappa_does_not_depend_on_names_or_on_who_is_first(pairs):
    a, b = zip(*pairs, strict=True)
    name = dict(zip((1, 2, 3, 4), ("tie", "left", "right", "neither"), strict=True))
    kappa = cohen_kappa(a, b)
    assert cohen_kappa(b, a) == pytest.approx(kappa, nan_ok=True)
    assert cohen_kappa([name[x] for x in a], [name[y] for y in b]) == pytest.approx(kappa, nan_ok=True)


def test_perfect_and_reversed_agreement():
    assert cohen_kappa("ab" * 5, "ab" * 5) == 1
    assert cohen_kappa("ab" * 5, "ba" * 5) == -1
    assert np.isnan(cohen_kappa("aaa", "aaa"))  # chance alone would agree as often
    assert np.isnan(kappa_interval("aaa", "aaa")).all()


def noisy(n, rng, flipped=0.2):
    truth = rng.integers(0, 2, n)
    return [np.where(rng.random(n) < flipped, 1 - truth, truth) for _ in range(3)]


def test_intervals_hold_the_truth_about_as_often_as_promised():
    """Two raters, each wrong on 20 % of evenly split labels: they agree on 68 %, so kappa and alpha are 0.36."""
    rng = np.random.default_rng(1)
    held = np.zeros(2)
    for _ in range(200):
        a, b, _ = noisy(100, rng)
        ends = kappa_interval(a, b, resamples=200, seed=rng), alpha_interval([a, b], resamples=200, seed=rng)
        held += [low <= 0.36 <= high for low, high in ends]
    assert (held / 200 > 0.89).all() and (held / 200 < 0.995).all()


def test_intervals_shrink_with_items_and_hold_the_estimate():
    rng = np.random.default_rng(2)
    widths = []
    for n in (12, 120, 1200):
        a, b, c = noisy(n, rng)
        for estimate, (low, high) in (
            (cohen_kappa(a, b), kappa_interval(a, b)),
            (krippendorff_alpha([a, b, c]), alpha_interval([a, b, c])),
        ):
            assert low < estimate < high
            widths.append(high - low)
    assert widths[0] > 2 * widths[2] > 4 * widths[4] and widths[1] > 2 * widths[3] > 4 * widths[5]


# The example that K. Krippendorff gives in "Computing Krippendorff's Alpha-Reliability" (2011), with his results.
EXAMPLE = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""
PUBLISHED = [[None if mark == "." else int(mark) for mark in line.split()] for line in EXAMPLE.strip().splitlines()]


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_the_published_one(level, alpha):
    assert krippendorff_alpha(PUBLISHED, level=level) == pytest.approx(alpha, abs=5e-4)


def test_alpha_by_hand():
    """Two raters, three items, one disagreement.

    Coincidences: aa 2, bb 2, ab 1, ba 1, so three ratings of each value. Observed 2 of 6; expected 2 · 3 · 3 / 5 of 6.
    """
    assert krippendorff_alpha(["aba", "abb"]) == pytest.approx(1 - 2 / (18 / 5))


def alpha_by_pairs(ratings, level):
    """The definition without a matrix: compare each pair of ratings within items, and each pair of all ratings."""
    items = [[value for value in item if value is not None] for item in zip(*ratings, strict=True)]
    items = [item for item in items if len(item) > 1]
    everything = [value for item in items for value in item]
    count = {value: everything.count(value) for value in everything}

    def cost(x, y):
        if level == "nominal":
            return float(x != y)
        if level == "interval":
            return float(x - y) ** 2
        between = [n for value, n in count.items() if min(x, y) <= value <= max(x, y)]
        return (sum(between) - (count[x] + count[y]) / 2) ** 2

    observed = sum(cost(x, y) / (len(item) - 1) for item in items for x, y in permutations(item, 2))
    expected = sum(cost(x, y) for x, y in permutations(everything, 2)) / (len(everything) - 1)
    return 1 - observed / expected if expected else NAN


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@settings(max_examples=60)
@given(RATINGS)
def test_alpha_is_the_one_by_pairs_with_gaps(level, items):
    ratings = list(zip(*items, strict=True))
    if all(sum(value is not None for value in item) < 2 for item in items):
        with pytest.raises(ValueError, match="No item has two ratings"):
            krippendorff_alpha(ratings, level=level)
    else:
        expected = alpha_by_pairs(ratings, level)
        assert krippendorff_alpha(ratings, level=level) == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_alpha_of_two_raters_approaches_the_kappa_of_shared_marginals():
    """Alpha's chance does not care who gave a label; with many items that is the only difference to Scott's pi."""
    a, b, _ = noisy(3000, np.random.default_rng(3))
    share = np.mean([a, b])
    chance = share**2 + (1 - share) ** 2
    assert krippendorff_alpha([a, b]) == pytest.approx(((a == b).mean() - chance) / (1 - chance), abs=1e-3)


def test_gaps_may_be_none_or_nan_and_lonely_ratings_change_nothing():
    a, b = [1, 2, None, 2, 3], [1, 1, 2, 2, NAN]
    assert krippendorff_alpha([a, b]) == krippendorff_alpha([[1, 2, 2], [1, 1, 2]])
    assert krippendorff_alpha([a, b, [None] * 5]) == krippendorff_alpha([a, b])
    assert np.isnan(krippendorff_alpha(["aaa", "aaa"]))


def test_far_misses_cost_more_where_labels_have_an_order():
    truth = [1, 2, 3, 4, 5] * 4
    near, far = [2, *truth[1:]], [5, *truth[1:]]
    for weights in ("linear", "quadratic"):
        assert cohen_kappa(truth, near, weights=weights) > cohen_kappa(truth, far, weights=weights)
    for level in ("ordinal", "interval"):
        assert krippendorff_alpha([truth, near], level=level) > krippendorff_alpha([truth, far], level=level)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: cohen_kappa([1], [1, 2]), "not 1 and 2"),
        (lambda: cohen_kappa([], []), "at least one, not 0 and 0"),
        (lambda: cohen_kappa(["a", None], ["a", "b"]), "krippendorff_alpha"),
        (lambda: cohen_kappa([1, NAN], [1, 2]), "krippendorff_alpha"),
        (lambda: cohen_kappa([1], [1], weights="cubic"), "not 'cubic'"),
        (lambda: cohen_kappa([1, "a"], [1, 2], weights="linear"), "all numbers or all text"),
        (lambda: kappa_interval([1, 2], [1, 2], resamples=0), "resamples must be 1 or more"),
        (lambda: kappa_interval([1, 2], [1, 2], confidence=95), "confidence lies between 0 and 1"),
        (lambda: krippendorff_alpha([[1, 2], [1]]), "None where one was skipped"),
        (lambda: krippendorff_alpha([]), "needs a list of ratings"),
        (lambda: krippendorff_alpha([[1, 2]]), "No item has two ratings"),
        (lambda: krippendorff_alpha([[1], [2]], level="ratio"), "not 'ratio'"),
        (lambda: krippendorff_alpha([["a"], ["b"]], level="interval"), "are numbers"),
        (lambda: krippendorff_alpha([["a"], [1]], level="ordinal"), "all numbers or all text"),
    ],
)
def test_input_that_cannot_be_is_named_in_one_sentence(call, said):
    with pytest.raises(ValueError, match=said) as caught:
        call()
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
