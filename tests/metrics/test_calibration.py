"""Distinct n-grams, perplexity of a text, and calibration: against definitions, the library and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.old.generation import perplexity
from helpers.old.metrics import (
    calibration_interval,
    chance_error,
    distinct_n,
    expected_calibration_error,
    reliability,
    text_perplexity,
)
from helpers.transformer import Llama, LlamaConfig

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


def test_perplexity_is_that_of_pytorchs_loss_on_the_shifted_tokens():
    logits, ids = logits_and_ids(20, 50, 1)
    for start in (1, 5, 19):
        loss = torch.nn.functional.cross_entropy(logits[start - 1 : -1], ids[start:])
        assert text_perplexity(logits, ids, start) == pytest.approx(float(loss.exp()), rel=1e-5)  # float32


def test_equal_logits_give_a_perplexity_of_the_vocabularys_size():
    assert text_perplexity(torch.zeros(9, 64), torch.arange(9)) == pytest.approx(64)


def test_the_last_row_and_the_prompt_change_nothing():
    logits, ids = logits_and_ids()
    other = logits.clone()
    other[-1] += 5 * torch.arange(11)
    other[:2] = 0
    assert text_perplexity(other, ids, 3) == text_perplexity(logits, ids, 3)
    assert text_perplexity(other, ids, 2) != text_perplexity(logits, ids, 2)


def test_a_reply_is_judged_as_the_whole_text_is_by_the_models_own_measure():
    torch.manual_seed(0)
    model = Llama(LlamaConfig(50, 16, 2, 2, 24)).eval()
    ids = torch.randint(50, (12,))
    with torch.no_grad():
        logits = model(ids[None])[0]
    assert text_perplexity(logits, ids) == pytest.approx(perplexity(model, ids), rel=1e-5)  # float32


def test_half_precision_logits_are_judged_in_float32():
    logits, ids = logits_and_ids(30, 400)
    half = logits.bfloat16()
    assert text_perplexity(half, ids) == text_perplexity(half.float(), ids)


@pytest.mark.parametrize("start", [0, -1, 7, 8])
def test_a_start_that_leaves_nothing_to_judge_is_refused(start):
    with pytest.raises(ValueError, match="leaves no token of 7 to judge"):
        text_perplexity(*logits_and_ids(), start)


def test_logits_of_another_length_are_refused():
    logits, ids = logits_and_ids()
    with pytest.raises(ValueError, match="One row of logits belongs to each token"):
        text_perplexity(logits[:-1], ids)


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


def test_the_interval_of_the_error_is_wider_where_texts_differ_from_each_other():
    rng = np.random.default_rng(3)
    sure = [rng.random(50) for _ in range(20)]
    alike = [rng.random(50) < s / 2 for s in sure]
    lucky = [rng.random(50) < (s if i % 2 else 0 * s) for i, s in enumerate(sure)]  # as many right, in half the texts
    low, high = calibration_interval(sure, alike)
    assert low < expected_calibration_error(np.concatenate(sure), np.concatenate(alike)) < high
    other_low, other_high = calibration_interval(sure, lucky)
    assert other_high - other_low > 1.5 * (high - low)
    with pytest.raises(ValueError, match="Each text needs confidences and verdicts"):
        calibration_interval([], [])


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
