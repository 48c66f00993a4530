"""What the foundations notebook and its quizzes say in words and numbers, held against the thing itself."""

from __future__ import annotations

import inspect
import json
import math
import re
import textwrap
from collections import Counter
from functools import cache

import numpy as np
import pytest
import torch
from helpers.corpora import Corpus, language_reference
from helpers.foundations import Value

from helpers.files import ROOT
from helpers.stats import coverage, wald, wilson

NATS = ("counting", "network", "both")  # as the notebook's cell `mix` prints them


def test_bf16_has_the_range_of_fp32_and_two_to_three_digits():
    bf16, fp32 = torch.finfo(torch.bfloat16), torch.finfo(torch.float32)
    assert bf16.tiny == fp32.tiny and bf16.max == pytest.approx(fp32.max, rel=0.01)
    assert 2 <= -math.log10(bf16.eps / 2) <= 3


def test_near_one_neighbors_in_bf16_are_a_128th_apart():
    one = torch.tensor(1.0, dtype=torch.bfloat16)
    assert (one + 1 / 128).item() == 1 + 1 / 128 and (one + 0.0039).item() == 1.0


def test_fp16_stops_at_65504_and_fades_below_a_ten_thousandth():
    fp16 = torch.finfo(torch.float16)
    assert fp16.max == 65_504 and fp16.tiny < 1e-4 < 2 * fp16.tiny


def test_fp16_keeps_ten_bits_and_bf16_seven():
    assert torch.finfo(torch.float16).eps == 2**-10 and torch.finfo(torch.bfloat16).eps == 2**-7


def test_what_the_questions_say_about_intervals():
    assert 0.95**20 > 1 / 3 and 0.98**50 > 1 / 3  # clean scores are common
    assert wilson(20, 20)[0] == pytest.approx(0.84, abs=0.005)
    assert 0.5**20 == pytest.approx(1e-6, rel=0.1)
    assert wald(50, 50) == (1.0, 1.0)


def test_what_the_questions_say_about_perplexity():
    losses = -np.log([1 / 2, 1 / 2, 1 / 2, 0.0001])
    assert losses[3] == pytest.approx(9.2, abs=0.05) and losses[0] == pytest.approx(0.7, abs=0.01)
    assert np.exp(losses.mean()) == pytest.approx(17, abs=0.5)
    assert np.exp(-np.log([1 / 8] * 3).mean()) == pytest.approx(8)
    assert 3 * math.log(8) == pytest.approx(6.2, abs=0.05)


def test_what_the_questions_say_about_shapes():
    assert (torch.zeros(4, 1, 3) + torch.zeros(5, 3)).shape == (4, 5, 3)
    assert (torch.zeros(7, 1) - torch.zeros(7)).shape == (7, 7)


def test_the_wald_interval_fails_at_98_percent_and_wilson_does_not():
    assert coverage(wald, 0.98, 50) < 0.7 and coverage(wilson, 0.98, 50) > 0.9
    assert wald(50, 50) == (1.0, 1.0) and wilson(50, 50)[0] < 0.94


def test_45_of_50_leaves_everything_from_79_to_96_percent_plausible():
    low, high = wilson(45, 50)
    assert (round(100 * low), round(100 * high)) == (79, 96) and high - low == pytest.approx(0.17, abs=0.005)


def test_only_a_transpose_gives_each_head_its_own_numbers_of_every_token():
    table = torch.arange(12).reshape(3, 4)
    heads = table.reshape(3, 2, 2).transpose(0, 1)
    assert heads[1].equal(table[:, 2:]) and heads.data_ptr() == table.data_ptr()
    mixed = table.reshape(2, 3, 2)[1].flatten().tolist()
    assert mixed == table[1, 2:].tolist() + table[2].tolist()  # half of one token, the whole last one


def test_half_the_margin_takes_four_times_the_items():
    def half(n: int) -> float:
        low, high = wilson(round(0.9 * n), n)
        return (high - low) / 2

    assert half(100) / half(400) == pytest.approx(2, abs=0.1)
    assert half(141) <= 0.05 < half(140) and half(34) <= 0.1 < half(33)


def test_what_the_text_says_about_gradients():
    assert 3.01**2 == pytest.approx(9.0601) and (3.01**2 - 9) / 0.01 == pytest.approx(6.01)
    w, x, y = Value(3.0), Value(2.0), Value(-5.0)
    error = w * x + y
    (error * error).backward()
    assert (error.data, error.grad, w.grad) == (1.0, 2.0, 4.0)


def test_an_engine_that_overwrites_instead_of_adding_gives_2():
    """What the text says of `=` in place of `+=`."""
    source = textwrap.dedent(inspect.getsource(Value))
    space: dict = {}
    exec(source.replace("parent.grad += ", "parent.grad = "), space)
    w, x, y = space["Value"](3.0), space["Value"](2.0), space["Value"](-5.0)
    error = w * x + y
    (error * error).backward()
    assert w.grad == 2.0


def test_what_the_text_says_about_softmax_and_nats():
    powers = np.exp([2.0, 1.0, 0.0])
    assert powers == pytest.approx([7.39, 2.72, 1], abs=0.005) and powers.sum() == pytest.approx(11.11, abs=0.005)
    assert powers / powers.sum() == pytest.approx([0.665, 0.245, 0.090], abs=0.0005)
    assert -math.log(0.5) == pytest.approx(0.693, abs=0.0005) and math.log(1000) == pytest.approx(6.9, abs=0.05)
    assert 1 / math.log(2) == pytest.approx(1.44, abs=0.005)


def test_perfect_predictions_of_the_wrong_shape_cost_133_hundredths():
    predictions, targets = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([1.0, 2.0, 3.0])
    assert ((predictions - targets) ** 2).mean().item() == pytest.approx(1.33, abs=0.005)


def test_the_chat_models_weights_take_538_or_269_megabytes():
    assert 134.5e6 * 4 == 538e6 and 134.5e6 * 2 == 269e6


def test_bf16_has_every_second_whole_number_above_256():
    numbers = torch.tensor([257.0, 258.0, 259.0, 260.0, 510.0, 511.0]).bfloat16()
    assert numbers.tolist() == [256, 258, 260, 260, 510, 512]


def test_the_librarys_loss_warns_of_the_opening_bug_and_plain_arithmetic_does_not(recwarn):
    predictions, targets = torch.zeros(5, 1), torch.zeros(5)
    ((predictions - targets) ** 2).mean()
    assert not recwarn.list
    with pytest.warns(UserWarning, match="different to the input size"):
        torch.nn.functional.mse_loss(predictions, targets)


def test_contiguous_copies_only_what_is_not_in_reading_order():
    x = torch.arange(6).reshape(2, 3)
    assert x.contiguous().data_ptr() == x.data_ptr() != x.T.contiguous().data_ptr()


# The letters of the appendix ------------------------------------------------------------------------------------------


def letters_only(text: str) -> str:
    return re.sub("[^a-z]+", " ", text.lower())


@cache
def counted(part: Corpus) -> Counter:
    text = letters_only(part.text)
    counts = Counter(text[i : i + n] for n in range(1, 10) for i in range(len(text) - n + 1))
    counts[""] = len(text)
    return counts


def counted_p(counts: Counter, part: Corpus, n: int, weight: float) -> torch.Tensor:
    """As the notebook's `table_p`, for the first 12,000 letters and any weight of the shorter context."""
    found = []
    text = letters_only(part.text)[:12_000]
    for i in range(8, len(text)):
        p = 1 / 27
        for start in range(i, i - n - 1, -1):
            p = (counts[text[start : i + 1]] + weight * p) / (counts[text[start:i]] + weight)
        found.append(p)
    return torch.tensor(found)


def test_if_and_else_are_one_page_and_a_part_of_another():
    pages = {title: letters_only(text).strip() for title, text in language_reference()}
    assert pages["if"] == pages["else"] and pages["if"] in pages["compound"]


def test_without_duplicates_hardly_any_held_out_stretch_was_trained_on():
    def copied(corpus: Corpus) -> float:
        train, held_out = (letters_only(part.text) for part in corpus.split(validation=0.1))
        asked, seen = ({text[i : i + 100] for i in range(len(text) - 99)} for text in (held_out, train))
        return len(asked & seen) / len(asked)

    assert copied(language_reference()) > 0.4 and copied(language_reference().distinct()) < 0.01


def test_most_stretches_of_eight_letters_came_once():
    train, _ = language_reference().distinct().split(validation=0.1)
    times = [times for stretch, times in counted(train).items() if len(stretch) == 8]
    assert times.count(1) > 0.55 * len(times)


def test_the_worked_example_of_counting():
    assert (8 + 30 * 0.4) / (10 + 30) == 0.5


def test_30_is_the_best_weight_on_training_pages():
    train, _ = language_reference().distinct().split(validation=0.1)
    inner, chosen_on = train.split(validation=0.1, seed=1)
    loss = {weight: -counted_p(counted(inner), chosen_on, 8, weight).log().mean() for weight in (1, 3, 10, 30)}
    assert min(loss, key=loss.get) == 30


def test_the_counts_have_about_1_08_nats():
    cells = json.loads((ROOT / "notebooks/00b_foundations.ipynb").read_text(encoding="utf-8"))["cells"]
    mix = next(cell for cell in cells if cell["id"] == "mix")
    printed = "".join("".join(output.get("text", [])) for output in mix["outputs"])
    counting, network, both = (float(re.search(rf"{name} ([\d.]+) nats", printed)[1]) for name in NATS)
    assert both < counting < network and counting == pytest.approx(1.08, abs=0.01)


def test_mixing_two_counts_gains_hardly_anything():
    """The control of the notebook's mixture: what the network adds is not what any second opinion adds."""
    train, held_out = language_reference().distinct().split(validation=0.1)
    table, *others = (counted_p(counted(train), held_out, n, weight) for n, weight in ((8, 30), (5, 30), (5, 10)))
    for other in others:
        assert (((table + other) / 2 / table).log().mean()) < 0.006
