"""LoRA: leave a trained matrix as it is and learn a small correction beside it (Hu et al., 2021).

    W x  becomes  W x + (alpha / rank) · B (A x)        A: (rank, in), B: (out, rank), and B starts at zero

    add_lora_(model, rank=8, alpha=16)            # every projection inside the blocks; the rest is frozen
    train(model, …)                               # helpers.training; only lora_parameters(model) move
    save_adapter(model, "tickets.safetensors")    # a few MB
    merge_lora_(model)                            # W ← W + (alpha / rank) · B A: as fast as before

Names with a trailing underscore change the model that they are given. The corrections are kept in float32 whatever the
model's precision is, because the optimizer adds tiny steps to them.

What it does not do: quantized bases (`helpers.quantization.weights`), dropout, biases, embeddings.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.files.safe_files import write_safetensors
from helpers.transformer.checkpoints import CheckpointError, open_safetensors

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
        if rank < 1:
            raise ValueError(f"The rank is at least 1, not {rank}.")
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
        """The plain linear layer that does the same; the base is changed."""
        weight = self.base.weight
        weight.copy_(weight.float() + self.scale * self.B @ self.A)  # summed in float32, rounded once
        return self.base


def add_lora_(model: nn.Module, rank: int, alpha: float, targets: Sequence[str] = ALL_LINEAR) -> nn.Module:
    """Freeze the model and put a `LoRALinear` around each linear layer whose own name is in `targets`.

    Returns the same model. Raises ValueError where no layer has such a name, or the model has corrections already.
    """
    if lora_layers(model):
        raise ValueError("This model has LoRA layers already: merge them with merge_lora_, or load the model anew.")
    found = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] in targets
    }
    if missing := [target for target in targets if not any(name.rpartition(".")[2] == target for name in found)]:
        raise ValueError(f"No linear layer of this model is called {missing[0]!r}: name others in `targets`.")
    model.requires_grad_(False)
    for name, linear in found.items():
        _replace(model, name, LoRALinear(linear, rank, alpha))
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


def save_adapter(model: nn.Module, path: str | os.PathLike) -> None:
    """Write the corrections, rank, alpha and names into one safetensors file, whole or not at all.

    Raises ValueError where there are none, OSError in one sentence where the disk is full.
    """
    layers = lora_layers(model)
    lora_parameters(model)
    tensors = {f"{name}.{part}": getattr(layer, part).detach() for name, layer in layers.items() for part in "AB"}
    first = next(iter(layers.values()))
    targets = sorted({name.rpartition(".")[2] for name in layers})
    described = {"rank": first.rank, "alpha": first.alpha, "targets": targets}
    write_safetensors(path, tensors, {"lora": json.dumps(described)})


def load_adapter(model: nn.Module, path: str | os.PathLike) -> nn.Module:
    """Add the corrections of a file that `save_adapter` wrote; where the model has some already, they get its values.

    Returns the same model. Raises CheckpointError, with the model as it was, where the file is damaged or does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"There is no adapter {path}: name a file that save_adapter wrote.")
    with open_safetensors(path) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        described = _description(path, file.metadata())
    linears = {n: m for n, m in model.named_modules() if isinstance(m, nn.Linear | LoRALinear)}
    for name, tensor in tensors.items():
        layer, _, part = name.rpartition(".")
        linear = getattr(linears.get(layer), "base", linears.get(layer))
        if part not in ("A", "B") or linear is None:
            raise CheckpointError(f"{path.name} corrects {layer}, which this model does not have as a linear layer.")
        rank = described["rank"]
        shape = (rank, linear.in_features) if part == "A" else (linear.out_features, rank)
        if tuple(tensor.shape) != shape:
            raise CheckpointError(
                f"{name} in {path.name} has the shape {tuple(tensor.shape)}, where this model needs {shape}."
            )
    layers = lora_layers(model)
    if other := next(
        (x for x in layers.values() if (x.rank, x.alpha) != (described["rank"], described["alpha"])), None
    ):
        raise CheckpointError(
            f"{path.name} was made with rank {described['rank']} and alpha {described['alpha']}, and this model's have "
            f"{other.rank} and {other.alpha}: load it into a model without any."
        )
    if not layers:
        layers = lora_layers(add_lora_(model, described["rank"], described["alpha"], described["targets"]))
    if missing := [f"{n}.{p}" for n in layers for p in "AB" if f"{n}.{p}" not in tensors]:
        raise CheckpointError(f"{path.name} lacks {missing[0]}: it was made for another model.")
    with torch.no_grad():
        for name, tensor in tensors.items():
            layer, _, part = name.rpartition(".")
            getattr(layers[layer], part).copy_(tensor)
    return model


def _description(path: Path, metadata: dict[str, str] | None) -> dict:
    try:
        described = json.loads((metadata or {})["lora"])
        return {"rank": int(described["rank"]), "alpha": float(described["alpha"]), "targets": described["targets"]}
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(f"{path.name} holds no adapter of this course: name a file of save_adapter.") from None


def _replace(model: nn.Module, name: str, module: nn.Module) -> None:
    owner, _, last = name.rpartition(".")
    setattr(model.get_submodule(owner), last, module)
