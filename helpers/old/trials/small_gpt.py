"""Weights of a small GPT in 4 bits, three codes side by side, and what was recorded of them.

    changes(weights, 64)            # {"NF4": 0.092, "16 even steps": 0.095, …}: change as a share of the weights' size
    RECORD.find("own GPT")          # tests/benchmarks/sweep_small_gpt.py trained it

What it does not do: train (`helpers.old.trials.deep_stacks` does).
"""

from __future__ import annotations

import torch
from torch import Tensor

from helpers.old.quantization.nf4 import dequantize_blocks, nf4_codebook, quantize_blocks
from helpers.old.trials.records import Record

RECORD = Record("08b_small_gpt")


def nf4_trip(weights: Tensor, block: int) -> Tensor:
    """What NF4 restores of weights, (n,) → (n,)."""
    return dequantize_blocks(*quantize_blocks(weights, nf4_codebook(), block), nf4_codebook(), block)


def even_trip(weights: Tensor, block: int) -> Tensor:
    """What 16 even steps restore, from −7/8 to 8/8 of a block's largest weight with its sign: as many bits as NF4."""
    rows = weights.view(-1, block)
    step = rows.gather(1, rows.abs().argmax(dim=1, keepdim=True)) / 8
    step = torch.where(step == 0, torch.ones_like(step), step)
    return ((rows / step).round().clamp(-7, 8) * step).view(-1)


def span_trip(weights: Tensor, block: int) -> Tensor:
    """What 16 even steps from a block's smallest to its largest weight restore: two sizes per block."""
    rows = weights.view(-1, block)
    low, high = rows.aminmax(dim=1, keepdim=True)
    step = ((high - low) / 15).clamp(min=1e-38)
    return (low + ((rows - low) / step).round() * step).view(-1)


TRIPS = {"NF4": nf4_trip, "16 even steps": even_trip, "16 steps, two sizes": span_trip}


def changes(weights: Tensor, block: int) -> dict[str, float]:
    """Size of the change as a share of the size of the weights, for each of TRIPS; whole blocks only."""
    weights = weights[: len(weights) // block * block]
    return {name: float((trip(weights, block) - weights).norm() / weights.norm()) for name, trip in TRIPS.items()}
