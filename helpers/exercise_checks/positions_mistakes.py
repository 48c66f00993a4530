"""Plausible wrong answers to the exercises of 02c_positions_and_length, by what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from helpers.kv_cache import KVCache, layer_caches

# alibi_slopes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def slopes_from_one(n_heads: int) -> Tensor:
    return 2.0 ** (-8 / n_heads * torch.arange(n_heads))


def slopes_of_eight_heads(n_heads: int) -> Tensor:
    return 2.0 ** -torch.arange(1.0, n_heads + 1)


def slopes_evenly_spaced(n_heads: int) -> Tensor:
    return torch.arange(n_heads, 0, -1) / n_heads


def slopes_as_exponents(n_heads: int) -> Tensor:
    return 8 / n_heads * torch.arange(1.0, n_heads + 1)


# apply_rope ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _turned(x: Tensor, cos: Tensor, sin: Tensor, neighbors: bool) -> tuple[Tensor, Tensor]:
    a, b = (x[..., 0::2], x[..., 1::2]) if neighbors else x.chunk(2, dim=-1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return a * cos - b * sin, a * sin + b * cos


def neighbors_left_as_halves(x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = False) -> Tensor:
    return torch.cat(_turned(x, cos, sin, interleaved), dim=-1)


def halves_left_as_neighbors(x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = False) -> Tensor:
    return torch.stack(_turned(x, cos, sin, interleaved), dim=-1).flatten(-2)


def cos_sin_swapped(x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = False) -> Tensor:
    turned = _turned(x, sin, cos, interleaved)
    return torch.stack(turned, dim=-1).flatten(-2) if interleaved else torch.cat(turned, dim=-1)


# sliding_window_mask ─────────────────────────────────────────────────────────────────────────────────────────────────


def _window(T: int, window: int, n_global: int) -> Tensor:
    apart = torch.arange(T)[:, None] - torch.arange(T)  # query minus key
    return (apart >= 0) & ((apart < window) | (torch.arange(T) < n_global))


def window_too_wide(T: int, window: int, n_global: int = 0) -> Tensor:
    return _window(T, window + 1, n_global)


def window_too_narrow(T: int, window: int, n_global: int = 0) -> Tensor:
    return _window(T, window - 1, n_global) | torch.eye(T, dtype=torch.bool)


def without_globals(T: int, window: int, n_global: int = 0) -> Tensor:
    return _window(T, window, 0)


def without_window(T: int, window: int, n_global: int = 0) -> Tensor:
    return _window(T, T, 0)


def one_global_too_many(T: int, window: int, n_global: int = 0) -> Tensor:
    return _window(T, window, n_global + 1)


# read_on ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read(model: Any, ids: Tensor, cache: KVCache, positions: Tensor, advance: bool = True) -> Tensor:
    x, rope = model.embedding(ids), model.rope(positions)
    for block, layer in zip(model.blocks, layer_caches(cache, len(model.blocks)), strict=True):
        x = block(x, causal=True, rope=rope, cache=layer)
    if advance:
        cache.advance(ids.shape[1])
    return model.head(model.norm(x))


def reading_from(shift: int) -> Callable[..., Tensor]:
    """`read_on` whose positions are shifted, behind a first call that is right."""

    def variant(model: Any, ids: Tensor, cache: KVCache) -> Tensor:
        start = cache.length + (shift if cache.length else 0)
        return _read(model, ids, cache, torch.arange(start, start + ids.shape[1]))

    return variant


def cache_not_advanced(model: Any, ids: Tensor, cache: KVCache) -> Tensor:
    positions = torch.arange(cache.length, cache.length + ids.shape[1])
    return _read(model, ids, cache, positions, advance=False)


def one_position_for_all(model: Any, ids: Tensor, cache: KVCache) -> Tensor:
    return _read(model, ids, cache, torch.full((ids.shape[1],), cache.length))


# choose_kv_heads ─────────────────────────────────────────────────────────────────────────────────────────────────────


def kv_heads(
    *,
    per_head: int = 2,
    divide: bool = True,
    strict: bool = False,
    pick: Callable[..., int] = max,
    otherwise: int | None = None,
    powers: bool = False,
) -> Callable[..., int | None]:
    """`choose_kv_heads` with one thing done wrong."""

    def variant(n_heads: int, n_layers: int, head_dim: int, tokens: int, budget: int) -> int | None:
        limit = budget - 1 if strict else budget
        one = 2 * per_head * n_layers * head_dim * tokens
        tried = [n for n in range(1, n_heads + 1) if not divide or n_heads % n == 0]
        fitting = [n for n in tried if n * one <= limit and (not powers or n & (n - 1) == 0)]
        return pick(fitting) if fitting else otherwise

    return variant
