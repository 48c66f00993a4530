"""What several exercises of 02b_transformer try their answers on: drawn tensors and tiny models, each by name."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.old.transformer.minimal import MinimalLlama

VOCABULARY = 31
MODELS = {  # name: n_layers, n_heads, n_kv_heads, seed
    "a random Llama of 3 blocks": (3, 2, 2, 1),
    "a random Llama of 2 blocks": (2, 4, 2, 2),
    "a random Llama of 5 blocks": (5, 2, 1, 3),
}


def normal(rng: Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return torch.tensor(rng.normal(size=shape) * scale, dtype=torch.float32)


def drawn_ids(rng: Generator, *shape: int) -> Tensor:
    return torch.tensor(rng.integers(VOCABULARY, size=shape))


def tiny_llama(name: str) -> MinimalLlama:
    """One of MODELS, with weights large enough that every part of it shows in the logits."""
    n_layers, n_heads, n_kv_heads, seed = MODELS[name]
    torch.manual_seed(seed)
    model = MinimalLlama(VOCABULARY, 16, n_layers, n_heads, n_kv_heads, d_ff=24, rope_base=10_000.0).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(1.0 if weight.dim() == 1 else 0.0, 0.35)
    return model
