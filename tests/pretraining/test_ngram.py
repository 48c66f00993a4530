"""Counts: probabilities sum to one, equal the trigram's, and know text better the longer they look back."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.old.pretraining import NGram, Tokens, continue_text
from tests.pretraining.texts import small_data


def tokens_of(ids) -> Tokens:
    return Tokens(np.asarray(ids, dtype=np.uint16), len(ids))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 5), min_size=8, max_size=60), st.integers(1, 5))
def test_the_probabilities_of_all_tokens_sum_to_one(ids, order):
    model = NGram.count(tokens_of(ids), 7, order)  # token 6 was never seen
    contexts = np.random.default_rng(0).integers(7, size=(20, order - 1))
    contexts[0] = ids[: order - 1]  # one that was seen
    p = model.probabilities(contexts, np.arange(7)[None].repeat(20, 0))
    assert p.min() > 0 and p.sum(axis=1) == pytest.approx(np.ones(20))


def test_the_logits_are_the_log_probabilities_that_judge_it():
    data = small_data()
    for order in (1, 2, 4):
        model = NGram.count(data.train, data.vocab_size, order)
        ids = torch.tensor(data.held_out.ids[:40].astype(np.int64))[None]
        logits = model(ids[:, :-1])
        assert logits.exp().sum(-1) == pytest.approx(torch.ones(1, 39), abs=1e-5)
        given_next = -logits[0].gather(1, ids[0, 1:, None])[:, 0]
        skipped = max(0, order - 2)  # rows begin with less context
        assert given_next[skipped:].tolist() == pytest.approx(model.nats(ids[0].numpy())[-(39 - skipped) :], abs=1e-5)


def test_more_context_tells_more():
    data = small_data()
    found = [NGram.count(data.train, data.vocab_size, order).surprise(data.held_out).nats for order in (1, 2, 3, 5)]
    assert found == sorted(found, reverse=True) and found[0] < math.log(data.vocab_size)
    text = continue_text(NGram.count(data.train, data.vocab_size, 5), data.tokenizer, "the cat ", 40, length=16)
    assert len(text) == 40


def test_where_a_row_begins_it_is_the_model_of_a_shorter_context():
    data = small_data()
    ids = torch.tensor(data.held_out.ids[:6].astype(np.int64))[None]
    long = NGram.count(data.train, data.vocab_size, 4)(ids)[0]
    # below the longest order counts are of different tokens before: a model whose longest is 5 has the same there
    longer = NGram.count(data.train, data.vocab_size, 5)(ids)[0]
    assert torch.allclose(long[:2], longer[:2], atol=1e-6) and not torch.allclose(long[2], longer[2], atol=1e-3)
    behind = NGram.count(data.train, data.vocab_size, 4)(ids[:, 1:])[0]
    assert torch.allclose(behind[2:], long[3:], atol=1e-6)  # three tokens are all that it looks at


def test_which_contexts_were_seen():
    model = NGram.count(tokens_of([0, 1, 2, 3, 0, 1]), 5, order=3)
    assert model.seen(np.array([0, 1, 2, 1, 2])).tolist() == [True, True, False]


@pytest.mark.parametrize("order", [0, 10, 40])
def test_an_order_that_cannot_be_counted_is_refused(order):
    with pytest.raises(ValueError, match="An order is at least 1"):
        NGram.count(tokens_of(range(20)), 100 if order == 10 else 3, order)
