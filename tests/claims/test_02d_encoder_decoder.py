"""What the notebook on encoders and encoder-decoders says in words and numbers, held against the thing itself."""

from __future__ import annotations

import itertools
import json
import math
from statistics import mean

import pytest

from helpers.files import RESULTS
from helpers.trials import families as ft
from helpers.trials import hidden_words as lm
from helpers.trials import number_words as nw

RECORDED = RESULTS / "02d_families.json"


@pytest.fixture(scope="module")
def shares():
    return ft.shares_right(json.loads(RECORDED.read_text(encoding="utf-8"))["runs"])


def test_fifteen_percent_of_the_words_are_hidden():
    assert lm.RATE == 0.15


def test_each_part_has_two_troubles_and_there_are_four_owners():
    assert {len(troubles) for troubles in lm.TROUBLES.values()} == {2} and len(lm.OWNERS) == 4


def test_word_by_word_fails_at_both_numbers_that_are_shown():
    assert [nw.word_by_word(nw.german(n)) for n in (3542, 4071, 13)] == ["3524", "417", "13"]


def test_slots_that_do_not_see_each_other_retell_54_percent_at_best():
    """Each slot is right for one of the two answers; the middle letter is the same in both."""
    texts = list(itertools.product(range(ft.N_LETTERS), repeat=3))
    best = mean(1.0 if text[0] == text[2] else 0.5 for text in texts)
    assert best == pytest.approx(1 / 12 + 11 / 12 / 2) and round(100 * best) == 54


def test_the_toys_have_75_000_parameters_and_three_seeds(shares):
    assert {len(values) for values in shares.values()} == {3}
    assert all(run["n_parameters"] == pytest.approx(75_000, rel=0.005) for run in _runs())


def test_recording_the_families_took_about_50_minutes():
    assert json.loads(RECORDED.read_text(encoding="utf-8"))["seconds"] / 60 == pytest.approx(50, abs=2.5)


def test_a_uniform_guess_among_ten_digits_costs_2_3_nats():
    assert round(math.log(10), 1) == 2.3


def test_of_a_ticket_of_12_tokens_1_8_are_masked_on_average():
    assert lm.RATE * lm.LONGEST == pytest.approx(1.8)


def _runs() -> list[dict]:
    return json.loads(RECORDED.read_text(encoding="utf-8"))["runs"]


def test_what_the_figure_of_families_shows(shares):
    assert all(min(shares["label", family]) == 1 for family in ft.FAMILIES)
    assert (
        max(shares["fill", "decoder"]) < 0.5 < 0.9 < min(shares["fill", "encoder"] + shares["fill", "encoder-decoder"])
    )
    assert (min(shares["fill", "decoder"]), max(shares["fill", "decoder"])) == pytest.approx((0.37, 0.39), abs=0.0051)
    writers = shares["translate", "encoder"] + shares["translate", "decoder"]
    assert min(writers) == pytest.approx(0.99, abs=0.0051) and max(writers) == 1
    slower = shares["translate", "encoder-decoder"]
    assert (min(slower), max(slower)) == pytest.approx((0.83, 0.92), abs=0.0051)
    assert (
        0.8 < min(shares["translate", "encoder-decoder"]) < max(shares["translate", "encoder-decoder"]) < min(writers)
    )
    assert min(shares["retell", "decoder"] + shares["retell", "encoder-decoder"]) > max(shares["retell", "encoder"])
