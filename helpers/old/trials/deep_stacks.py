"""Deep stacks, wired in four ways: how large are the gradients, and does it learn?

    model = deep_stack("post-norm", seed=0)
    norms = gradient_norms(model, ids)          # one number per layer
    losses = list(train(model, steps=100, warmup=50))

Every stack is the course's `GPT` with the same sizes and the same start, in which a matrix keeps the size of what it
multiplies (variance 1/width); only the wiring differs. Text: bytes of the Python language reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.old.corpora import language_reference
from helpers.old.transformer.gpt import GPT, GPTConfig
from helpers.transformer.layers import init_weights

VARIANTS = {
    "pre-norm": {"block": "pre"},
    "post-norm": {"block": "post"},
    "no norm": {"norm": "none"},
    "no residual": {"block": "no_residual"},
}
N_LAYERS, WIDTH, BATCH, LENGTH = 24, 64, 8, 32


def deep_stack(variant: str, seed: int = 0, n_layers: int = N_LAYERS) -> GPT:
    """A fresh stack over bytes; variant: a key of VARIANTS. Raises KeyError for another."""
    torch.manual_seed(seed)
    config = GPTConfig(
        256, d_model=WIDTH, n_layers=n_layers, n_heads=4, max_len=LENGTH, tied=False, **VARIANTS[variant]
    )
    model = GPT(config)
    init_weights(model, n_layers, std=WIDTH**-0.5)
    return model


@lru_cache(maxsize=1)
def _bytes() -> Tensor:
    return torch.tensor(list(language_reference().head(400_000).encode()))


def batches(seed: int, steps: int) -> list[Tensor]:
    """`steps` random pieces of the text, (BATCH, LENGTH + 1) each."""
    generator, text = torch.Generator().manual_seed(seed), _bytes()
    starts = torch.randint(len(text) - LENGTH, (steps, BATCH, 1), generator=generator)
    return list(text[starts + torch.arange(LENGTH + 1)])


def frequency_loss() -> float:
    """Mean surprise of a model that knows how often each byte occurs and nothing else, in nats per byte."""
    share = torch.bincount(_bytes()) / len(_bytes())
    return float(-torch.special.xlogy(share, share).sum())


def loss_of(model: nn.Module, ids: Tensor) -> Tensor:
    """Mean surprise at the next byte, in nats; ids: (B, T + 1)."""
    return F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())


def train(model: nn.Module, steps: int, seed: int = 0, rate: float = 3e-3, warmup: int = 0) -> Iterator[float]:
    """Adam with gradients clipped to a norm of 1; gives the loss at each step, nats per byte, until it is no number.

    warmup: steps over which the learning rate rises linearly to `rate`.
    """
    optimizer = torch.optim.Adam(model.parameters(), rate)
    for step, ids in enumerate(batches(seed, steps), start=1):
        optimizer.param_groups[0]["lr"] = rate * min(1, step / warmup) if warmup else rate
        loss = loss_of(model, ids)
        yield float(loss.detach())
        if not loss.isfinite():
            return
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
