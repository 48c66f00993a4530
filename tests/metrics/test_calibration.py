"""Distinct n-grams, perplexity of a text, and calibration: against definitions, the library and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.old.metrics import chance_error, distinct_n, expected_calibration_error, reliability

# distinct_n ----------------------------------------------------------------------------------------------------------


def test_distinct_n_counts_different_n_grams_among_all():
    assert distinct_n([1, 2, 1, 2, 1], 2) == 2 / 4
    assert distinct_n([[1, 2, 3], [1, 2, 4]], 2) == 3 / 4
    assert distinct_n(["go on and go on"], 1) == 3 / 5


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=3, max_size=30))
def test_repeating_a_text_never_raises_its_share_of_distinct_pairs(ids):
    assert distinct_n(ids + ids, 2) <= distinct_n(ids, 2) + 1 / len(ids)  # one pair is new: over the seam


# perplexity ----------------------------------------------------------------------------------------------------------


# calibration ---------------------------------------------------------------------------------------------------------


def test_bins_hold_what_falls_into_them_and_empty_ones_are_left_out():
    bins = reliability([0.05, 0.95, 0.9, 1.0, 0.0], [False, True, False, True, False], bins=10)
    assert [(b.low, b.high, b.count) for b in bins] == [(0.0, 0.1, 2), (0.8, 0.9, 1), (0.9, 1.0, 2)]
    assert bins[2].confidence == pytest.approx(0.975) and bins[2].accuracy == 1.0


def test_the_error_is_the_weighted_gap():
    sure, right = [0.55, 0.55, 0.55, 0.95], [True, False, False, True]
    assert expected_calibration_error(sure, right) == pytest.approx(3 / 4 * (0.55 - 1 / 3) + 1 / 4 * 0.05)


def test_outcomes_drawn_from_the_confidences_have_the_error_of_chance_and_overconfident_ones_far_more():
    rng = np.random.default_rng(1)
    sure = rng.random(4000)
    chance = chance_error(sure)
    assert 0.005 < chance < 0.02
    assert expected_calibration_error(sure, rng.random(4000) < sure) < 2 * chance
    assert expected_calibration_error(sure, rng.random(4000) < sure**2) > 5 * chance


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
