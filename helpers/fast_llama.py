"""The same Llama in fewer, larger operations: what is left to do once the weights are small.

    model = FastLlama.from_pretrained(fetch("chat"), torch.bfloat16)
    quantize_(model, bits=4, skip=["head"])
    generate(model, ids, 64)                   # everything that takes a Llama takes this one

A decoder that writes one token at a time reads every weight once and does, besides, a few dozen tiny operations a layer,
each of which costs its call. Four measures against that:

* one product makes queries, keys and values, another one gate and up: fewer calls, longer rows;
* coordinates that turn together stand side by side, so that RoPE is one complex product, in place;
* norms are PyTorch's own, one call each;
* attention and its cache are in float32 whatever the weights are: PyTorch's kernels for one query in bfloat16 are slow.

What it does not do: train, keep attention's weights, hooks on q_proj and the like, GPUs' graphs.
"""

from __future__ import annotations

import os

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.attention import fused_attention, merge_heads
from helpers.kv_cache import KVCache, LayerView, layer_caches, place_tokens, require_ids
from helpers.layers import PreNormBlock
from helpers.llama import Llama, LlamaConfig
from helpers.positions import rope_cos_sin, rope_frequencies


class FastLlama(nn.Module):
    """A `Llama` for running only, equal to it up to rounding: ids (B, T) → logits (B, T, V).

    model: the Llama whose weights it takes; embedding, head, o_proj and down_proj are shared, not copied.
    """

    def __init__(self, model: Llama) -> None:
        super().__init__()
        self.config = model.config
        self.embedding, self.norm, self.head = model.embedding, model.norm, model.head
        self.blocks = nn.ModuleList(FastBlock(block, model.config) for block in model.blocks)
        self.requires_grad_(False).eval()

    @torch.inference_mode()
    def forward(
        self, ids: Tensor, cache: KVCache | None = None, mask: Tensor | None = None, last_only: bool = False
    ) -> Tensor:
        """As `Llama.forward`, without a gradient."""
        require_ids(ids, self.config.vocab_size)
        positions, real = place_tokens(ids, cache, mask)  # (T,) or (B, T); None or (B, 1, 1, S)
        x = self.embedding(ids)  # (B, T, C)
        turns = self.turns(positions)  # (T, 1, head_dim/2) or (B, T, 1, head_dim/2), complex
        for block, layer_cache in zip(self.blocks, layer_caches(cache, len(self.blocks)), strict=True):
            x = block(x, turns, real, layer_cache)
        if cache is not None:
            cache.advance(ids.shape[1])
        x = x[:, -1:] if last_only else x
        return self.head(_rms_norm(x, self.norm))  # (B, T, V)

    def turns(self, positions: Tensor) -> Tensor:
        """cos + i·sin of the positions' angles: (T,) or (B, T) → (…, T, 1, head_dim/2), room for the heads."""
        c = self.config
        frequencies = rope_frequencies(c.head_dim, c.rope_base, c.rope_scaling, positions.device)
        cos, sin = rope_cos_sin(
            positions.flatten(), frequencies, c.rope_scaling.cos_sin_factor if c.rope_scaling else 1.0
        )
        return torch.complex(cos, sin).view(*positions.shape, 1, -1)

    def new_cache(self, batch: int, max_len: int) -> KVCache:
        """An empty cache, in float32, as attention is here."""
        return KVCache(self.config, batch, max_len, torch.float32, self.embedding.weight.device)

    @classmethod
    def from_pretrained(
        cls, folder: str | os.PathLike, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> FastLlama:
        """As `Llama.from_pretrained`."""
        return cls(Llama.from_pretrained(folder, dtype, device))


class FastBlock(nn.Module):
    """A Llama's block with two of its seven products merged away twice: qkv, o, gate_up, down."""

    def __init__(self, block: PreNormBlock, config: LlamaConfig) -> None:
        super().__init__()
        attention, feed_forward = block.attention, block.feed_forward
        self.attention_norm, self.feed_forward_norm = block.attention_norm, block.feed_forward_norm
        self.n_heads, self.n_kv_heads = config.n_heads, config.n_kv_heads
        sides = [side_by_side(linear, config.head_dim) for linear in (attention.q_proj, attention.k_proj)]
        self.qkv_proj = merged(*sides, attention.v_proj)
        self.gate_up_proj = merged(feed_forward.gate_proj, feed_forward.up_proj)
        self.o_proj, self.down_proj = attention.o_proj, feed_forward.down_proj

    def forward(self, x: Tensor, turns: Tensor, mask: Tensor | None, cache: LayerView | None) -> Tensor:
        """x: (B, T, C)  →  (B, T, C), with one layer of the cache."""
        B, T, _ = x.shape
        H, H_kv = self.n_heads, self.n_kv_heads
        qkv = self.qkv_proj(_rms_norm(x, self.attention_norm)).float().view(B, T, H + 2 * H_kv, -1)
        pairs = torch.view_as_complex(qkv[:, :, : H + H_kv].unflatten(-1, (-1, 2)))  # (B, T, H + H_kv, head_dim/2)
        pairs.mul_(turns)  # turns queries and keys inside qkv
        q, k, v = qkv.transpose(1, 2).split((H, H_kv, H_kv), dim=1)  # (B, heads, T, head_dim)
        if cache is not None:
            k, v = cache.update(k, v)
        attended = fused_attention(q, k, v, mask, causal=True)
        x = x + self.o_proj(merge_heads(attended).to(x.dtype))
        gate, up = self.gate_up_proj(_rms_norm(x, self.feed_forward_norm)).chunk(2, dim=-1)
        return x + self.down_proj(F.silu(gate) * up)


def _rms_norm(x: Tensor, norm: nn.Module) -> Tensor:
    return F.rms_norm(x, x.shape[-1:], norm.weight, norm.eps)


def side_by_side(linear: nn.Linear, head_dim: int) -> nn.Linear:
    """A projection whose rows are reordered in each head, so that row i and row i + head_dim/2 become neighbors.

    Done to queries and keys alike, it changes no product of the two.
    """
    order = torch.arange(linear.out_features).view(-1, 2, head_dim // 2).transpose(1, 2).flatten()  # 0, 32, 1, 33, …
    order = order.to(linear.weight.device)
    return _linear(linear.weight[order], None if linear.bias is None else linear.bias[order])


def merged(*linears: nn.Linear) -> nn.Linear:
    """One layer that gives what these give, one behind the other."""
    biases = [linear.bias for linear in linears if linear.bias is not None]
    return _linear(torch.cat([linear.weight for linear in linears]), torch.cat(biases) if biases else None)


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    with torch.device("meta"):
        linear = nn.Linear(weight.shape[1], weight.shape[0], bias is not None)
    linear.weight = nn.Parameter(weight.detach(), requires_grad=False)
    linear.bias = None if bias is None else nn.Parameter(bias.detach(), requires_grad=False)
    return linear
