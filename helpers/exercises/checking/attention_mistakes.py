"""Wrong versions of the exercises of 02_attention, each of which learners write; `attention` names the cause."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

# attention_weights ───────────────────────────────────────────────────────────────────────────────────────────────────


def weights(*, power: float = -0.5, size: Callable[[Tensor, Tensor], int] | None = None, dim: int = -1) -> Callable:
    """Attention weights with another power of the scale, of another size, or normalized along another axis."""

    def variant(q: Tensor, k: Tensor) -> Tensor:
        divisor = q.shape[-1] if size is None else size(q, k)
        return (q @ k.transpose(-2, -1) * divisor**power).softmax(dim=dim)

    return variant


def bare_scores(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5


def scaled_after_softmax(q: Tensor, k: Tensor) -> Tensor:
    return (q @ k.transpose(-2, -1)).softmax(dim=-1) / q.shape[-1] ** 0.5


# causal_mask ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def mask(*, shift: int = 0, top_left: bool = False, upper: bool = False) -> Callable[[int, int], Tensor]:
    """A causal mask whose diagonal is shifted, starts at the top left, or that shows the future."""

    def variant(T: int, S: int) -> Tensor:
        diagonal = (0 if top_left else S - T) + shift
        everything = torch.ones(T, S, dtype=torch.bool)
        return everything.triu(diagonal) if upper else everything.tril(diagonal)

    return variant


# masked_attention ────────────────────────────────────────────────────────────────────────────────────────────────────


def attention(
    *,
    hidden: float = float("-inf"),
    flipped: bool = False,
    scaled: bool = True,
    dim: int = -1,
    own_mask: Callable[[int, int], Tensor] | None = None,
    multiplied: bool = False,
    afterwards: str = "",
) -> Callable[..., Tensor]:
    """Masked attention with one thing done wrong."""

    def variant(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        scores = q @ k.transpose(-2, -1) * (q.shape[-1] ** -0.5 if scaled else 1.0)
        hide = mask if flipped else ~mask if own_mask is None else ~own_mask(*scores.shape[-2:])
        if multiplied:
            return (scores + hide * hidden).softmax(dim) @ v
        if not afterwards:
            return scores.masked_fill(hide, hidden).softmax(dim) @ v
        shares = scores.softmax(dim).masked_fill(hide, float("-inf") if afterwards == "minus infinity" else 0.0)
        return (shares.softmax(dim) if afterwards == "softmax again" else shares) @ v

    return variant


# split_heads ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def reshaped_only(x: Tensor, n_heads: int) -> Tensor:
    B, T, C = x.shape
    return x.reshape(B, n_heads, T, C // n_heads)


def interleaved(x: Tensor, n_heads: int) -> Tensor:
    B, T, C = x.shape
    return x.reshape(B, T, C // n_heads, n_heads).permute(0, 3, 1, 2)


def not_transposed(x: Tensor, n_heads: int) -> Tensor:
    B, T, C = x.shape
    return x.reshape(B, T, n_heads, C // n_heads)


def batch_mixed(x: Tensor, n_heads: int) -> Tensor:
    B, T, C = x.shape
    return x.reshape(T, B, n_heads, C // n_heads).permute(1, 2, 0, 3)


# induction_score ─────────────────────────────────────────────────────────────────────────────────────────────────────


def induction(*, offset: int = 1, skip: int = 1, stop: int | None = None, summed: bool = False) -> Callable:
    """The score along another diagonal, over other rows of it, or not averaged."""

    def variant(weights: Tensor, length: int) -> Tensor:
        paid = weights.diagonal(offset - length, dim1=-2, dim2=-1)[..., skip:stop]
        return paid.sum(-1) if summed else paid.mean(-1)

    return variant


def what_came_before(weights: Tensor, length: int) -> Tensor:
    """Key t − length − 1 of every query t; for the first query this is key −1, which Python takes for the last."""
    t = torch.arange(length, 2 * length)
    return weights[..., t, t - length - 1].mean(-1)


def over_everything(weights: Tensor, length: int) -> Tensor:
    return weights.diagonal(1 - length, dim1=-2, dim2=-1)[..., 1:].mean()


def axes_swapped(weights: Tensor, length: int) -> Tensor:
    return weights.diagonal(length - 1, dim1=-2, dim2=-1)[..., 1:].mean(-1)


# repeat_kv ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def tiled(x: Tensor, times: int) -> Tensor:
    return x.repeat(1, times, 1, 1)


def laid_flat(x: Tensor, times: int) -> Tensor:
    return x.repeat_interleave(times)


def copies_apart(x: Tensor, times: int) -> Tensor:
    return torch.stack([x] * times, dim=2)


def along(dim: int) -> Callable[[Tensor, int], Tensor]:
    """Repeated along another axis."""
    return lambda x, times: x.repeat_interleave(times, dim=dim)
