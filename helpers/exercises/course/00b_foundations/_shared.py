"""What several exercises of 00b_foundations try their answers on: drawn tensors."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor


def normal(rng: Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return torch.tensor(rng.normal(size=shape) * scale, dtype=torch.float32)
