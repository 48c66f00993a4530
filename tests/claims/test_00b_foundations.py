"""What the foundations notebook and its quizzes say in words and numbers, held against the thing itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from helpers.corpora import language_reference
from helpers.stats import coverage, wald, wilson


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


def test_ten_times_the_items_give_a_third_of_the_width():
    """√10 = 3.16, at the accuracy of a quarter that the notebook measures."""
    widths = [high - low for low, high in (wilson(n // 4, n) for n in (20, 200, 2000))]
    assert widths[0] / widths[1] == pytest.approx(3, abs=0.3) and widths[1] / widths[2] == pytest.approx(3, abs=0.3)


def test_the_naive_interval_falls_beyond_ninety_percent_and_wilson_stays_near_its_promise():
    p = np.linspace(0.5, 0.995, 100)
    assert coverage(wald, p[p < 0.85], 50).min() > 0.89 and coverage(wald, p[-1], 50) < 0.5
    assert np.abs(coverage(wilson, p, 50) - 0.95).max() < 0.05


def test_the_space_is_the_best_letter_to_guess_without_looking():
    """Against which the notebook holds the pair model."""
    text = "".join(c if c.isalpha() and c.isascii() else " " for c in language_reference().text.lower()).split()
    letters = " ".join(text)
    assert letters.count(" ") / len(letters) == max(letters.count(c) / len(letters) for c in set(letters))
