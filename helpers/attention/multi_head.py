"""Attention: every position asks a question, every position answers, and the answers are averaged by how well they fit.

    weights = softmax(q · kᵀ / √head_dim + mask)        how much each query takes from each key
    output  = weights · v

Shapes, everywhere: q (B, H, T, head_dim); k and v (B, H, S, head_dim). T queries look at S keys; in self-attention
without a cache S = T, with one the T queries are the last of the S positions. A mask is boolean and True where a query
may look, as in PyTorch; a bias is added to the scores (ALiBi, T5).

`scaled_dot_product_attention` is the formula as it stands, and gives the weights to look at. `fused_attention` is the
same function by PyTorch's kernel, which never stores the (T, S) table; the models run on it.

Elsewhere and re-exported: `masks` and `positions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.attention.masks import causal_mask, padding_mask, sliding_window_mask
from helpers.attention.positions import (
    RopeScaling,
    T5RelativeBias,
    alibi_bias,
    alibi_slopes,
    apply_rope,
    distances,
    rope_cos_sin,
    rope_frequencies,
    sinusoidal,
    t5_buckets,
)

__all__ = [
    "MultiHeadAttention",
    "RopeScaling",
    "T5RelativeBias",
    "alibi_bias",
    "alibi_slopes",
    "apply_rope",
    "attention_weights",
    "causal_mask",
    "distances",
    "fused_attention",
    "keeping_weights",
    "merge_heads",
    "padding_mask",
    "repeat_kv",
    "rope_cos_sin",
    "rope_frequencies",
    "scaled_dot_product_attention",
    "sinusoidal",
    "sliding_window_mask",
    "split_heads",
    "t5_buckets",
]


# The formula ---------------------------------------------------------------------------------------------------------


def attention_weights(
    q: Tensor, k: Tensor, mask: Tensor | None = None, bias: Tensor | None = None, scale: float | None = None
) -> Tensor:
    """How much each query takes from each key: every row sums to 1, or is 0 where the mask leaves nothing to look at.

    q: (…, T, head_dim), k: (…, S, head_dim)  →  (…, T, S), dtype of q. mask: bool, True where a query may look; bias:
    added to the scores; both broadcast to (…, T, S). scale: 1/√head_dim by default.
    """
    _require_boolean(mask)
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    scores = q @ k.transpose(-2, -1) * scale  # (…, T, S)
    if bias is not None:
        scores = scores + bias
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = scores.softmax(dim=-1, dtype=torch.float32)  # bfloat16 has 8 bits: too few to sum a thousand weights in
    if mask is not None:
        weights = weights.masked_fill(~mask.any(dim=-1, keepdim=True), 0.0)  # a row of −inf alone gives 0/0
    return weights.to(q.dtype)


def scaled_dot_product_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None = None,
    *,
    bias: Tensor | None = None,
    scale: float | None = None,
) -> Tensor:
    """softmax(q · kᵀ / √head_dim) · v: each query's average of the values (Vaswani et al., 2017).

    q: (B, H, T, head_dim), k: (B, H, S, head_dim), v: (B, H, S, d_v)  →  (B, H, T, d_v). mask, bias and scale as in
    `attention_weights`; nothing is changed in place. Matches `torch.nn.functional.scaled_dot_product_attention`,
    except that a query with nothing to look at gets zeros on every version and device.
    """
    return attention_weights(q, k, mask, bias, scale) @ v


def fused_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None = None,
    *,
    bias: Tensor | None = None,
    scale: float | None = None,
    causal: bool = False,
) -> Tensor:
    """`scaled_dot_product_attention` by PyTorch's kernels, which keep no (T, S) table (Dao et al., 2022).

    k and v may have fewer heads than q (grouped queries). causal: hide what comes after each query, as
    `mask & causal_mask(T, S)` would, without building that mask where the kernel can do without.
    """
    _require_boolean(mask)
    T, S = q.shape[-2], k.shape[-2]
    by_kernel = causal and T == S and mask is None and bias is None  # the kernel can hide the future by itself
    if causal and not by_kernel and T > 1:  # a single query is the last position: nothing comes after it
        hide = causal_mask(T, S, q.device)
        mask = hide if mask is None else mask & hide
    blind = None
    if mask is not None:
        blind = ~mask.any(dim=-1, keepdim=True)  # (…, T, 1): nothing to look at
        mask = mask | blind  # let those look everywhere and zero them below, since kernels differ in what they do
    if bias is not None:
        mask = (bias if mask is None else torch.where(mask, bias, float("-inf"))).to(q.dtype)
    out = F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=by_kernel, scale=scale, enable_gqa=k.shape[-3] != q.shape[-3]
    )  # (B, H, T, d_v)
    return out if blind is None else out.masked_fill(blind, 0.0)


def _require_boolean(mask: Tensor | None) -> None:
    if mask is not None and mask.dtype != torch.bool:
        raise TypeError(
            f"A mask is boolean, True where a query may look, not {mask.dtype}: write mask.bool(), or pass numbers to "
            "add to the scores as bias=."
        )


# Heads ---------------------------------------------------------------------------------------------------------------


def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """(B, T, n_heads · head_dim) → (B, n_heads, T, head_dim): each head gets its own slice of the channels.

    Raises ValueError where n_heads does not divide the channels.
    """
    B, T, C = x.shape
    require_heads(C, n_heads, n_heads, None)
    return x.view(B, T, n_heads, C // n_heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, n_heads, T, head_dim) → (B, T, n_heads · head_dim), the reverse of `split_heads`."""
    B, H, T, head_dim = x.shape
    return x.transpose(1, 2).reshape(B, T, H * head_dim)


def repeat_kv(x: Tensor, times: int) -> Tensor:
    """(B, n_kv_heads, S, head_dim) → (B, n_kv_heads · times, S, head_dim): head 0 `times` times, then head 1, …"""
    return x.repeat_interleave(times, dim=1)


def require_heads(d_model: int, n_heads: int, n_kv_heads: int, head_dim: int | None) -> None:
    """Raises ValueError unless the heads divide the width and the key/value heads divide the heads."""
    if min(d_model, n_heads, n_kv_heads) < 1:
        raise ValueError("d_model, n_heads and n_kv_heads must be at least 1.")
    if head_dim is None and d_model % n_heads:
        raise ValueError(f"n_heads={n_heads} does not divide d_model={d_model}: choose a divisor, or give head_dim.")
    if n_heads % n_kv_heads:
        raise ValueError(f"n_kv_heads={n_kv_heads} does not divide n_heads={n_heads}: groups must be of equal size.")


Memory = Tensor | tuple[Tensor, Tensor] | None  # what cross-attention looks at: states, or keys and values


class LayerCache(Protocol):
    """What attention needs of one layer of a cache (`helpers.transformer.kv_cache`)."""

    def update(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Store the new keys and values (B, n_kv_heads, T, head_dim); return all S of them so far."""


class MultiHeadAttention(nn.Module):
    """Attention with learned projections, in its three sizes and both directions.

    n_kv_heads: n_heads for multi-head (the default), 1 for multi-query (Shazeer, 2019), between for grouped-query
    attention (Ainslie et al., 2023). head_dim: d_model / n_heads by default. bias: for all four projections.
    scale: 1/√head_dim by default; T5 has 1. d_memory: width of what cross-attention looks at, d_model by default.

    keep_weights: set it to True, and each call stores its weights (B, H, T, S) in `weights` (see `keeping_weights`).
    Raises ValueError where head counts do not divide.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        n_kv_heads: int | None = None,
        head_dim: int | None = None,
        bias: bool = False,
        *,
        scale: float | None = None,
        d_memory: int | None = None,
    ) -> None:
        super().__init__()
        n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
        require_heads(d_model, n_heads, n_kv_heads, head_dim)
        head_dim = d_model // n_heads if head_dim is None else head_dim
        d_memory = d_model if d_memory is None else d_memory
        self.n_heads, self.n_kv_heads, self.scale = n_heads, n_kv_heads, scale
        self.q_proj = nn.Linear(d_model, n_heads * head_dim, bias=bias)
        self.k_proj = nn.Linear(d_memory, n_kv_heads * head_dim, bias=bias)
        self.v_proj = nn.Linear(d_memory, n_kv_heads * head_dim, bias=bias)
        self.o_proj = nn.Linear(n_heads * head_dim, d_model, bias=bias)
        self.keep_weights = False
        self.weights: Tensor | None = None

    def forward(
        self,
        x: Tensor,
        memory: Memory = None,
        *,
        mask: Tensor | None = None,
        bias: Tensor | None = None,
        causal: bool = False,
        rope: tuple[Tensor, Tensor] | None = None,
        cache: LayerCache | None = None,
    ) -> Tensor:
        """x: (B, T, d_model)  →  (B, T, d_model).

        memory: (B, S, d_memory), what to look at, or its `keys_values`; x itself by default. mask: bool, True where a
        query may look, and bias, added to the scores, broadcast to (B, H, T, S). causal: hide what comes after.
        rope: cosine and sine of these positions. cache: earlier keys and values, to which this call's are added.
        """
        memory = x if memory is None else memory
        q = split_heads(self.q_proj(x), self.n_heads)  # (B, H, T, head_dim)
        k, v = memory if isinstance(memory, tuple) else self.keys_values(memory)  # (B, H_kv, S, head_dim)
        if rope is not None:
            q, k = apply_rope(q, *rope), apply_rope(k, *rope)
        if cache is not None:
            k, v = cache.update(k, v)  # S grows by what came before
        out = self.attend(q, k, v, mask, bias, causal)  # (B, H, T, head_dim)
        return self.o_proj(merge_heads(out))  # (B, T, d_model)

    def keys_values(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """(B, S, d_memory) → keys and values (B, n_kv_heads, S, head_dim): make them once where many calls look."""
        return split_heads(self.k_proj(memory), self.n_kv_heads), split_heads(self.v_proj(memory), self.n_kv_heads)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, bias: Tensor | None, causal: bool) -> Tensor:
        """The heads' outputs (B, H, T, head_dim): fused, or step by step where the weights are to be kept."""
        if not self.keep_weights:
            return fused_attention(q, k, v, mask, bias=bias, scale=self.scale, causal=causal)
        if causal:
            hide = causal_mask(q.shape[-2], k.shape[-2], q.device)
            mask = hide if mask is None else mask & hide
        k, v = (repeat_kv(x, self.n_heads // self.n_kv_heads) for x in (k, v))  # (B, H, S, head_dim)
        self.weights = attention_weights(q, k, mask, bias, self.scale)  # (B, H, T, S)
        return self.weights @ v


@contextmanager
def keeping_weights(model: nn.Module) -> Iterator[list[MultiHeadAttention]]:
    """Inside the `with`, every attention of `model` stores its weights (B, H, T, S) in `.weights`; after it, none.

    Gives the attentions in the order in which the model holds them.
    """
    attentions = [module for module in model.modules() if isinstance(module, MultiHeadAttention)]
    for attention in attentions:
        attention.keep_weights = True
    try:
        yield attentions
    finally:
        for attention in attentions:
            attention.keep_weights, attention.weights = False, None
