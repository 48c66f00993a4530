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
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.pretraining.data import Tokens


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
    stride = length if stride is None else stride
    if not 1 <= stride <= length:
        raise ValueError(f"A stride is between 1 and the length of the window, {length}, not {stride}.")
    tokens.n_windows(length)  # raises where the text is too short
    starts = range(0, len(tokens) - length, stride)[:limit]
    device, was_training = _device(model), model.training
    model.eval()
    total, counted = 0.0, 0
    with torch.no_grad():
        for first in range(0, len(starts), batch):
            rows = tokens._rows(starts[first : first + batch], length).to(device)
            losses = token_losses(model, rows)
            kept = losses[:, -stride:].double()
            if first == 0:  # the first window has no other that counts its beginning
                total += losses[0, :-stride].double().sum().item()
                counted += length - stride
            total += kept.sum().item()
            counted += kept.numel()
    model.train(was_training)
    return Surprise(total / counted, tokens.bytes_per_token, counted)


def token_losses(model: nn.Module, rows: Tensor) -> Tensor:
    """Surprise at each token but the first of each row, in nats: (B, T + 1) → (B, T)."""
    logits = model(rows[:, :-1])  # (B, T, V)
    return F.cross_entropy(logits.float().flatten(0, 1), rows[:, 1:].flatten(), reduction="none").view(len(rows), -1)


def _device(model: nn.Module) -> torch.device:
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
