"""Attention: every position asks a question, every position answers, and the answers are averaged by how well they fit.

    weights = softmax(q · kᵀ / √head_dim + mask)        how much each query takes from each key
    output  = weights · v

In the order of the file: masks, rotary positions, the formula, the heads. Shapes, everywhere: q (B, H, T, head_dim); k
and v (B, H, S, head_dim). T queries look at S keys, and they are the last T of the S positions: S = T without a cache.
A mask is boolean and True where a query (row) may look at a key (column), as in PyTorch; combine masks with `&`. A bias
is added to the scores.

What it does not do: learned absolute positions (an `nn.Embedding` does them), LongRoPE, kernels of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Masks: who may look where -------------------------------------------------------------------------------------------


def distances(T: int, S: int | None = None, device: torch.device | str | None = None) -> Tensor:
    """Key position minus query position, (T, S) int64, S = T by default: negative for the past."""
    S = T if S is None else S
    if S < T:
        raise ValueError(f"{T} queries cannot be the last of {S} positions.")
    return torch.arange(S, device=device) - torch.arange(S - T, S, device=device)[:, None]


def causal_mask(T: int, S: int | None = None, device: torch.device | str | None = None) -> Tensor:
    """Each query sees itself and what came before: (T, S) bool; causal_mask(2, 3) is [[1, 1, 0], [1, 1, 1]]."""
    return distances(T, S, device) <= 0


def padding_mask(lengths: Sequence[int] | Tensor, T: int, left: bool = False) -> Tensor:
    """True at real tokens: (B, T) bool for B texts of the given lengths, padded to T on the right, or on the left.

    The models take it as it is; attention itself takes `mask[:, None, None, :]`, with room for heads and queries.
    """
    lengths = torch.as_tensor(lengths)
    if lengths.numel() and not 0 <= int(lengths.min()) <= int(lengths.max()) <= T:
        raise ValueError(f"Lengths must lie between 0 and the padded length {T}, not {lengths.tolist()}.")
    places = torch.arange(T, device=lengths.device)
    return places >= T - lengths[:, None] if left else places < lengths[:, None]


def segment_mask(segments: Tensor) -> Tensor:
    """Several texts in one row, and nobody looks into another: (B, T) whole numbers  →  (B, T, T) bool.

    segments: the number of each token's text, from 1; 0 is padding, which nobody sees and which sees nothing.
    """
    same = segments[:, :, None] == segments[:, None, :]
    return same & (segments != 0)[:, :, None]


def segment_positions(segments: Tensor) -> Tensor:
    """Positions that start again with every text: (B, T)  →  (B, T) int64, [1, 1, 1, 2, 2] → [0, 1, 2, 0, 1]."""
    places = torch.arange(segments.shape[1], device=segments.device).expand_as(segments)
    starts = torch.ones_like(segments, dtype=torch.bool)
    starts[:, 1:] = segments[:, 1:] != segments[:, :-1]
    return places - torch.where(starts, places, 0).cummax(dim=1).values


# RoPE: rotary positions (Su et al., 2021) ----------------------------------------------------------------------------
#
#     cos, sin = rope_cos_sin(torch.arange(T), rope_frequencies(head_dim))
#     q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)


@dataclass(frozen=True)
class RopeScaling:
    """How to stretch RoPE over texts `factor` times longer than those of the training, of `trained_len` tokens.

    kind: "linear" slows every frequency (Chen et al., 2023); "ntk" enlarges the base, which slows the slow ones most
    (bloc97, 2023); "llama3" leaves waves that turn more than `fast` times within the training length, slows those that
    turn less than `slow` times, and blends between (Llama 3, 2024); "yarn" blends likewise and multiplies cosine and
    sine by `magnitude`, 0.1·ln(factor) + 1 in its paper (Peng et al., 2023).
    """

    kind: str
    factor: float
    trained_len: int | None = None
    fast: float | None = None  # 4 for "llama3", 32 for "yarn"
    slow: float | None = None  # 1
    magnitude: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in (kinds := ("linear", "ntk", "llama3", "yarn")):
            raise ValueError(f"There is no RoPE scaling {self.kind!r}: choose one of {', '.join(kinds)}.")
        if not self.factor >= 1:
            raise ValueError(f"A RoPE scaling factor is at least 1 (1 changes nothing), not {self.factor}.")
        if self.kind in ("llama3", "yarn") and not self.trained_len:
            raise ValueError(f"The RoPE scaling {self.kind!r} needs trained_len, the number of tokens of the training.")

    @property
    def cos_sin_factor(self) -> float:
        """What cosine and sine are multiplied by: 1, except for "yarn"."""
        if self.kind != "yarn":
            return 1.0
        return self.magnitude if self.magnitude is not None else 0.1 * math.log(self.factor) + 1.0

    def kept(self, frequencies: Tensor, base: float) -> Tensor:
        """For each frequency, 1 where it stays, 0 where it is slowed in full, between by how often it turns."""
        fast, slow = self.fast or (4.0 if self.kind == "llama3" else 32.0), self.slow or 1.0
        if self.kind == "llama3":
            turns = self.trained_len * frequencies / (2 * math.pi)  # full circles within the training length
            return ((turns - slow) / (fast - slow)).clamp(0, 1)
        # yarn: a straight ramp over the pairs' numbers, its ends rounded outwards as the authors do
        head_dim = 2 * len(frequencies)
        ends = [head_dim * math.log(self.trained_len / (n * 2 * math.pi)) / (2 * math.log(base)) for n in (fast, slow)]
        first, last = max(math.floor(ends[0]), 0), min(math.ceil(ends[1]), head_dim - 1)
        pairs = torch.arange(head_dim // 2, dtype=torch.float32, device=frequencies.device)
        return 1 - ((pairs - first) / max(last - first, 0.001)).clamp(0, 1)


def rope_frequencies(
    head_dim: int, base: float = 10_000.0, scaling: RopeScaling | None = None, device: torch.device | str | None = None
) -> Tensor:
    """Radians per token of each pair of coordinates, from 1 (fast) down to almost 1/base (slow).

    (head_dim/2,) float32, base^(−2i/head_dim). Matches `inv_freq` in transformers.
    """
    if head_dim < 2 or head_dim % 2:
        raise ValueError(f"Positions come in pairs of coordinates, so the width must be even, not {head_dim}.")
    kind = scaling.kind if scaling is not None else None
    if kind == "ntk" and head_dim > 2:  # the first wave stays as it is
        base = base * scaling.factor ** (head_dim / (head_dim - 2))
    frequencies = 1.0 / base ** (torch.arange(0, head_dim, 2, dtype=torch.float32, device=device) / head_dim)
    if kind in (None, "ntk"):
        return frequencies
    slowed = frequencies / scaling.factor
    if kind == "linear":
        return slowed
    kept = scaling.kept(frequencies, base)
    return kept * frequencies + (1 - kept) * slowed


def rope_cos_sin(positions: Tensor, frequencies: Tensor, factor: float = 1.0) -> tuple[Tensor, Tensor]:
    """Cosine and sine of every position's angles, times `RopeScaling.cos_sin_factor`.

    positions: (T,) or (B, T)  →  two of (T, head_dim/2) or (B, 1, T, head_dim/2), float32: angles of positions in the
    thousands are wrong in bfloat16.
    """
    angles = positions[..., None].float() * frequencies  # (…, T, head_dim/2)
    if positions.dim() == 2:
        angles = angles.unsqueeze(1)  # room for the heads
    return angles.cos() * factor, angles.sin() * factor


def apply_rope(x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = False) -> Tensor:
    """Turn each pair of coordinates by its position's angle, so that q·k depends on the distance alone.

    x: (B, H, T, head_dim), cos and sin as `rope_cos_sin` gives them  →  the same shape and dtype.
    interleaved: which coordinates make a pair. False: (0, d/2), (1, d/2 + 1), …, as in transformers' Llama. True:
    (0, 1), (2, 3), …, as in the paper, Meta's own code and llama.cpp. Weights trained with one fail with the other.
    """
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    first, second = (x[..., 0::2], x[..., 1::2]) if interleaved else x.chunk(2, dim=-1)  # (…, T, head_dim/2) each
    turned = first * cos - second * sin, first * sin + second * cos
    return torch.stack(turned, dim=-1).flatten(-2) if interleaved else torch.cat(turned, dim=-1)


# The formula (Vaswani et al., 2017) ----------------------------------------------------------------------------------


def attention_weights(
    q: Tensor, k: Tensor, mask: Tensor | None = None, bias: Tensor | None = None, scale: float | None = None
) -> Tensor:
    """How much each query takes from each key: every row sums to 1, or is 0 where the mask leaves nothing to look at.

    q: (…, T, head_dim), k: (…, S, head_dim)  →  (…, T, S). mask and bias broadcast to that; scale: 1/√head_dim.
    """
    _require_boolean(mask)
    scores = q @ k.transpose(-2, -1) * (q.shape[-1] ** -0.5 if scale is None else scale)  # (…, T, S)
    if bias is not None:
        scores = scores + bias
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = scores.softmax(dim=-1, dtype=torch.float32)  # bfloat16 has 8 bits: too few to sum a thousand weights in
    if mask is not None:
        weights = weights.masked_fill(~mask.any(dim=-1, keepdim=True), 0.0)  # a row of −inf alone gives 0/0
    return weights.to(q.dtype)


def scaled_dot_product_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, **options: Any) -> Tensor:
    """softmax(q · kᵀ / √head_dim) · v: each query's average of the values; options as in `attention_weights`.

    Matches `torch.nn.functional.scaled_dot_product_attention`, except that a query with nothing to look at gets zeros.
    """
    return attention_weights(q, k, mask, **options) @ v


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
    """The same by PyTorch's kernels, which keep no (T, S) table (Dao et al., 2022); the models run on it.

    k and v may have fewer heads than q (grouped queries). causal: hide what comes after each query, without building
    the mask where the kernel can do without.
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
    """(B, T, n_heads · head_dim) → (B, n_heads, T, head_dim): each head gets its own slice of the channels."""
    B, T, C = x.shape
    return x.view(B, T, n_heads, C // n_heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, n_heads, T, head_dim) → (B, T, n_heads · head_dim), the reverse of `split_heads`."""
    return x.transpose(1, 2).flatten(2)


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


class MultiHeadAttention(nn.Module):
    """Attention with learned projections, within one text and across two.

    n_kv_heads: n_heads for multi-head (the default), 1 for multi-query (Shazeer, 2019), between for grouped-query
    attention (Ainslie et al., 2023). head_dim: d_model / n_heads by default. bias: for all four projections.
    scale: 1/√head_dim by default; T5 has 1. keep_weights: see `keeping_weights`.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        n_kv_heads: int | None = None,
        head_dim: int | None = None,
        bias: bool = False,
        scale: float | None = None,
    ) -> None:
        super().__init__()
        n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
        require_heads(d_model, n_heads, n_kv_heads, head_dim)
        head_dim = d_model // n_heads if head_dim is None else head_dim
        self.n_heads, self.n_kv_heads, self.scale = n_heads, n_kv_heads, scale
        self.q_proj = nn.Linear(d_model, n_heads * head_dim, bias=bias)
        self.k_proj = nn.Linear(d_model, n_kv_heads * head_dim, bias=bias)
        self.v_proj = nn.Linear(d_model, n_kv_heads * head_dim, bias=bias)
        self.o_proj = nn.Linear(n_heads * head_dim, d_model, bias=bias)
        self.keep_weights, self.weights = False, None

    def forward(
        self,
        x: Tensor,
        memory: Memory = None,
        *,
        mask: Tensor | None = None,
        bias: Tensor | None = None,
        causal: bool = False,
        rope: tuple[Tensor, Tensor] | None = None,
        cache: Any = None,
    ) -> Tensor:
        """x: (B, T, d_model)  →  (B, T, d_model).

        memory: (B, S, d_model), what to look at, or its `keys_values`; x itself by default. mask and bias broadcast to
        (B, H, T, S). causal: hide what comes after. rope: cosine and sine of these positions. cache: one layer of a
        `KVCache`; `update` stores the new keys and values and gives all of them so far.
        """
        q = split_heads(self.q_proj(x), self.n_heads)  # (B, H, T, head_dim)
        k, v = memory if isinstance(memory, tuple) else self.keys_values(x if memory is None else memory)
        if rope is not None:
            q, k = apply_rope(q, *rope), apply_rope(k, *rope)
        if cache is not None:
            k, v = cache.update(k, v)  # S grows by what came before
        if not self.keep_weights:
            out = fused_attention(q, k, v, mask, bias=bias, scale=self.scale, causal=causal)  # (B, H, T, head_dim)
        else:
            if causal:
                hide = causal_mask(q.shape[-2], k.shape[-2], q.device)
                mask = hide if mask is None else mask & hide
            k, v = (repeat_kv(each, self.n_heads // self.n_kv_heads) for each in (k, v))  # (B, H, S, head_dim)
            self.weights = attention_weights(q, k, mask, bias, self.scale)  # (B, H, T, S)
            out = self.weights @ v
        return self.o_proj(merge_heads(out))  # (B, T, d_model)

    def keys_values(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """(B, S, d_model) → keys and values (B, n_kv_heads, S, head_dim): make them once where many calls look."""
        return split_heads(self.k_proj(memory), self.n_kv_heads), split_heads(self.v_proj(memory), self.n_kv_heads)


@contextmanager
def keeping_weights(model: nn.Module) -> Iterator[list[MultiHeadAttention]]:
    """Inside the `with`, every attention of `model` stores its weights (B, H, T, S) in `.weights`; after it, none."""
    attentions = [module for module in model.modules() if isinstance(module, MultiHeadAttention)]
    for attention in attentions:
        attention.keep_weights = True
    try:
        yield attentions
    finally:
        for attention in attentions:
            attention.keep_weights, attention.weights = False, None
