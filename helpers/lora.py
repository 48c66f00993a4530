"""LoRA: leave a trained matrix as it is and learn a small correction beside it (Hu et al., 2021); and what that takes.

    W x  becomes  W x + (alpha / rank) · B (A x)        A: (rank, in), B: (out, rank), and B starts at zero

    add_lora_(model, rank=8, alpha=16)            # every projection inside the layers; the rest is frozen
    merge_lora_(model)                            # W ← W + (alpha / rank) · B A: as fast as before
    memory_parts(read_shape("meta-llama/Llama-3.1-8B"), "qlora", rows=1, length=1024)     # bytes of a training step

Names with a trailing underscore change the model that they are given. The corrections are kept in float32 whatever the
model's precision is, because the optimizer adds tiny steps to them. The base may hold 4-bit codes
(`helpers.quantization.Linear4bit`): QLoRA. It then has to be dequantized before a merge.

What it does not do: train the base, dropout, biases, embeddings; plan several GPUs, checkpointing, mixtures of experts.
"""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import math
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.files.paths import DATA

logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # PEFT imports it, and it reports parts that are optional

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
FEED_FORWARD = ("gate_proj", "up_proj", "down_proj")
ALL_LINEAR = ATTENTION + FEED_FORWARD  # by these names in `helpers.transformer.llama.Llama` and in the library


class LoRALinear(nn.Module):
    """A linear layer, frozen, with a learned correction of low rank beside it; matches `peft.tuners.lora.Linear`.

    (…, in) → (…, out), the dtype of the base. rank: of the correction; alpha: its strength is alpha / rank.
    A starts as in the library (uniform, He et al., 2015), B at zero: at first the layer does what it did.
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        full = min(base.in_features, base.out_features)
        if not 1 <= rank <= full:
            raise ValueError(
                f"The rank is at least 1 and at most {full}, the smaller side of a matrix of {base.in_features} by "
                f"{base.out_features}, not {rank}."
            )
        self.base = base.requires_grad_(False)
        self.rank, self.alpha, self.enabled = rank, alpha, True
        empty = torch.empty(rank, base.in_features, dtype=torch.float32, device=base.weight.device)
        self.A = nn.Parameter(nn.init.kaiming_uniform_(empty, a=math.sqrt(5)))
        self.B = nn.Parameter(empty.new_zeros(base.out_features, rank))

    @property
    def scale(self) -> float:
        """What the correction is multiplied by."""
        return self.alpha / self.rank

    def forward(self, x: Tensor) -> Tensor:
        y = self.base(x)
        if not self.enabled:
            return y
        low = F.linear(x, self.A.to(x.dtype))  # (…, rank): all that the correction knows of x
        return y + F.linear(low, self.scale * self.B.to(x.dtype))

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """The plain linear layer that does the same; the base is changed. Raises ValueError for a 4-bit base."""
        weight = self.base.weight
        if not weight.is_floating_point():
            raise ValueError(
                "A correction cannot be added to 4-bit codes without rounding it away: call dequantize_nf4_(model) "
                "first, or keep the adapter beside the base."
            )
        weight.copy_(weight.float() + self.scale * self.B @ self.A)  # summed in float32, rounded once
        return self.base


def add_lora_(model: nn.Module, rank: int, alpha: float, targets: Sequence[str] = ALL_LINEAR) -> nn.Module:
    """Freeze the model and put a `LoRALinear` around each linear layer whose own name is in `targets`.

    Returns the same model. Raises ValueError where no layer has such a name, or the model has corrections already.
    """
    linears = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    own = dict.fromkeys(name.rpartition(".")[2] for name in linears)
    if missing := [target for target in targets if target not in own and not lora_layers(model)]:
        raise ValueError(
            f"No linear layer of this model is called {missing[0]!r}: name some of {', '.join(own)} in `targets`."
        )
    return add_lora_to_(model, [name for name in linears if name.rpartition(".")[2] in targets], rank, alpha)


def add_lora_to_(model: nn.Module, names: Iterable[str], rank: int, alpha: float) -> nn.Module:
    """Freeze the model and put a `LoRALinear` around each of the linear layers with these (whole) names.

    Returns the same model. Raises ValueError where the rank does not suit one, or the model has corrections already.
    """
    if lora_layers(model):
        raise ValueError("This model has LoRA layers already: merge them with merge_lora_, or load the model anew.")
    made = {name: LoRALinear(model.get_submodule(name), rank, alpha) for name in names}
    model.requires_grad_(False)
    for name, layer in made.items():
        _replace(model, name, layer)
    return model


def lora_layers(model: nn.Module) -> dict[str, LoRALinear]:
    """The model's `LoRALinear`s by name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoRALinear)}


def lora_parameters(model: nn.Module) -> list[nn.Parameter]:
    """What an optimizer is to train: every A and B. Raises ValueError where there are none."""
    layers = lora_layers(model)
    if not layers:
        raise ValueError("This model has no LoRA layers: call add_lora_ first.")
    return [parameter for layer in layers.values() for parameter in (layer.A, layer.B)]


@contextmanager
def without_lora(model: nn.Module) -> Iterator[None]:
    """Inside the `with`, the model answers as it did before training."""
    layers = lora_layers(model).values()
    for layer in layers:
        layer.enabled = False
    try:
        yield
    finally:
        for layer in layers:
            layer.enabled = True


def merge_lora_(model: nn.Module) -> nn.Module:
    """Add every correction to its matrix and take the `LoRALinear`s away. Returns the same model, still frozen."""
    lora_parameters(model)  # raises where there are none
    for name, layer in lora_layers(model).items():
        _replace(model, name, layer.merged())
    return model


def _replace(model: nn.Module, name: str, module: nn.Module) -> None:
    owner, _, last = name.rpartition(".")
    setattr(model.get_submodule(owner), last, module)


# The plan ----------------------------------------------------------------------------------------------------------

METHODS = ("full", "lora", "qlora")


@dataclass(frozen=True)
class Shape:
    """What decides about memory in a decoder like Llama; matrices: (in, out) of each linear layer of one layer."""

    layers: int
    width: int
    heads: int
    attention: tuple[int, int]  # numbers of a query, and of a key, over all heads
    feed_forward: int
    vocabulary: int
    tied: bool

    @property
    def matrices(self) -> tuple[tuple[int, int], ...]:
        d, f, (query, key) = self.width, self.feed_forward, self.attention
        return (d, query), (d, key), (d, key), (query, d), (d, f), (d, f), (f, d)

    @property
    def n_linear(self) -> int:
        """Weights in the linear layers."""
        return self.layers * sum(rows * columns for rows, columns in self.matrices)

    @property
    def n_rest(self) -> int:
        """Weights in embedding, norms and a head of its own."""
        return (2 - self.tied) * self.vocabulary * self.width + (2 * self.layers + 1) * self.width

    def n_adapter(self, rank: int) -> int:
        """Weights of LoRA beside every linear layer."""
        return self.layers * sum(rank * (rows + columns) for rows, columns in self.matrices)


def read_shape(model: str | Path | Mapping[str, Any]) -> Shape:
    """The shape of a model, without its weights: a name in data/model_shapes.json, a folder with a config.json, or what
    such a file holds.

    Raises ValueError for an unknown name and for a model that is no dense decoder like Llama.
    """
    known = json.loads((DATA / "model_shapes.json").read_text(encoding="utf-8"))["models"]
    if isinstance(model, Mapping):
        config = model
    elif (file := Path(model).expanduser() / "config.json").is_file():
        config = json.loads(file.read_text(encoding="utf-8"))
    elif str(model) in known:
        config = known[str(model)]
    else:
        raise ValueError(f"{model} is no folder with a config.json, and none of {', '.join(known)}.")
    if config.get("model_type") not in ("llama", "mistral", "qwen2", "qwen3"):
        raise ValueError(f"This plan counts models like Llama; {model} is of the type {config.get('model_type')!r}.")
    heads = config["num_attention_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    return Shape(
        config["num_hidden_layers"],
        config["hidden_size"],
        heads,
        (heads * head_dim, (config.get("num_key_value_heads") or heads) * head_dim),
        config["intermediate_size"],
        config["vocab_size"],
        config.get("tie_word_embeddings", False),
    )


def memory_parts(
    shape: Shape, method: str, rows: int, length: int, rank: int = 8, learned: int | None = None
) -> dict[str, int]:
    """Bytes at the peak of a training step in bfloat16, part by part, without checkpointing.

    method: one of METHODS. learned: labels that are no −100; every token by default.
    """
    tokens, d, f = rows * length, shape.width, shape.feed_forward
    learned = tokens if learned is None else learned
    n_trained = shape.n_linear + shape.n_rest if method == "full" else shape.n_adapter(rank)
    if method == "full":
        frozen = 0
    else:  # 4 bits a code, and 32 for each block of 64
        frozen = shape.n_linear * (4.5 / 8 if method == "qlora" else 2) + shape.n_rest * 2
    query, key = shape.attention
    kept = (
        (4 + 4 + 2 + 2) * d  # two norms, in 32 bits, and what they give
        + (2 + 2) * query + (2 + 2) * key + 4 * shape.heads  # queries, keys, values, their average
        + (2 + 2 + 2 + 2) * f  # gate, its activation, up, and their product
        + 7 * 2 * rank  # between A and B
    )  # fmt: skip
    parts = {
        "frozen weights": frozen,
        "trained weights": 4 * n_trained,
        "gradients": 4 * n_trained,
        "optimizer": 8 * n_trained,
        "activations": shape.layers * tokens * kept,
        "logits and loss": shape.vocabulary * (4 * tokens + 14 * learned),
    }
    return {part: round(size) for part, size in parts.items()}


# What it really takes ----------------------------------------------------------------------------------------------


class Peak:
    """Memory of this process while it is watched, bytes: at the start, and the most on top of that."""

    def __init__(self) -> None:
        import psutil

        self._resident = psutil.Process().memory_info
        self.start, self.above_start = self._resident().rss, 0

    def look(self) -> None:
        self.above_start = max(self.above_start, self._resident().rss - self.start)


@contextmanager
def watch_peak() -> Iterator[Peak]:
    """Look at this process's memory every 2 ms; on Linux, large tensors that are freed are given back at once."""
    gc.collect()
    _give_back_from(2**17)
    peak, done = Peak(), threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            peak.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        peak.look()
        done.set()
        thread.join()
        _give_back_from(2**25)  # the most that is allowed, and faster


def _give_back_from(size: int) -> None:
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # a libc without them
            libc = ctypes.CDLL("libc.so.6")
            libc.mallopt(-3, size)  # M_MMAP_THRESHOLD, which glibc would raise by itself
            libc.malloc_trim(0)
