"""What the notebook on encoders and encoder-decoders says in words and numbers, held against the thing itself."""

from __future__ import annotations

import itertools
import json
import math
from statistics import mean

import pytest
import torch

from helpers.files import RESULTS
from helpers.trials import families as ft
from helpers.trials import hidden_words as lm
from helpers.trials import number_words as nw

RECORDED, LONGER = RESULTS / "02d_families.json", RESULTS / "02d_longer.json"


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


def test_what_three_times_the_steps_change(shares):
    runs = json.loads(LONGER.read_text(encoding="utf-8"))["runs"]
    assert {run["case"]["steps"] for run in runs} == {3 * ft.STEPS} == {1800}
    assert {run["case"]["seed"] for run in runs} == {1, 2}
    final = {}
    for run in runs:
        assert len(run["curve"]) == 18 and run["curve"][-1] == run["right"]
        final.setdefault((run["case"]["task"], run["case"]["family"]), []).append(run["right"] / run["of"])
    assert all(round(100 * share) == 98 for share in final["translate", "encoder-decoder"])
    assert max(shares["fill", "decoder"]) < 0.4
    assert 0.63 <= min(final["fill", "decoder"]) and max(final["fill", "decoder"]) <= 0.71
    assert min(final["retell", "decoder"] + final["retell", "encoder-decoder"]) >= 0.98
    assert all(abs(share - 0.54) < 0.06 for share in final["retell", "encoder"])


def test_the_spread_of_the_decoder_on_retell(shares):
    values = shares["retell", "decoder"]
    assert (min(values), max(values)) == pytest.approx((0.68, 0.95), abs=0.0051)


def test_an_untrained_translator_scores_what_it_reads_and_so_starts_worse_than_a_uniform_guess():
    model, numbers = nw.tiny_translator(0).eval(), nw.unseen_numbers(100)
    source, mask = nw.encode_words([nw.german(n) for n in numbers])
    labels = nw.encode_digits(numbers)
    read = model.shift_right(labels)
    with torch.no_grad():
        highest = model(source, read, mask).argmax(-1)
    assert (highest == read)[labels >= 0].float().mean() > 0.5
    assert nw.VOCAB_SIZE == 43 and round(math.log(43), 1) == 3.8
    assert round(nw.train_translator(1, progress=False).losses[0], 1) == 4.6


def test_the_longest_numbers_have_seven_words():
    assert max(len(nw.german(n)) for n in range(1, nw.LARGEST + 1)) == 7


def test_the_vector_at_the_hundreds_word_is_nearly_the_same_in_both_numbers():
    model = nw.train_translator(300, progress=False).model
    pairs = [
        (n, n + 1) for n in nw.unseen_numbers(200) if n > 1000 and "0" not in str(n) and 20 < n % 100 and n % 10 < 9
    ]
    cosine = {}
    for digit in (1, 3):
        at = torch.tensor([nw.spoken_at(n)[digit] for n, _ in pairs])
        memories = [
            model.encode(*nw.encode_words([nw.german(n) for n in numbers])) for numbers in zip(*pairs, strict=True)
        ]
        a, b = (memory[torch.arange(len(pairs)), at] for memory in memories)
        cosine[digit] = torch.cosine_similarity(a, b).mean().item()
    assert cosine[1] > 0.95 > 0.8 > cosine[3]
