"""Surprise: by arithmetic where it is known, the same whatever the batch, comparable across tokenizers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from helpers.old.pretraining import Characters, NGram, TokenData, Tokens, bits_per_byte, loss_by_context, surprise
from helpers.old.pretraining.bits import token_losses
from tests.pretraining.texts import small_data, small_gpt, small_text


class Uniform(nn.Module):
    """Knows nothing: every token is equally likely."""

    def __init__(self, vocab_size):
        super().__init__()
        self.vocab_size = vocab_size

    def forward(self, ids):
        return torch.zeros(*ids.shape, self.vocab_size)


def test_a_model_that_knows_nothing_needs_the_logarithm_of_the_vocabulary():
    tokens = Tokens(np.arange(100, dtype=np.uint16) % 16, 100)
    found = surprise(Uniform(16), tokens, length=8)
    assert found.nats == pytest.approx(math.log(16)) and found.bits_per_byte == pytest.approx(4.0)


def test_the_same_text_in_pairs_of_characters_costs_the_same_bits():
    """16 characters known equally well, read one by one or in pairs of 256: half the tokens, twice the surprise."""
    ids = np.random.default_rng(0).integers(16, size=401).astype(np.uint16)
    single = surprise(Uniform(16), Tokens(ids, 401), length=8)
    pairs = surprise(Uniform(256), Tokens(ids[:400:2] * 16 + ids[1::2], 400), length=8)
    assert pairs.nats == pytest.approx(2 * single.nats)
    assert pairs.bits_per_byte == pytest.approx(single.bits_per_byte)


@pytest.mark.parametrize("stride", [16, 8, 5, 1])
def test_every_token_counts_once_whatever_the_batch(stride):
    text = small_text(60)
    data = TokenData.of_texts(text, text, Characters.train(text))
    model = small_gpt(data.vocab_size)
    found = [surprise(model, data.held_out, 16, stride, batch=batch) for batch in (1, 7, 64)]
    assert [f.nats for f in found] == pytest.approx([found[0].nats] * 3, abs=1e-6)
    starts = range(0, len(data.held_out) - 16, stride)
    assert found[0].n_tokens == 16 + (len(starts) - 1) * stride
    by_hand, counted = 0.0, 0
    for start in starts:
        rows = torch.tensor(data.held_out.ids[start : start + 17].astype(np.int64))[None]
        losses = token_losses(model, rows)[0]
        kept = losses if start == 0 else losses[-stride:]
        by_hand, counted = by_hand + kept.sum().item(), counted + len(kept)
    assert found[0].nats == pytest.approx(by_hand / counted, abs=1e-5) and counted == found[0].n_tokens


def test_the_model_is_left_as_it_was_and_bad_strides_are_refused():
    text = small_text(60)
    data = TokenData.of_texts(text, text, Characters.train(text))
    model = small_gpt(data.vocab_size).train()
    surprise(model, data.held_out, 16, limit=1)
    assert model.training
    for stride in (0, 17):
        with pytest.raises(ValueError, match="A stride is between 1 and"):
            surprise(model, data.held_out, 16, stride)


def test_bits_of_a_byte_of_which_nothing_is_known():
    assert bits_per_byte(math.log(256), 1.0) == pytest.approx(8.0)


def test_context_beyond_its_reach_tells_a_model_nothing():
    data = small_data()
    found = loss_by_context(NGram.count(data.train, data.vocab_size, 3), data.held_out, (1, 2, 4, 8), n=300)
    assert found[2] < found[1] and found[2] == pytest.approx(found[4]) == pytest.approx(found[8])


def test_the_last_token_of_a_longer_window_is_judged():
    data = small_data()
    model = small_gpt(data.vocab_size)
    found = loss_by_context(model, data.held_out, (3, 8), n=5, seed=1)
    places = torch.randint(len(data.held_out) - 8, (5,), generator=torch.Generator().manual_seed(1)).tolist()
    for length in (3, 8):
        losses = []
        for place in places:
            ids = torch.tensor(data.held_out.ids[place : place + 9].astype(np.int64))
            losses.append(token_losses(model, ids[None, -length - 1 :])[0, -1].item())
        assert found[length] == pytest.approx(sum(losses) / 5, abs=1e-5)
