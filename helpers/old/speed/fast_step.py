"""One token through one layer, with everything at hand: the same operations as `FastBlock`, and nothing in between.

A layer of a small model is done in some 200 microseconds, so what Python does between two operations counts: calling
modules, looking up their parts, asking which case this is. `lean_steps` asks once and keeps the answers in closures.

    for step, keys, values in zip(steps, cache.keys, cache.values):
        x = step(x, turns, keys, values, cache.length)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.quantization import Int4Linear, Int8Linear, int4_product, int8_product
from helpers.transformer.kv_cache import KVCache

Step = Callable[[Tensor, Tensor, Tensor, Tensor, int], Tensor]


class LeanCache(KVCache):
    """A `KVCache` that brings the steps of the model that it was made for."""

    def __init__(self, config: Any, batch: int, max_len: int, device: torch.device, steps: list[Step]) -> None:
        super().__init__(config, batch, max_len, torch.float32, device)
        self.steps = steps


def lean_steps(blocks: Iterable[Any], head_dim: int) -> list[Step]:
    """A step for each `FastBlock`. They hold its weights of now: make them anew where layers were exchanged."""
    return [lean_step(block, head_dim) for block in blocks]


def lean_step(block: Any, head_dim: int) -> Step:
    """What a `FastBlock` does to the next token of each text, as one function.

    x: (B, C) float32, turns: (1, 1, head_dim/2), keys and values: (B, H_kv, max_len, head_dim) of this layer, which
    are written at `length`  →  (B, C)
    """
    H, H_kv, dtype = block.n_heads, block.n_kv_heads, block.dtype
    qkv_rows, o_rows = at_hand(block.qkv_proj), at_hand(block.o_proj)
    gate_up_rows, down_rows = at_hand(block.gate_up_proj), at_hand(block.down_proj)
    norms = [(norm.scale, norm.floor) for norm in (block.attention_norm, block.feed_forward_norm)]
    attend = F.scaled_dot_product_attention

    def step(x: Tensor, turns: Tensor, keys: Tensor, values: Tensor, length: int) -> Tensor:
        qkv = qkv_rows(rms_norm(x, *norms[0]).to(dtype)).float().view(-1, H + 2 * H_kv, 1, head_dim)
        torch.view_as_complex(qkv[:, : H + H_kv].view(-1, H + H_kv, 1, head_dim // 2, 2)).mul_(turns)
        end = length + 1
        keys[:, :, length:end] = qkv[:, H : H + H_kv]
        values[:, :, length:end] = qkv[:, H + H_kv :]
        attended = attend(qkv[:, :H], keys[:, :, :end], values[:, :, :end], enable_gqa=True)  # (B, H, 1, head_dim)
        x = x + o_rows(attended.reshape(-1, H * head_dim).to(dtype))
        gate, up = gate_up_rows(rms_norm(x, *norms[1]).to(dtype)).chunk(2, dim=-1)
        return x + down_rows(F.silu(gate) * up)

    return step


def rms_norm(x: Tensor, scale: Tensor, floor: Tensor) -> Tensor:
    """RMSNorm by the vectors' length, x (…, C): the root of the mean square is ‖x‖/√C, so scale holds √C · weight.

    floor: √(C · eps), since √(‖x‖² + C·eps) is what eps asks for.
    """
    return x / torch.hypot(torch.linalg.vector_norm(x, dim=-1, keepdim=True), floor) * scale


def at_hand(layer: nn.Module) -> Callable[[Tensor], Tensor]:
    """A layer as a function of rows (B, K), its weights looked up once; the layer itself where there is no shortcut."""
    if getattr(layer, "bias", None) is not None:
        return layer
    if isinstance(layer, Int4Linear) and layer.by_kernel:
        packed, group, scale_zero = layer.packed, layer.group, layer.scale_zero
        return lambda rows: int4_product(rows.bfloat16(), packed, group, scale_zero).to(rows.dtype)
    if isinstance(layer, Int8Linear) and layer.by_kernel:
        codes, scale = layer.codes, layer.scale
        return lambda rows: int8_product(rows.bfloat16(), codes, scale).to(rows.dtype)
    return layer.forward
