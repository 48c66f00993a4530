"""Training in its smallest form: the losses and the weights that the full `train` gives."""

from __future__ import annotations

import pytest
import torch

from helpers.display.source import source_of
from helpers.old.training import Recipe, minimal_train, train
from helpers.old.transformer import MinimalGPT, MinimalLlama
from helpers.transformer import Llama, LlamaConfig
from tests.training.test_collation_and_losses import V, examples

LENGTHS = (5, 9, 3, 12, 7, 4, 8, 6, 10)


def fresh_llama() -> Llama:
    torch.manual_seed(0)
    return Llama(LlamaConfig(V, 32, 2, 4, 48, n_kv_heads=2, tied=True))


@pytest.mark.parametrize(("steps", "rate", "batch", "warmup"), [(1, 3e-3, 1, 0), (12, 3e-3, 4, 3), (30, 1e-2, 9, 3)])
def test_losses_and_weights_are_those_of_the_full_version(steps, rate, batch, warmup):
    """Sums may come in another order, and AdamW enlarges the noise of a tiny gradient: a thirtieth of a step, 1e-4.

    Measured: losses equal to 1e-6, weights to 2e-7.
    """
    full, model = fresh_llama(), fresh_llama()
    texts = examples(*LENGTHS, prompt=2)
    history = train(full, texts, Recipe(steps=steps, rate=rate, batch=batch, warmup=warmup))
    losses = minimal_train(model, texts, steps, rate, batch, warmup)
    assert losses == pytest.approx(history.losses, abs=1e-5)
    for name, weight in full.state_dict().items():
        assert (model.state_dict()[name] - weight).abs().max() <= 1e-4, name
    assert not model.training
    if steps == 30:  # some gradients were cut and some were not
        assert min(history.gradient_norms) < 0.9 < 1.1 < max(history.gradient_norms)


def test_the_minimal_models_learn_a_text_by_heart():
    texts = examples(*LENGTHS)
    for make in (
        lambda: MinimalLlama(V, d_model=32, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=64, rope_base=10_000.0),
        lambda: MinimalGPT(V, max_len=16, d_model=32, n_layers=2, n_heads=4),
    ):
        torch.manual_seed(0)
        losses = minimal_train(make(), texts, steps=60, rate=1e-2, batch_size=9, warmup=5)
        assert losses[0] == pytest.approx(torch.tensor(V).log().item(), abs=0.2)  # at first it knows nothing
        assert losses[-1] < 0.2


def test_it_is_short_enough_to_be_shown():
    lines = source_of(minimal_train, docstring=False).code.splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 30
