"""The same Llama in fewer, larger operations: what is left to gain once each token is read only once.

    model = FastLlama.from_pretrained(fetch("chat"), torch.bfloat16)
    quantize_(model, bits=4, skip=["head"])
    generate(model, ids, 64)                   # whatever takes a Llama takes this one

To write one token, a decoder reads every weight once and does a few dozen tiny operations a layer besides, each of
which costs its call. What is done against that:

* one product makes queries, keys and values, another one gate and up: fewer calls over longer rows (`merged`);
* a product of few rows is cut into blocks, so that every core has one (`Product`);
* coordinates that turn together stand side by side, so that RoPE is one complex product in place (`side_by_side`);
* RMSNorm is three operations, its constants made beforehand;
* a single token takes a path without modules (`helpers.old.speed.fast_step`);
* the stream, attention and its cache stay in float32 while weights shrink, and only products read bfloat16: PyTorch's
  CPU kernels for one query in bfloat16 are slow, and rounding the stream in each layer costs precision for nothing.

What it does not do: train, keep attention's weights, offer q_proj and the like to look inside.
"""

from __future__ import annotations

import math
import os
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.attention import fused_attention, merge_heads, rope_cos_sin, rope_frequencies
from helpers.old.quantization.wide import wide_linear
from helpers.old.speed.fast_step import LeanCache, lean_steps, rms_norm
from helpers.training import free_memory
from helpers.transformer.kv_cache import KVCache, layer_caches, place_tokens, require_ids
from helpers.transformer.layers import PreNormBlock, RMSNorm
from helpers.transformer.llama import Llama, LlamaConfig

FEW_ROWS = 32  # from here on the library's own product keeps all cores busy


class FastLlama(nn.Module):
    """A `Llama` for running only: ids (B, T) → logits (B, T, V) float32, equal to its up to rounding.

    model: the Llama whose weights it takes. Embedding and the matrices that are used as they are, are shared with it.
    """

    def __init__(self, model: Llama) -> None:
        super().__init__()
        self.config = model.config
        self.embedding, self.head = model.embedding, merged(model.head)
        self.blocks = nn.ModuleList(FastBlock(block, model.config) for block in model.blocks)
        self.norm = FastRMSNorm(model.norm)
        self.eval()

    @torch.inference_mode()
    def forward(
        self, ids: Tensor, cache: KVCache | None = None, mask: Tensor | None = None, last_only: bool = False
    ) -> Tensor:
        """As `Llama.forward`; no gradient flows."""
        require_ids(ids, self.config.vocab_size)
        positions, real = place_tokens(ids, cache, mask)  # (T,) or (B, T); None or (B, 1, 1, S)
        x = self.embedding(ids).float()  # (B, T, C)
        turns = self.turns(positions)  # (T, 1, head_dim/2) or (B, T, 1, head_dim/2)
        if isinstance(cache, LeanCache) and ids.shape[1] == 1 and real is None:
            x = x[:, 0]  # (B, C)
            for step, keys, values in zip(cache.steps, cache.keys, cache.values, strict=True):
                x = step(x, turns, keys, values, cache.length)
            x = x[:, None]
        else:
            for block, layer_cache in zip(self.blocks, layer_caches(cache, len(self.blocks)), strict=True):
                x = block(x, turns, real, layer_cache)
        if cache is not None:
            cache.advance(ids.shape[1])
        x = x[:, -1:] if last_only else x
        return self.head(self.norm(x).to(self.embedding.weight.dtype)).float()  # (B, T, V)

    def turns(self, positions: Tensor) -> Tensor:
        """cos + i·sin of the positions' angles, (T,) or (B, T) → (…, T, 1, head_dim/2) complex, room for the heads."""
        c = self.config
        frequencies = rope_frequencies(c.head_dim, c.rope_base, c.rope_scaling, positions.device)
        factor = c.rope_scaling.cos_sin_factor if c.rope_scaling else 1.0
        return torch.complex(*rope_cos_sin(positions.flatten(), frequencies, factor)).view(*positions.shape, 1, -1)

    def new_cache(self, batch: int, max_len: int) -> LeanCache:
        """An empty cache in float32, as attention is, with the lean steps of the layers as they are now."""
        steps = lean_steps(self.blocks, self.config.head_dim)
        return LeanCache(self.config, batch, max_len, self.embedding.weight.device, steps)

    @classmethod
    def from_pretrained(
        cls, folder: str | os.PathLike, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> FastLlama:
        """As `Llama.from_pretrained`; dtype is that of the matrices. Never holds more than one layer twice."""
        model = Llama.from_pretrained(folder, dtype, device)
        layers, model.blocks = model.blocks, nn.ModuleList()
        fast = cls(model)
        while len(layers):
            fast.blocks.append(FastBlock(layers.pop(0), fast.config))  # what it joined anew is let go here
        free_memory()
        return fast.eval()


class FastBlock(nn.Module):
    """One layer of a Llama with four products instead of seven."""

    def __init__(self, block: PreNormBlock, config: LlamaConfig) -> None:
        super().__init__()
        attention, feed_forward = block.attention, block.feed_forward
        self.n_heads, self.n_kv_heads = config.n_heads, config.n_kv_heads
        self.attention_norm, self.feed_forward_norm = map(FastRMSNorm, (block.attention_norm, block.feed_forward_norm))
        turned = [side_by_side(linear, config.head_dim) for linear in (attention.q_proj, attention.k_proj)]
        self.qkv_proj, self.o_proj = merged(*turned, attention.v_proj), merged(attention.o_proj)
        self.gate_up_proj = merged(feed_forward.gate_proj, feed_forward.up_proj)
        self.down_proj = merged(feed_forward.down_proj)
        self.dtype = attention.o_proj.weight.dtype  # what products read

    def forward(self, x: Tensor, turns: Tensor, mask: Tensor | None, cache: Any) -> Tensor:
        """x: (B, T, C) float32  →  (B, T, C). turns: `FastLlama.turns`; mask: (B, 1, 1, S); cache: one layer of it."""
        B, T, _ = x.shape
        H, H_kv, dtype = self.n_heads, self.n_kv_heads, self.dtype
        qkv = self.qkv_proj(self.attention_norm(x).to(dtype)).float().view(B, T, H + 2 * H_kv, -1)  # heads of all three
        pairs = torch.view_as_complex(qkv[:, :, : H + H_kv].unflatten(-1, (-1, 2)))  # (B, T, H + H_kv, head_dim/2)
        pairs.mul_(turns)  # turns queries and keys inside qkv
        q, k, v = qkv.transpose(1, 2).split((H, H_kv, H_kv), dim=1)  # (B, heads, T, head_dim)
        if cache is not None:
            k, v = cache.update(k, v)  # S positions
        x = x + self.o_proj(merge_heads(fused_attention(q, k, v, mask, causal=True)).to(dtype))
        gate, up = self.gate_up_proj(self.feed_forward_norm(x).to(dtype)).chunk(2, dim=-1)  # (B, T, d_ff) each
        return x + self.down_proj(F.silu(gate) * up)


class FastRMSNorm(nn.Module):
    """An `RMSNorm` of float32 vectors, with its constants made beforehand."""

    def __init__(self, norm: RMSNorm) -> None:
        super().__init__()
        C = norm.weight.numel()
        self.weight = norm.weight.detach()  # as the model has it, to tell one base from another
        self.register_buffer("scale", norm.weight.detach().float() * math.sqrt(C))
        self.register_buffer("floor", torch.tensor(math.sqrt(C * norm.eps), device=norm.weight.device))

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.scale, self.floor)


class Product(nn.Linear):
    """`nn.Linear` with work for every core.

    Asked for a few rows, PyTorch's float32 product runs on one core on many machines. Cut into blocks of the weights'
    rows, it is a batch of products, and those are shared out.
    """

    def forward(self, x: Tensor) -> Tensor:
        weight, n = self.weight, torch.get_num_threads()
        N, K = weight.shape
        rows = x.reshape(-1, K)
        if weight.dtype != torch.float32 or weight.device.type != "cpu" or n == 1 or N % n or len(rows) > FEW_ROWS:
            return F.linear(x, weight, self.bias)
        blocks = weight.view(n, N // n, K).transpose(1, 2)  # (n, K, N/n)
        out = torch.bmm(rows.expand(n, -1, -1), blocks)  # (n, rows, N/n)
        out = out.transpose(0, 1).reshape(*x.shape[:-1], N)
        return out if self.bias is None else out + self.bias


def merged(*linears: nn.Linear) -> Product:
    """One layer that gives what these give, side by side; of a single one, the same weights, shared."""
    first = linears[0]
    with torch.device("meta"):  # no memory, no random numbers
        product = WideProduct(first.in_features, sum(linear.out_features for linear in linears), first.bias is not None)
    product.weight = _joined([linear.weight for linear in linears])
    product.bias = None if first.bias is None else _joined([linear.bias for linear in linears])
    return product


def _joined(tensors: list[nn.Parameter]) -> nn.Parameter:
    return tensors[0] if len(tensors) == 1 else nn.Parameter(torch.cat([tensor.detach() for tensor in tensors]))


def side_by_side(linear: nn.Linear, head_dim: int) -> nn.Linear:
    """A projection whose rows i and i + head_dim/2 of each head, which RoPE turns together, become neighbors.

    Queries and keys are reordered alike, so their products stay what they were.
    """
    order = turned_rows(linear.out_features, head_dim).to(linear.weight.device)
    moved = merged(linear)
    moved.weight = nn.Parameter(linear.weight.detach()[order])
    moved.bias = None if linear.bias is None else nn.Parameter(linear.bias.detach()[order])
    return moved


def turned_rows(out_features: int, head_dim: int) -> Tensor:
    """The order into which `side_by_side` puts a projection's rows: 0, 32, 1, 33, … for heads of 64 dimensions."""
    return torch.arange(out_features).view(-1, 2, head_dim // 2).transpose(1, 2).flatten()


class WideProduct(Product):
    """A `Product` whose bfloat16 rows are taken together where the processor has no instructions for bfloat16."""

    def forward(self, x: Tensor) -> Tensor:
        if self.weight.dtype == torch.bfloat16:
            return wide_linear(x, self.weight, self.bias)
        return super().forward(x)
