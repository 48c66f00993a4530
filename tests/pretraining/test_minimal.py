"""Pretraining in its smallest form: the losses and weights of the full loop, short enough to be shown."""

from __future__ import annotations

import pytest
import torch

from helpers.display.source import source_of
from helpers.old.pretraining import Characters, Recipe, TokenData, minimal_pretrain, pretrain
from helpers.old.transformer import MinimalGPT
from tests.pretraining.texts import small_text


def test_losses_and_weights_are_those_of_the_full_version():
    """Sums may come in another order, and AdamW enlarges the noise of a tiny gradient: a thirtieth of a step."""
    text = small_text(1500)
    sizes = {"d_model": 16, "n_layers": 2, "n_heads": 2}
    model, alphabet, losses, held_out = minimal_pretrain(text, steps=12, batch=3, length=16, warmup=4, **sizes)
    cut = len(text) * 9 // 10
    data = TokenData.of_texts(text[:cut], text[cut:], Characters("".join(alphabet)))
    torch.manual_seed(0)
    full = MinimalGPT(len(alphabet), 16, **sizes)
    recipe = Recipe(steps=12, batch=3, length=16, warmup=4, rate=1e-3, optimizer="adamw")
    run = pretrain(full, data, recipe)
    assert losses == pytest.approx(run.losses, abs=1e-5)
    for name, weight in full.state_dict().items():
        assert (model.state_dict()[name] - weight).abs().max() <= 3e-5, name
    assert list(held_out) == [12] and held_out[12] == pytest.approx(run.validation[12], abs=0.05)


def test_it_is_short_enough_to_be_shown():
    lines = source_of(minimal_pretrain, docstring=False).code.splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 60
