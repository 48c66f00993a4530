"""What a computation costs, and how that grows: processor time, the largest tensor made, and the exponent of both.

    exponent([256, 512, 1024], [1.0, 4.1, 15.8])      # 1.99: twice the length, four times the cost
    largest_tensor(attention, q, k, v)                # bytes; PyTorch is asked, nothing is estimated

What it does not see: memory inside one fused kernel, which is never a tensor.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def cpu_seconds(function: Callable[..., Any], *args: Any) -> float:
    """Processor time of one call, all threads together: what other programs do meanwhile does not count.

    The call is repeated until 0.05 seconds are used (clocks tick coarsely), after a first one to warm up.
    """
    function(*args)
    calls, start = 0, time.process_time()
    while (used := time.process_time() - start) < 0.05 or not calls:
        function(*args)
        calls += 1
    return used / calls


class _Largest(TorchDispatchMode):
    """Sees every tensor that an operation returns while the mode is on."""

    def __init__(self) -> None:
        super().__init__()
        self.nbytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
        self.nbytes = max([self.nbytes, *(tensor.numel() * tensor.element_size() for tensor in made)])
        return result


def largest_tensor(function: Callable[..., Any], *args: Any) -> int:
    """Bytes of the largest tensor that any operation inside `function(*args)` makes."""
    with torch.no_grad(), _Largest() as seen:
        function(*args)
    return seen.nbytes
