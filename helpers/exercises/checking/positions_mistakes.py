"""Plausible wrong answers to the exercises of 02c_positions_and_length, by what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from helpers.transformer.kv_cache import KVCache, layer_caches

# alibi_slopes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def slopes_from_one(n_heads: int) -> Tensor:
    return 2.0 ** (-8 / n_heads * torch.arange(n_heads))


def slopes_of_eight_heads(n_heads: int) -> Tensor:
    return 2.0 ** -torch.arange(1.0, n_heads + 1)


def slopes_evenly_spaced(n_heads: int) -> Tensor:
    return torch.arange(n_heads, 0, -1) / n_heads


def slopes_as_exponents(n_heads: int) -> Tensor:
    return 8 / n_heads * torch.arange(1.0, n_heads + 1)


def slopes_as_negative_exponents(n_heads: int) -> Tensor:
    return -slopes_as_exponents(n_heads)


def slopes_that_grow(n_heads: int) -> Tensor:
    return 2.0 ** slopes_as_exponents(n_heads)


def slopes_of_e(n_heads: int) -> Tensor:
    return torch.exp(-slopes_as_exponents(n_heads))


def slopes_by_heads_over_eight(n_heads: int) -> Tensor:
    return 2.0 ** (-n_heads / 8 * torch.arange(1.0, n_heads + 1))


def slopes_between_the_ends(n_heads: int) -> Tensor:
    return torch.linspace(2.0 ** (-8 / n_heads), 2.0**-8, n_heads)


# apply_rope ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _turned(x: Tensor, cos: Tensor, sin: Tensor, neighbors: bool) -> tuple[Tensor, Tensor]:
    a, b = (x[..., 0::2], x[..., 1::2]) if neighbors else x.chunk(2, dim=-1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return a * cos - b * sin, a * sin + b * cos


def _put_back(first: Tensor, second: Tensor, interleaved: bool) -> Tensor:
    if interleaved:
        return torch.stack((first, second), dim=-1).flatten(-2)
    return torch.cat((first, second), dim=-1)


def wide_result(x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = False) -> Tensor:
    return _put_back(*_turned(x.to(torch.promote_types(x.dtype, cos.dtype)), cos, sin, interleaved), interleaved)


def turned_with_the_new_a(x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = False) -> Tensor:
    _, b = (x[..., 0::2], x[..., 1::2]) if interleaved else x.chunk(2, dim=-1)
    a, _ = _turned(x, cos, sin, interleaved)
    return _put_back(a, a * sin.to(x.dtype) + b * cos.to(x.dtype), interleaved)


def angles_of_halves_for_neighbors(x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = False) -> Tensor:
    cos, sin = (torch.cat((t, t), dim=-1).to(x.dtype) for t in (cos, sin))
    if interleaved:
        other = torch.stack((-x[..., 1::2], x[..., 0::2]), dim=-1).flatten(-2)
    else:
        a, b = x.chunk(2, dim=-1)
        other = torch.cat((-b, a), dim=-1)
    return x * cos + other * sin


def neighbors_left_as_halves(x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = False) -> Tensor:
    return torch.cat(_turned(x, cos, sin, interleaved), dim=-1)


def halves_left_as_neighbors(x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = False) -> Tensor:
    return torch.stack(_turned(x, cos, sin, interleaved), dim=-1).flatten(-2)


def cos_sin_swapped(x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = False) -> Tensor:
    return _put_back(*_turned(x, sin, cos, interleaved), interleaved)


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


def window_inverted(T: int, window: int, n_global: int = 0) -> Tensor:
    return ~_window(T, window, n_global)


def window_transposed(T: int, window: int, n_global: int = 0) -> Tensor:
    return _window(T, window, n_global).T


def near_and_first(T: int, window: int, n_global: int = 0) -> Tensor:
    return _window(T, window, 0) & (torch.arange(T) < n_global)


def globals_count_in_the_window(T: int, window: int, n_global: int = 0) -> Tensor:
    return _window(T, window - n_global, n_global)


def global_queries(T: int, window: int, n_global: int = 0) -> Tensor:
    return _window(T, window, 0) | (torch.arange(T)[:, None] < n_global) & _window(T, T, 0)


def with_the_future(T: int, window: int, n_global: int = 0) -> Tensor:
    return _window(T, window, n_global) | torch.ones(T, T, dtype=torch.bool).triu(1)


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


def always_one_late(model: Any, ids: Tensor, cache: KVCache) -> Tensor:
    return _read(model, ids, cache, torch.arange(cache.length + 1, cache.length + 1 + ids.shape[1]))


def reading_up_to_T(model: Any, ids: Tensor, cache: KVCache) -> Tensor:
    return _read(model, ids, cache, ids.new_tensor(range(cache.length, ids.shape[1])))


def cache_advanced_first(model: Any, ids: Tensor, cache: KVCache) -> Tensor:
    cache.advance(ids.shape[1])
    positions = torch.arange(cache.length, cache.length + ids.shape[1])
    x, rope = model.embedding(ids), model.rope(positions)
    for block, layer in zip(model.blocks, layer_caches(cache, len(model.blocks)), strict=True):
        x = block(x, causal=True, rope=rope, cache=layer)
    return model.head(model.norm(x))


def cache_not_advanced(model: Any, ids: Tensor, cache: KVCache) -> Tensor:
    positions = torch.arange(cache.length, cache.length + ids.shape[1])
    return _read(model, ids, cache, positions, advance=False)


def one_position_for_all(model: Any, ids: Tensor, cache: KVCache) -> Tensor:
    return _read(model, ids, cache, torch.full((ids.shape[1],), cache.length))


# choose_kv_heads ─────────────────────────────────────────────────────────────────────────────────────────────────────


def kv_heads(
    *,
    per_head: float = 2,
    tokens_forgotten: bool = False,
    layers_forgotten: bool = False,
    divide: bool = True,
    strict: bool = False,
    pick: Callable[..., int] = max,
    otherwise: int | None = None,
    powers: bool = False,
    all_tried: bool = True,
    limited: bool = True,
) -> Callable[..., int | None]:
    """`choose_kv_heads` with one thing done wrong."""

    def variant(n_heads: int, n_layers: int, head_dim: int, tokens: int, budget: int) -> int | None:
        limit = budget - 1 if strict else budget
        one = 2 * per_head * head_dim * (1 if tokens_forgotten else tokens) * (1 if layers_forgotten else n_layers)
        if not limited:
            return int(limit // one)
        tried = [n for n in range(1, n_heads + all_tried) if not divide or n_heads % n == 0]
        fitting = [n for n in tried if n * one <= limit and (not powers or n & (n - 1) == 0)]
        return pick(fitting) if fitting else otherwise

    return variant


def no_heads_to_pick_from(n_heads: int, n_layers: int, head_dim: int, tokens: int, budget: int) -> int:
    one = 4 * n_layers * head_dim * tokens
    return max(n for n in range(1, n_heads + 1) if n_heads % n == 0 and n * one <= budget)


def halved_heads(n_heads: int, n_layers: int, head_dim: int, tokens: int, budget: int) -> int | None:
    n = n_heads
    while n and 4 * n * n_layers * head_dim * tokens > budget:
        n //= 2
    return n or None
