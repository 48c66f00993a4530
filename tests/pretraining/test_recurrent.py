"""The models from before the transformer: causal, trained by the same loop, equal to what they are described as."""

from __future__ import annotations

import pytest
import torch

from helpers.old.pretraining import BagOfVectors, Recipe, Recurrent, pretrain
from tests.pretraining.texts import small_data


def models(vocab_size):
    torch.manual_seed(0)
    return [BagOfVectors(vocab_size, 4, 16, 32), Recurrent(vocab_size, 16, 24), Recurrent(vocab_size, 16, 24, 2)]


@pytest.mark.parametrize("which", range(3))
def test_a_future_token_cannot_change_an_earlier_logit(which):
    model = models(11)[which]
    ids = torch.arange(10)[None]
    other = ids.clone()
    other[0, 6:] = 0
    one, two = model(ids), model(other)
    assert one.shape == (1, 10, 11)
    assert torch.allclose(one[:, :6], two[:, :6], atol=1e-6) and not torch.allclose(one[:, 6], two[:, 6])


@pytest.mark.parametrize("which", range(2))
def test_the_loop_trains_them(which):
    data = small_data()
    model = models(data.vocab_size)[which]
    recipe = Recipe(steps=40, batch=8, length=16, warmup=4, optimizer="adamw", rate=1e-2)
    run = pretrain(model, data, recipe, evaluate_every=40)
    assert run.validation[40] < run.validation[0] - 0.5


def test_a_bag_has_no_order_and_forgets_what_is_older():
    model = models(11)[0]
    last = [model(torch.tensor([ids]))[0, -1] for ids in ([9, 1, 2, 3, 4], [9, 4, 3, 1, 2], [8, 1, 2, 3, 4])]
    assert torch.allclose(last[0], last[1], atol=1e-6) and torch.allclose(last[0], last[2], atol=1e-6)
    short = model(torch.tensor([[1, 2]]))[0, -1]
    by_hand = model.head(torch.nn.functional.gelu(model.hidden(model.embedding(torch.tensor([1, 2])).mean(0))))
    assert torch.allclose(short, by_hand, atol=1e-6)
