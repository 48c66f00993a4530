"""How surprised is a model by text that it has never seen? In nats per token, and in bits per byte.

    found = surprise(model, data.held_out, length=64)
    found.nats                  # per token: what the training loss is measured in
    found.bits_per_byte         # comparable across tokenizers: the bytes of a text are the same, whoever cuts it

    bits per byte = nats per token · tokens / ln 2 / bytes

Two losses per token can be compared only where both models cut the text into the same tokens: one that reads ten
characters per token is asked fewer and harder questions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.old.pretraining.data import Tokens


@dataclass(frozen=True)
class Surprise:
    """Mean surprise at the tokens of a text."""

    nats: float  # per token
    bytes_per_token: float
    n_tokens: int

    @property
    def bits_per_byte(self) -> float:
        """Bits per byte of UTF-8."""
        return bits_per_byte(self.nats, self.bytes_per_token)


def bits_per_byte(nats_per_token: float, bytes_per_token: float) -> float:
    """From nats per token to bits per byte.

    >>> bits_per_byte(math.log(256), 1.0)        # a byte of which nothing is known
    8.0
    """
    return nats_per_token / math.log(2) / bytes_per_token


def surprise(
    model: nn.Module, tokens: Tokens, length: int, stride: int | None = None, batch: int = 64, limit: int | None = None
) -> Surprise:
    """Mean surprise of a model at a text, read in windows of `length` tokens.

    stride: of each window only the last `stride` tokens are counted, the others are its context, so a smaller stride
    gives more context and takes longer; `length` by default, which counts every token, the first of a window with no
    more context than one token. limit: only so many windows, from the start. The model is in `eval()` meanwhile.
    Raises ValueError where the text is shorter than a window or 1 ≤ stride ≤ length does not hold.
    """
    losses = text_losses(model, tokens, length, stride, batch, limit)
    return Surprise(losses.mean().item(), tokens.bytes_per_token, len(losses))


def text_losses(
    model: nn.Module, tokens: Tokens, length: int, stride: int | None = None, batch: int = 64, limit: int | None = None
) -> Tensor:
    """Surprise at every token of a text but its first, in nats, (n,) float64, read as `surprise` reads it; a rest that
    fills no stride is left out. Raises as `surprise` does."""
    stride = length if stride is None else stride
    if not 1 <= stride <= length:
        raise ValueError(f"A stride is between 1 and the length of the window, {length}, not {stride}.")
    tokens.n_windows(length)  # raises where the text is too short
    starts = range(0, len(tokens) - length, stride)[:limit]
    was_training, parts = model.training, []
    model.eval()
    with torch.no_grad():
        for first in range(0, len(starts), batch):
            rows = tokens.rows(starts[first : first + batch], length).to(device_of(model))
            losses = token_losses(model, rows).double().cpu()
            if first == 0:  # no window before the first counts its beginning
                parts.append(losses[0, :-stride])
            parts.append(losses[:, -stride:].flatten())
    model.train(was_training)
    return torch.cat(parts)


def loss_by_context(
    model: nn.Module, tokens: Tokens, lengths: Sequence[int], n: int = 2000, batch: int = 256, seed: int = 0
) -> dict[int, float]:
    """Mean surprise, in nats, at the same `n` tokens when the model sees only so many tokens before each.

    Where the curve levels off, more text before a token no longer helps this model. Raises ValueError where the text
    is shorter than the longest context.
    """
    longest = max(lengths)
    tokens.n_windows(longest)
    places = torch.randint(len(tokens) - longest, (n,), generator=torch.Generator().manual_seed(seed)).tolist()
    rows, found = tokens.rows(places, longest).to(device_of(model)), {}
    model.eval()
    with torch.no_grad():
        for length in lengths:
            parts = [token_losses(model, part[:, -length - 1 :])[:, -1] for part in rows.split(batch)]
            found[length] = torch.cat(parts).double().mean().item()
    return found


def token_losses(model: nn.Module, rows: Tensor) -> Tensor:
    """Surprise at each token but the first of each row, in nats: (B, T + 1) → (B, T)."""
    logits = model(rows[:, :-1])  # (B, T, V)
    return F.cross_entropy(logits.float().flatten(0, 1), rows[:, 1:].flatten(), reduction="none").view(len(rows), -1)


def device_of(model: nn.Module) -> torch.device:
    """Where a model's parameters are; the CPU where it has none."""
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
