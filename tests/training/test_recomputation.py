"""Tests of helpers.old.training.recomputation: the same numbers from less memory."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from helpers.old.lora import add_lora_, lora_parameters
from helpers.old.training import recompute_
from helpers.transformer import Llama, LlamaConfig

CONFIG = LlamaConfig(vocab_size=50, d_model=32, n_layers=3, n_heads=4, n_kv_heads=2, d_ff=96, max_len=64)


def trained_once(recomputed: int) -> tuple[torch.Tensor, list[torch.Tensor], int]:
    """Loss, the adapters' gradients, and how many numbers the graph kept."""
    torch.manual_seed(0)
    model = Llama(CONFIG)
    add_lora_(model, 4, alpha=8)
    for _ in range(recomputed):
        recompute_(model)
    for p in lora_parameters(model):
        nn.init.normal_(p, std=0.1)
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.data_ptr()] = tensor.numel()
        return tensor

    ids = torch.randint(50, (2, 20))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = model(ids).square().mean()
    size = sum(kept.values())
    loss.backward()
    return loss.detach(), [p.grad for p in lora_parameters(model)], size


@pytest.mark.parametrize("times", [1, 2])
def test_loss_and_gradients_are_the_same_and_less_is_kept(times):
    loss, gradients, size = trained_once(0)
    again, theirs, smaller = trained_once(times)
    assert torch.equal(loss, again)
    assert gradients and all(torch.equal(a, b) and a.abs().sum() > 0 for a, b in zip(gradients, theirs, strict=True))
    assert smaller < 0.8 * size


def test_another_model_is_refused():
    with pytest.raises(ValueError, match="no blocks with a feed_forward"):
        recompute_(nn.Linear(2, 2))
