"""LoRA: leave a trained matrix as it is and learn a small correction beside it (Hu et al., 2021).

    W x  becomes  W x + (alpha / rank) · B (A x)        A: (rank, in), B: (out, rank), and B starts at zero

    add_lora_(model, rank=8, alpha=16)            # every projection inside the blocks; the rest is frozen
    train(model, …)                               # helpers.old.training; only lora_parameters(model) move
    save_adapter(model, "build/adapters/tickets") # a few MB, see helpers.old.lora.files
    merge_lora_(model)                            # W ← W + (alpha / rank) · B A: as fast as before

Names with a trailing underscore change the model that they are given. The corrections are kept in float32 whatever the
model's precision is, because the optimizer adds tiny steps to them.

The base may hold 4-bit codes (`helpers.old.quantization.nf4.Linear4bit`): QLoRA. It then has to be dequantized before a
merge. What it does not do: train the base, dropout, biases, embeddings.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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
