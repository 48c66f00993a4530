"""What several exercises of 08_lora need: random matrices."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor


def normal(rng: Generator, *shape: int, scale: float = 1.0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.tensor(rng.normal(size=shape) * scale, dtype=dtype)
