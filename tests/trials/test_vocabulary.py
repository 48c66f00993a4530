"""The trial of vocabularies: models of one size, a loss that is what it says, and a choice by rule."""

from __future__ import annotations

import json
import math

import pytest
import torch

from helpers.files import RESULTS
from helpers.tokenization import BPETokenizer
from helpers.trials import vocabulary as trial
from helpers.trials.vocabulary import CONTEXT, N_PARAMETERS, TinyDecoder, choose_vocab_size, train_trial, width_for

TEXT = "the brake squeaks and the battery charges while the wheel turns; " * 60
RECORDED = RESULTS / "01_vocabulary.json"


@pytest.fixture
def small_text(monkeypatch):
    monkeypatch.setattr(trial, "_texts", lambda: (TEXT, TEXT[:900]))
    monkeypatch.setattr(trial, "_tokenizer", lambda size: BPETokenizer.train(TEXT, size))


@pytest.mark.parametrize("vocab_size", [256, 1024, 4096, 16384])
def test_every_vocabulary_makes_a_model_of_about_two_million_weights(vocab_size):
    model = TinyDecoder(vocab_size, width_for(vocab_size))
    size = sum(parameter.numel() for parameter in model.parameters())
    assert size == pytest.approx(N_PARAMETERS, rel=0.05)  # the width moves in steps of 8


def test_a_larger_vocabulary_leaves_less_width():
    widths = [width_for(size) for size in (256, 1024, 4096, 16384)]
    assert widths == sorted(widths, reverse=True) and widths[0] > 2 * widths[-1]
    assert all(width % trial.N_HEADS == 0 for width in widths)


def test_no_position_sees_the_future():
    torch.manual_seed(0)
    model = TinyDecoder(50, 32).eval()
    ids = torch.randint(50, (1, 20))
    changed = ids.clone()
    changed[0, 12:] = (changed[0, 12:] + 1) % 50
    before, after = model(ids), model(changed)
    assert torch.allclose(before[0, :12], after[0, :12], atol=1e-5)
    assert not torch.allclose(before[0, 12:], after[0, 12:], atol=1e-3)


@pytest.mark.parametrize("length", [2, 64, 65, 66, 97, 98, 150])
def test_the_loss_counts_every_token_but_the_first_once(length):
    torch.manual_seed(0)
    model, half = TinyDecoder(40, 32).eval(), CONTEXT // 2
    ids, expected = torch.randint(40, (length,)), 0.0
    for t in range(1, length):
        start = 0 if t <= CONTEXT else half * math.ceil((t - CONTEXT) / half)
        with torch.no_grad():
            expected -= float(model(ids[None, start:t])[0, -1].log_softmax(-1)[ids[t]])
    assert trial._nats(model, ids) == pytest.approx(expected, rel=1e-4)


def test_an_untrained_model_needs_about_eight_bits_for_each_of_256_bytes(small_text):
    found = train_trial(256, n_tokens=0, seed=1, progress=False)
    assert 5 < found.bits_per_byte < 8.5  # one step of training, at most


def test_training_helps_and_the_seed_decides(small_text):
    first, again = (train_trial(290, n_tokens=40_000, seed=1, progress=False).bits_per_byte for _ in range(2))
    other = train_trial(290, n_tokens=40_000, seed=2, progress=False).bits_per_byte
    assert first < 2.5  # it repeats sixty times
    assert first == pytest.approx(again, abs=1e-3) and first != other


def test_a_vocabulary_that_the_text_cannot_fill_is_refused(small_text):
    with pytest.raises(ValueError, match="ask for less"):
        train_trial(5000, n_tokens=1000, seed=1)


def test_the_smallest_vocabulary_within_one_standard_error_is_chosen():
    assert choose_vocab_size({512: [2.41, 2.42, 2.43], 1024: [2.30, 2.31, 2.32], 2048: [2.29, 2.31, 2.33]}) == 1024
    assert choose_vocab_size({1024: [2.0, 2.4], 512: [2.1, 2.5], 256: [3.0, 3.1]}) == 512


def test_the_recorded_runs_are_complete():
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    cases = {(run["case"]["n_tokens"], run["case"]["vocab_size"]) for run in recorded["runs"]}
    budgets, sizes = ({case[i] for case in cases} for i in (0, 1))
    assert len(budgets) == 2 and cases == {(tokens, size) for tokens in budgets for size in sizes}
    assert all(run["case"]["seed"] != 0 for run in recorded["runs"])  # the notebook's own seed
