"""Adapters on disk, in PEFT's own format, for models of the course.

    save_adapter(model, "build/adapters/mine", base="SmolLM2-135M-Instruct")   # PeftModel.from_pretrained reads it
    load_adapter(Llama.from_pretrained(fetch("chat")), "tickets")              # what PEFT or save_adapter wrote

Layers bear the library's names in the files and ours in the model. What it does not do: variants of LoRA (DoRA, biases,
other ranks for some layers …), which are refused by name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from helpers.adapters import (
    CHECKSUM,
    CONFIG,
    PREFIX,
    WEIGHTS,
    Adapter,
    AdapterUnavailable,
    linear_sizes,
    own_names,
    read_adapter,
    require_fit,
    weights_checksum,
)
from helpers.files.safe_files import json_writer, safetensors_writer, write_together
from helpers.lora import LoRALinear, add_lora_to_, lora_layers, lora_parameters
from helpers.old.transformer.minimal import MinimalLlama
from helpers.transformer.llama import Llama, library_llama_name


def save_adapter(
    model: nn.Module, folder: str | os.PathLike, *, base: str | None = None, dtype: torch.dtype = torch.bfloat16
) -> None:
    """Write the corrections of a model into `folder`, made if need be, as `PeftModel.save_pretrained` would.

    base: what the model without its corrections is called, for whoever reads the files. A checksum of its weights is
    written, too, unless they are quantized. dtype: of the file; bfloat16 halves it and rounds to three digits.
    Raises ValueError where the model has no corrections, or layers of different strength, OSError in one sentence where
    the disk is full. A folder is complete or refused by whoever reads it, wherever the writing was interrupted.
    """
    lora_parameters(model)  # raises where there are none
    layers = lora_layers(model)
    if len({(layer.rank, layer.alpha) for layer in layers.values()}) > 1:
        raise ValueError("These LoRA layers differ in rank or alpha, which this format keeps once for all of them.")
    first = next(iter(layers.values()))
    tensors = {}
    for name, layer in layers.items():
        for part in "AB":
            key = f"{PREFIX}{_library_name(model, name)}.lora_{part}.weight"
            tensors[key] = getattr(layer, part).detach().to(dtype)
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": first.rank,
        "lora_alpha": int(first.alpha) if first.alpha == int(first.alpha) else first.alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "use_rslora": False,
        "target_modules": _targets(model),
        "inference_mode": True,
    }
    checksum = weights_checksum(_base_weights(model))
    header = {"format": "pt"} | ({CHECKSUM: checksum} if checksum else {})
    write_together(folder, {WEIGHTS: safetensors_writer(tensors, header), CONFIG: json_writer(config)})


def load_adapter(model: nn.Module, adapter: str | os.PathLike) -> nn.Module:
    """Add the corrections of an adapter to a model; where the model has them already, they get the adapter's values.

    adapter: a name in data/adapters or a folder that PEFT or `save_adapter` wrote. Returns the same model, frozen but
    for the corrections. Raises AdapterUnavailable, with the model as it was, where the adapter is unknown, damaged,
    made for another base or a variant that `LoRALinear` does not compute.
    """
    found = read_adapter(adapter)
    if found.beyond:
        raise AdapterUnavailable(
            f"{found.name} is more than plain LoRA ({found.beyond[0]}): load it with PeftModel.from_pretrained."
        )
    sizes = _linear_layers(model)
    ours = {_library_name(model, name): name for name in sizes}
    by_their_name = {theirs: sizes[name] for theirs, name in ours.items()}
    require_fit(found, by_their_name, lambda: weights_checksum(_base_weights(model)))
    tensors = {ours[layer]: matrices for layer, matrices in read_matrices(found).items()}
    if lora_layers(model):
        _require_same(found, lora_layers(model), set(tensors))
    else:
        add_lora_to_(model, tensors, found.rank, found.scale * found.rank)
    with torch.no_grad():
        for name, layer in lora_layers(model).items():
            layer.A.copy_(tensors[name][0])
            layer.B.copy_(tensors[name][1])
    return model


def read_matrices(adapter: Adapter) -> dict[str, tuple[Tensor, Tensor]]:
    """A and B of each corrected layer, by the library's name of it."""
    from safetensors.torch import load_file

    tensors = load_file(adapter.folder / WEIGHTS)
    return {layer: (tensors[a], tensors[b]) for layer, (a, b) in adapter.keys.items()}


def _require_same(adapter: Adapter, layers: Mapping[str, LoRALinear], names: set[str]) -> None:
    alpha = adapter.scale * adapter.rank
    if other := next((x for x in layers.values() if (x.rank, x.alpha) != (adapter.rank, alpha)), None):
        raise AdapterUnavailable(
            f"{adapter.name} was made with rank {adapter.rank} and alpha {alpha}, and this model's corrections have "
            f"{other.rank} and {other.alpha}: load it into a model without any."
        )
    if different := sorted(names ^ set(layers)):
        raise AdapterUnavailable(
            f"{adapter.name} and this model do not both correct {different[0]}: load it into a model without "
            "corrections."
        )


def _library_name(model: nn.Module, name: str) -> str:
    """What transformers calls a layer of ours; layers of other models keep their names."""
    return library_llama_name(name) if isinstance(model, Llama | MinimalLlama) else name


def _linear_layers(model: nn.Module) -> dict[str, tuple[int, int]]:
    """(in, out) of each linear layer by its name before it was corrected."""
    corrected = lora_layers(model)
    plain = {f"{name}.base": name for name in corrected}
    return {plain.get(name, name): size for name, size in linear_sizes(model).items()}


def _targets(model: nn.Module) -> list[str]:
    """What PEFT needs to correct the same layers: their own names, or whole ones where others are called alike."""
    corrected = lora_layers(model)
    own = own_names(corrected)
    if all(name in corrected for name in _linear_layers(model) if name.rpartition(".")[2] in own):
        return sorted(own)
    return [_library_name(model, name) for name in corrected]


def _base_weights(model: nn.Module) -> list[nn.Parameter]:
    corrections = {id(matrix) for layer in lora_layers(model).values() for matrix in (layer.A, layer.B)}
    return [parameter for parameter in model.parameters() if id(parameter) not in corrections]
