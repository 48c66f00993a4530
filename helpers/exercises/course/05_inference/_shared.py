"""What several exercises of 05_inference need: how a transform is made and applied, and what it is applied to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor

TAKES_NO_IDS = "takes 1 positional argument but 2 were given"
PROBABILITIES = "you return probabilities; a transform gives logits."
RENORMALIZED = "you return the log of new probabilities; what stays keeps the logit it had."
ZERO = "removed tokens get the logit 0, which is not impossible: use -inf."


def drive_transform(make: Callable, setting: float, logits: Tensor, ids: Tensor | None = None) -> Any:
    """Make the transform and apply it."""
    transform = make(setting)
    if not callable(transform):  # the check then says what is wrong with it
        return transform
    return transform(logits) if ids is None else transform(logits, ids)


def normal(rng: Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return torch.tensor(rng.normal(size=shape) * scale, dtype=torch.float32)


def logits_of(*rows: Sequence[float]) -> Tensor:
    """Logits whose softmax is the given probabilities."""
    return torch.tensor(rows).log()
