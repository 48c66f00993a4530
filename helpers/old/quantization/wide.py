"""Products of bfloat16 numbers, also where the processor has no instructions for them.

    wide_linear(x, weight, bias)           # F.linear; x (…, in), weight (out, in), both bfloat16  →  (…, out) bfloat16

Without such instructions (as on most laptops) PyTorch multiplies bfloat16 row by row, so that 60 rows of x cost 60
times as much as one. Here the weights are widened to float32, a block at a time, and all rows are multiplied with a
block at once. The sums are those of PyTorch's kernel, taken in float32 and rounded once; only the order of their terms
differs.

What `wide_linear` does not do: gradients. Use it where none are needed, or inside a `torch.autograd.Function`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

FAST_BFLOAT16 = torch.backends.cpu.get_cpu_capability().startswith("AVX512")  # as `helpers.scale.matrix_dtype` has it
SEVERAL_ROWS = 4  # of x: from here on, widening the weights costs less than the rows do one by one
BLOCK_ROWS = 1024  # of the weights: small enough for the processor's cache


def wide_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Wᵀ + b as `torch.nn.functional.linear`, in the dtype of x; other dtypes and devices are left to PyTorch."""
    rows, out_features = x.reshape(-1, x.shape[-1]), len(weight)
    if not _widens(rows, weight):
        return F.linear(x, weight, bias)
    wide, out = rows.float(), rows.new_empty(len(rows), out_features)
    bias = None if bias is None else bias.float()
    for start in range(0, out_features, BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        out[:, block] = F.linear(wide, weight[block].float(), None if bias is None else bias[block])
    return out.view(*x.shape[:-1], out_features)


def _widens(rows: Tensor, weight: Tensor) -> bool:
    on_cpu = rows.dtype == weight.dtype == torch.bfloat16 and weight.device.type == "cpu"
    return on_cpu and not FAST_BFLOAT16 and len(rows) >= SEVERAL_ROWS
