"""The toy encoder-decoder of the welcome notebook."""

from __future__ import annotations

import random

import pytest

from helpers.old.trials import backwards as toy_t5


def test_encoding_and_decoding_are_inverse():
    strings = toy_t5.random_strings(50, random.Random(3))
    assert toy_t5.decode(toy_t5.encode(strings)) == strings
    assert {len(s) for s in strings} == {3, 4, 5, 6}


def test_training_strings_and_test_strings_never_meet():
    train, test = toy_t5.random_strings(20_000, random.Random(1)), toy_t5.unseen_strings(2_000)
    assert not set(train) & set(test)


def test_what_follows_the_end_is_dropped():
    ids = toy_t5.encode(["abc"])
    ids[0, 4:] = toy_t5.FIRST_LETTER
    assert toy_t5.decode(ids) == ["abc"]


def test_training_brings_the_loss_down_and_learns_most_strings():
    toy = toy_t5.train_reversal(steps=400, seed=0, progress=False)
    assert len(toy.losses) == 400 and toy.losses[-1] < toy.losses[0] / 3
    strings = toy_t5.unseen_strings(100)
    right = sum(a == b[::-1] for a, b in zip(toy_t5.write_backwards(toy.model, strings), strings, strict=True))
    guesses = toy_t5.write_backwards(toy_t5.tiny_t5(), strings)
    untrained = sum(a == b[::-1] for a, b in zip(guesses, strings, strict=True))
    assert untrained == 0 and right > 50


def test_the_same_seed_gives_the_same_losses_and_another_seed_others():
    first, again, other = (toy_t5.train_reversal(3, seed=s, progress=False).losses for s in (1, 1, 2))
    assert first == pytest.approx(again, abs=1e-6) and first != pytest.approx(other, abs=1e-3)


def test_no_steps_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match="at least 1"):
        toy_t5.train_reversal(0)
