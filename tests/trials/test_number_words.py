"""German number words: the words, who says which digit, and a translator that learns them."""

from __future__ import annotations

import pytest
import torch

from helpers.old.foundations.probability import IGNORED
from helpers.old.transformer import shift_right
from helpers.old.trials import number_words as nw


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (1, "eins"),
        (11, "elf"),
        (21, "ein und zwanzig"),
        (30, "dreißig"),
        (101, "ein hundert eins"),
        (616, "sechs hundert sechzehn"),
        (1000, "ein tausend"),
        (7077, "sieben tausend sieben und siebzig"),
        (9999, "neun tausend neun hundert neun und neunzig"),
    ],
)
def test_numbers_are_said_as_in_german(n, words):
    assert " ".join(nw.german(n)) == words


def test_every_number_has_words_of_its_own():
    said = {tuple(nw.german(n)) for n in range(1, nw.LARGEST + 1)}
    assert len(said) == nw.LARGEST and {word for words in said for word in words} == set(nw.WORDS)


@pytest.mark.parametrize("n", [0, 10_000, -3])
def test_numbers_beyond_the_range_are_refused(n):
    with pytest.raises(ValueError, match="from 1 to 9,999"):
        nw.german(n)


def test_the_word_that_says_a_digit_alone_gives_that_digit():
    for n in range(1, nw.LARGEST + 1):
        places = nw.spoken_at(n)
        assert len(places) == len(str(n))
        for digit, place in zip(str(n), places, strict=True):
            if place is None:
                assert digit == "0"
            else:
                assert digit in nw.word_by_word([nw.german(n)[place]]) or digit == "0"
        # the words that say no digit are the ones that name a power of ten, or "und"
        silent = {word for i, word in enumerate(nw.german(n)) if i not in places}
        assert silent <= {"hundert", "tausend", "und"}


def test_word_by_word_fails_where_units_come_before_tens():
    assert nw.word_by_word(nw.german(3542)) == "3524"
    assert nw.word_by_word(nw.german(513)) == "513"


def test_training_numbers_and_test_numbers_never_meet():
    unseen = nw.unseen_numbers(300)
    assert len(set(unseen)) == 300 and all(map(nw.is_held_out, unseen))
    assert sum(map(nw.is_held_out, range(1, nw.LARGEST + 1))) == pytest.approx(1000, abs=100)


def test_digits_become_ids_and_back():
    labels = nw.encode_digits([7, 40, 9999])
    assert labels.shape == (3, 5) and labels[0].tolist()[2:] == [IGNORED] * 3
    assert nw.decode_digits(labels) == ["7", "40", "9999"]
    assert torch.equal(nw.digits_to_ids(40), shift_right(nw.encode_digits([40])[:, :3], nw.PAD))


def test_the_translator_learns_and_its_cache_changes_nothing():
    toy = nw.train_translator(60, progress=False)
    assert toy.losses[-1] < toy.losses[0] / 3
    texts = [nw.german(n) for n in (3542, 17, 900)]
    source, mask = nw.encode_words(texts)
    written = torch.full((3, 1), nw.PAD)
    with torch.no_grad():
        for _ in range(5):
            written = torch.cat((written, toy.model(source, written, mask)[:, -1:].argmax(-1)), dim=1)
    assert nw.translate(toy.model, texts) == nw.decode_digits(written[:, 1:])
    assert nw.translate(toy.model, texts, torch.zeros_like) == nw.translate(toy.model, texts[:1], torch.zeros_like) * 3


def test_the_same_seed_gives_the_same_losses_and_the_decoder_input_counts():
    first, again, other = (nw.train_translator(2, seed, progress=False).losses for seed in (1, 1, 2))
    assert first == pytest.approx(again, abs=1e-5) and first != pytest.approx(other, abs=1e-4)
    unmoved = nw.train_translator(2, 1, lambda labels, start: labels.clamp(min=0), progress=False).losses
    assert unmoved != pytest.approx(first, abs=1e-4)


def test_ten_steps_are_enough_to_run():
    assert len(nw.train_translator(10, progress=False).losses) == 10


def test_no_steps_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match="at least 1"):
        nw.train_translator(0)
