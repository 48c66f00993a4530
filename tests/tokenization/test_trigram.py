"""The trigram model: a distribution over tokens that knows what it has counted and no more."""

from __future__ import annotations

import math

import numpy as np
import pytest

from helpers.old.tokenization import Trigram

IDS = [0, 1, 2, 1, 2, 0, 1, 1, 2, 3, 0, 1]


def probability(model: Trigram, *ids: int) -> float:
    return 2 ** -(model.bits(ids) - (model.bits(ids[:-1]) if len(ids) > 1 else 0))


@pytest.mark.parametrize("before", [(), (1,), (1, 2), (2, 2), (3, 3), (0, 1)])
def test_the_probabilities_of_the_next_token_sum_to_one(before):
    model = Trigram(IDS, 5)  # token 4 never occurs
    chances = [probability(model, *before, token) for token in range(5)]
    assert sum(chances) == pytest.approx(1, abs=1e-9) and min(chances) > 0


def test_without_any_context_each_token_counts_by_how_many_different_ones_stand_before_it():
    model = Trigram(IDS, 5)  # before 0: 2 and 3; before 1: 0, 2 and 1; before 2: 1; before 3: 2
    after, discount = {0: 2, 1: 3, 2: 1, 3: 1, 4: 0}, 0.75
    for token, kinds in after.items():
        expected = max(kinds - discount, 0) / 7 + discount * 4 / 7 / 5
        assert probability(model, token) == pytest.approx(expected)


def test_two_tokens_of_context_are_counted_as_often_as_they_occur():
    model = Trigram(IDS, 5)
    shorter = probability(model, 1, 2)  # 0, 1 is followed by 2 once, and by 1 once
    assert probability(model, 0, 1, 2) == pytest.approx((1 - 0.75) / 2 + 0.75 * 2 / 2 * shorter)


def test_bits_of_a_text_are_the_sum_over_its_tokens_and_see_only_two_tokens_back():
    model = Trigram(IDS, 5)
    text = [0, 1, 2, 3, 0]
    parts = -sum(math.log2(probability(model, *text[max(0, t - 2) : t + 1])) for t in range(2, 5))
    assert model.bits(text) == pytest.approx(model.bits(text[:2]) + parts)


def test_what_was_counted_is_likelier_than_what_was_not():
    rng = np.random.default_rng(0)
    model = Trigram([0, 1, 2, 3] * 50, 50)
    assert model.bits([0, 1, 2, 3, 0, 1]) < 6 and model.bits(rng.integers(4, 50, 6).tolist()) > 30
