"""How fast things are, and how fast they could be: time in turns, bytes per token, bandwidth, arithmetic.

    seconds = race({"library": theirs, "ours": ours}, rounds=3)     # in turns, so that both meet the same noise
    ceiling = memory_bandwidth() / bytes_per_token(model)           # tokens per second, if reading were all

A decoder that writes one token reads every weight once. The roofline (Williams et al., 2009) bounds what comes of it:
no more operations per second than the cores can do, and no more than bandwidth × operations per byte.

What it does not measure: energy, other machines, several processes at once.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from tqdm import tqdm

from helpers.display.frontend import is_static


def race(runs: Mapping[str, Callable[[], Any]], rounds: int = 3) -> dict[str, list[float]]:
    """Seconds of every run, `rounds` times each, in turns after one warm-up; every second round backwards.

    A slow minute of the machine then hits all of them, and ratios of medians stay fair. A bar shows the rounds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for number in tqdm(range(rounds), unit="round", disable=is_static(), file=sys.stdout, leave=False):
        for name in list(runs) if number % 2 == 0 else reversed(list(runs)):
            gc.collect()
            start = time.perf_counter()
            runs[name]()
            seconds[name].append(time.perf_counter() - start)
    return seconds


@torch.inference_mode()
def pass_seconds(
    model: Any, rows: int, batch: int = 1, context: int = 100, rounds: int = 5, last_only: bool = False
) -> float:
    """The best time of one pass over `rows` new tokens of `batch` texts, with `context` tokens in the cache.

    It runs on the model's device. last_only: logits of the last position alone, which is all that a reader of a
    prompt needs.
    """
    return min(_passes(model, rows, batch, context, rounds, last_only))


def _passes(model: Any, rows: int, batch: int, context: int, rounds: int, last_only: bool) -> list[float]:
    device = next(model.parameters()).device
    cache = model.new_cache(batch, context + rows)
    ids = torch.ones(batch, rows, dtype=torch.int64, device=device)
    seconds = []
    for _ in range(rounds + 1):
        cache.length = context  # what stands there does not matter for the time
        _wait_for(device)
        start = time.perf_counter()
        model(ids, cache, last_only=last_only)
        _wait_for(device)
        seconds.append(time.perf_counter() - start)
    return seconds[1:]  # the first one warmed up


def _wait_for(device: torch.device) -> None:
    """A GPU is handed its operations and works on them later: without this, a clock measures the handing over."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


# Where it goes -------------------------------------------------------------------------------------------------------

PRODUCTS, ATTENTION, REST = "matrix products", "attention", "everything else"


@torch.inference_mode()
def where_time_goes(model: Any, context: int = 60, steps: int = 8, batch: int = 1) -> dict[str, float]:
    """Seconds for one token behind `context` others, of each of `batch` texts: products, attention, and what is left.

    The operations of the first two are timed one by one, on the CPU. What an undisturbed token takes longer than their
    sum is small operations, and Python in between. All are medians over `steps` tokens, disturbed and undisturbed ones
    in turns. A rest below zero is possible: timing an operation costs time, too, and then hides so small a rest.
    """
    seconds: dict[str, list[float]] = {PRODUCTS: [], ATTENTION: [], REST: []}
    cache, token = model.new_cache(batch, context + 1), torch.ones(batch, 1, dtype=torch.int64)
    model(torch.ones(batch, context, dtype=torch.int64), cache)
    for _ in range(steps + 1):
        cache.truncate(context)
        with _Timed() as seen:
            model(token, cache, last_only=True)
        cache.truncate(context)
        whole = _timed(lambda: model(token, cache, last_only=True))
        products = sum(s for name, s in seen.seconds.items() if name.endswith(("mm", "mm_for_cpu", "linear")))
        attention = sum(s for name, s in seen.seconds.items() if "attention" in name)
        for kind, spent in zip(seconds, (products, attention, whole), strict=True):
            seconds[kind].append(spent)
    products, attention, whole = (statistics.median(times[1:]) for times in seconds.values())  # the first warmed up
    return {PRODUCTS: products, ATTENTION: attention, REST: whole - products - attention}


class _Timed(TorchDispatchMode):
    """Adds up the seconds of every operation that runs while the mode is on, by its name."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[str, float] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        start = time.perf_counter()
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
        return result


# What bounds it ------------------------------------------------------------------------------------------------------


def memory_bandwidth(megabytes: int = 256, rounds: int = 5) -> float:
    """Bytes per second that all cores together read from memory: the best of `rounds` sums over an array.

    A cache keeps what fits of the array, and a server's can hold hundreds of megabytes: take an array larger
    than it, or one of the size of what a program goes through again and again.

    Raises ValueError for an array so small (below 64 MB) that caches would answer.
    """
    if megabytes < 64:
        raise ValueError(f"{megabytes} MB may fit into a cache, which is not memory: take 64 or more.")
    numbers = torch.ones(megabytes * 1_000_000 // 4)
    numbers.sum()
    return numbers.nbytes / min(_timed(numbers.sum) for _ in range(rounds))


def product_bandwidth(product: Callable[[Tensor, Tensor], Tensor], threads: int, shape: tuple = (3072, 576)) -> float:
    """Bytes per second at which `product(row, weight)` goes through many matrices in turn, with so many threads.

    row: (1, K), weight: (N, K), both float32, of the given shape. The 76 matrices of the usual shape take 538 MB, as
    much as the small chat model.
    """
    weights, row = [torch.ones(shape) for _ in range(76)], torch.ones(1, shape[1])
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        seconds = min(_timed(lambda: [product(row, weight) for weight in weights]) for _ in range(4))
    finally:
        torch.set_num_threads(before)
    return len(weights) * weights[0].nbytes / seconds


def arithmetic_peak(dtype: torch.dtype = torch.float32) -> float:
    """Operations per second in a large matrix product, a multiplication and an addition counted as two."""
    size = 1024
    a, b = torch.ones(size, size, dtype=dtype), torch.ones(size, size, dtype=dtype)
    a @ b
    return 2 * size**3 / min(_timed(lambda: a @ b) for _ in range(5))


def _timed(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def bytes_per_token(model: nn.Module) -> int:
    """Bytes of weights that writing one token reads: each matrix once, and of a table that is only looked up one row.

    The cache comes on top: a few per mille of it at a hundred tokens.
    """
    total, seen = 0, set()
    tables = [module.weight for module in model.modules() if isinstance(module, nn.Embedding)]
    tensors = [tensor for module in model.modules() if not isinstance(module, nn.Embedding) for tensor in _own(module)]
    for tensor in tensors:
        if id(tensor) not in seen:
            seen.add(id(tensor))
            total += tensor.nbytes
    return total + sum(table[0].nbytes for table in tables if id(table) not in seen)


def _own(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(recurse=False), *module.buffers(recurse=False)]
