"""Wrong versions of the exercises of 02b_transformer, each of which learners write; `transformer` names the cause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

# rms_norm ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def layer_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return torch.nn.functional.layer_norm(x, weight.shape, weight, eps=eps)


def over_deviation(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return x / (x.var(-1, keepdim=True, correction=0) + eps).sqrt() * weight


def over_sample_deviation(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return x / (x.std(-1, keepdim=True) + eps) * weight


def mean_of_sizes(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return x / (x.abs().mean(-1, keepdim=True) + eps) * weight


def normed(
    *,
    eps_inside: bool = True,
    mean: bool = True,
    axis: int | None = -1,
    weighted: bool = True,
    shift: float = 0.0,
    root: bool = True,
    fixed_eps: float | None = None,
    added: bool = False,
) -> Callable[..., Tensor]:
    """RMSNorm with one thing done wrong."""

    def variant(x: Tensor, weight: Tensor, eps: float) -> Tensor:
        eps = eps if fixed_eps is None else fixed_eps
        squares = x.pow(2)
        size = (
            squares.mean()
            if axis is None
            else squares.mean(axis, keepdim=True)
            if mean
            else squares.sum(axis, keepdim=True)
        )
        if not root:
            below = size + eps
        else:
            below = (size + eps).sqrt() if eps_inside else size.sqrt() + eps
        if added:
            return x / below + weight
        return x / below * (weight + shift) if weighted else x / below

    return variant


# pre_norm_block ──────────────────────────────────────────────────────────────────────────────────────────────────────


def block(half: str) -> Callable[..., Tensor]:
    """The block with one half, "first" or "second", mended."""

    def variant(x: Tensor, attention: Any, feed_forward: Any, attention_norm: Any, feed_forward_norm: Any) -> Tensor:
        if half == "first":
            x = x + attention(attention_norm(x))
            x = feed_forward_norm(x)
            return x + feed_forward(x)
        x = attention_norm(x)
        x = x + attention(x)
        return x + feed_forward(feed_forward_norm(x))

    return variant


def post_norm(x: Tensor, attention: Any, feed_forward: Any, attention_norm: Any, feed_forward_norm: Any) -> Tensor:
    x = attention_norm(x + attention(x))
    return feed_forward_norm(x + feed_forward(x))


def norms_exchanged(
    x: Tensor, attention: Any, feed_forward: Any, attention_norm: Any, feed_forward_norm: Any
) -> Tensor:
    x = x + attention(feed_forward_norm(x))
    return x + feed_forward(attention_norm(x))


def feed_forward_first(
    x: Tensor, attention: Any, feed_forward: Any, attention_norm: Any, feed_forward_norm: Any
) -> Tensor:
    x = x + feed_forward(feed_forward_norm(x))
    return x + attention(attention_norm(x))


def added_to_the_old(
    x: Tensor, attention: Any, feed_forward: Any, attention_norm: Any, feed_forward_norm: Any
) -> Tensor:
    middle = x + attention(attention_norm(x))
    return x + feed_forward(feed_forward_norm(middle))


def raw(half: str) -> Callable[..., Tensor]:
    """The block in which one sublayer, "attention" or "feed-forward", reads the stream itself."""

    def variant(x: Tensor, attention: Any, feed_forward: Any, attention_norm: Any, feed_forward_norm: Any) -> Tensor:
        x = x + attention(x if half == "attention" else attention_norm(x))
        return x + feed_forward(x if half == "feed-forward" else feed_forward_norm(x))

    return variant


def parallel(x: Tensor, attention: Any, feed_forward: Any, attention_norm: Any, feed_forward_norm: Any) -> Tensor:
    return x + attention(attention_norm(x)) + feed_forward(feed_forward_norm(x))


def without_norms(x: Tensor, attention: Any, feed_forward: Any, *_: Any) -> Tensor:
    x = x + attention(x)
    return x + feed_forward(x)


def without_residual(
    x: Tensor, attention: Any, feed_forward: Any, attention_norm: Any, feed_forward_norm: Any
) -> Tensor:
    return feed_forward(feed_forward_norm(attention(attention_norm(x))))


def one_norm_for_both(x: Tensor, attention: Any, feed_forward: Any, attention_norm: Any, _: Any) -> Tensor:
    x = x + attention(attention_norm(x))
    return x + feed_forward(attention_norm(x))


# swap_residual ───────────────────────────────────────────────────────────────────────────────────────────────────────


def swap(
    *,
    late: int = 0,
    behind: bool = True,
    everywhere: bool = False,
    always_last: bool = False,
    add: bool = False,
    stop: bool = False,
    norm: bool = True,
    causal: bool = True,
    rope: bool = True,
    every_layer: bool = False,
    never: bool = False,
    embedding: bool = True,
    read_there: bool = False,
) -> Callable[..., Tensor]:
    """`swap_residual` with one thing done wrong."""

    def variant(model: Any, ids: Tensor, layer: int, vector: Tensor, position: int = -1) -> Tensor:
        angles = model.rope(torch.arange(ids.shape[1])) if rope else None
        place = slice(None) if everywhere else -1 if always_last else position
        new = vector[..., None, :] if everywhere else vector
        x, n_blocks = model.embedding(ids).clone(), len(model.blocks)
        for number in range(n_blocks + 1):
            hit = number == layer + late or (every_layer and number < n_blocks)
            if hit and not never and (behind or number < n_blocks) and (embedding or number):
                x[:, place] = x[:, place] + new if add else new
                if stop:
                    break
            if number < n_blocks:
                x = model.blocks[number](x, causal=causal, rope=angles)
        last = x[:, position if read_there else -1]
        return model.head(model.norm(last) if norm else last)

    return variant


# choose_layer ────────────────────────────────────────────────────────────────────────────────────────────────────────


def chosen(
    *,
    by_mean: bool = False,
    strict: bool = False,
    last: bool = False,
    best: bool = False,
    in_any_case: bool = False,
    sign: int = 1,
    any_pair: bool = False,
    otherwise: int | None = None,
    stays: bool = False,
    over_layers: bool = False,
    zero_too: bool = False,
    first_number: int = 0,
) -> Callable[..., int | None]:
    """`choose_layer` with one thing done wrong."""

    def variant(differences: Tensor, share: float) -> int | None:
        table = differences <= 0 if zero_too else sign * differences < 0
        turned = table.float().mean(1 if over_layers else 0)
        if best:
            return int(turned.argmax()) if in_any_case or turned.max() >= share else otherwise
        good = turned > share if strict else turned > 0 if any_pair else turned >= share
        if by_mean:
            good = differences.mean(0) < 0
        if stays:  # good, and good at every layer behind it
            good = good.flip(0).cummin(0).values.flip(0)
        layers = good.nonzero().flatten().tolist()
        return first_number + layers[-1 if last else 0] if layers else otherwise

    return variant
