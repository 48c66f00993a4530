"""Distinct n-grams, perplexity of a text, and calibration: against definitions, the library and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.old.metrics import chance_error, distinct_n, expected_calibration_error, reliability

# distinct_n ----------------------------------------------------------------------------------------------------------


def test_distinct_n_counts_different_n_grams_among_all():
    assert distinct_n([1, 2, 1, 2, 1], 2) == 2 / 4
    assert distinct_n([[1, 2, 3], [1, 2, 4]], 2) == 3 / 4
    assert distinct_n(["go on and go on"], 1) == 3 / 5


def test_n_grams_do_not_span_two_replies():
    assert distinct_n([[1, 2], [3, 4]], 2) == 1.0
    assert distinct_n([[1, 2], [2, 1], [1, 2]], 2) == 2 / 3


def test_texts_lists_and_tensors_are_all_taken():
    rows = [[3, 4, 3, 4], [4, 3, 4, 3]]
    assert distinct_n(torch.tensor(rows), 2) == distinct_n(rows, 2) == distinct_n([torch.tensor(r) for r in rows], 2)
    assert distinct_n("a b a b", 2) == 2 / 3
    assert distinct_n(np.array([1, 1, 1]), 1) == 1 / 3


def test_replies_shorter_than_n_count_for_nothing():
    assert distinct_n([[1], [2, 3]], 2) == 1.0
    with pytest.raises(ValueError, match="No reply has 3 tokens"):
        distinct_n([[1], [2, 3]], 3)
    with pytest.raises(ValueError, match="No reply has 1 tokens"):
        distinct_n([], 1)


@pytest.mark.parametrize("n", [0, -1, 1.5, True])
def test_an_n_that_is_no_length_is_refused(n):
    with pytest.raises(ValueError, match="n is the length of an n-gram"):
        distinct_n([1, 2], n)


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=3, max_size=30))
def test_repeating_a_text_never_raises_its_share_of_distinct_pairs(ids):
    assert distinct_n(ids + ids, 2) <= distinct_n(ids, 2) + 1 / len(ids)  # one pair is new: over the seam


# perplexity ----------------------------------------------------------------------------------------------------------


def logits_and_ids(T: int = 7, V: int = 11, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(T, V, generator=g) * 3, torch.randint(V, (T,), generator=g)


# calibration ---------------------------------------------------------------------------------------------------------


def test_bins_hold_what_falls_into_them_and_empty_ones_are_left_out():
    bins = reliability([0.05, 0.95, 0.9, 1.0, 0.0], [False, True, False, True, False], bins=10)
    assert [(b.low, b.high, b.count) for b in bins] == [(0.0, 0.1, 2), (0.8, 0.9, 1), (0.9, 1.0, 2)]
    assert bins[2].confidence == pytest.approx(0.975) and bins[2].accuracy == 1.0


def test_the_error_is_the_weighted_gap():
    sure, right = [0.55, 0.55, 0.55, 0.95], [True, False, False, True]
    assert expected_calibration_error(sure, right) == pytest.approx(3 / 4 * (0.55 - 1 / 3) + 1 / 4 * 0.05)


def test_one_bin_compares_the_means():
    rng = np.random.default_rng(0)
    sure, right = rng.random(200), rng.random(200) < 0.4
    assert expected_calibration_error(sure, right, bins=1) == pytest.approx(abs(sure.mean() - right.mean()))


def test_outcomes_drawn_from_the_confidences_have_the_error_of_chance_and_overconfident_ones_far_more():
    rng = np.random.default_rng(1)
    sure = rng.random(4000)
    chance = chance_error(sure)
    assert 0.005 < chance < 0.02
    assert expected_calibration_error(sure, rng.random(4000) < sure) < 2 * chance
    assert expected_calibration_error(sure, rng.random(4000) < sure**2) > 5 * chance


def test_fewer_predictions_have_a_larger_error_by_chance_alone():
    sure = np.random.default_rng(2).random(2000)
    assert chance_error(sure[:100]) > 2 * chance_error(sure)


def test_the_same_seed_gives_the_same_chance():
    assert chance_error([0.3, 0.7, 0.9], draws=5) == chance_error([0.3, 0.7, 0.9], draws=5)


@pytest.mark.parametrize(
    ("sure", "right", "bins", "message"),
    [
        ([0.5, 0.5], [True], 10, "Each confidence needs one verdict"),
        ([], [], 10, "nothing to judge"),
        ([1.5], [True], 10, "between 0 and 1"),
        ([float("nan")], [True], 10, "between 0 and 1"),
        ([0.5], [True], 0, "bins is a whole number"),
    ],
)
def test_impossible_predictions_are_refused(sure, right, bins, message):
    with pytest.raises(ValueError, match=message):
        expected_calibration_error(sure, right, bins)
