"""What several exercises of 08_lora need: random matrices, and an eye on matrices that are made on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


def normal(rng: Generator, *shape: int, scale: float = 1.0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.tensor(rng.normal(size=shape) * scale, dtype=dtype)


class _MatricesLike(TorchDispatchMode):
    """Inside the `with`: is a new matrix computed that is as large as W, alone or in a stack? W and views of it are
    none."""

    def __init__(self, W: Tensor) -> None:
        super().__init__()
        self.shapes = {tuple(W.shape), tuple(W.shape[::-1])}
        self.own, self.seen = W.untyped_storage().data_ptr(), False

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if isinstance(out, Tensor) and tuple(out.shape[-2:]) in self.shapes:
            self.seen |= out.untyped_storage().data_ptr() != self.own
        return out


def watched(function: Callable[..., Any], W: Tensor, *args: Any) -> Any:
    """function(*args) with a note in it, `built`: did it compute a matrix as large as W?"""
    with _MatricesLike(W) as eye:
        y = function(*args)
    if isinstance(y, Tensor):
        y.built = eye.seen
    return y


def built_none(y: Any, *_: Any) -> bool:
    return not getattr(y, "built", False)
