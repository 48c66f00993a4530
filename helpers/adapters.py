"""Adapters in PEFT's format: which ones the course ships, whether one is whole, and whether it fits a model.

    shipped()                                  # names of the folders in data/adapters
    adapter = read_adapter("tickets")          # or a folder that save_pretrained or helpers.old.lora.save_adapter wrote
    require_fit(adapter, linear_sizes(model), lambda: weights_checksum(model.parameters()))

An adapter is a folder with `adapter_config.json` (rank, alpha, which layers), `adapter_model.safetensors` (for each
corrected layer A of shape (rank, in) and B of shape (out, rank)) and `README.md`, its card. It corrects one base only:
`save_adapter` writes a checksum of the base's weights into the header of the safetensors file, and an adapter that has
one is refused by every other model, even by one of the same shape.

What it does not do: put an adapter into a model. `helpers.models.chat_model(adapter=…)` does that for the library's
model, `helpers.old.lora.load_adapter` for the course's own.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.fetching.wheel import ModelUnavailable
from helpers.files.paths import DATA
from helpers.files.safe_files import shown

if TYPE_CHECKING:
    from torch import Tensor, nn

ADAPTERS = DATA / "adapters"
CONFIG, WEIGHTS, CARD = "adapter_config.json", "adapter_model.safetensors", "README.md"
BASE = "HuggingFaceTB/SmolLM2-135M-Instruct"  # what the chat model is called where adapters name their base
PREFIX = "base_model.model."  # PEFT's, before each of the base's names
PARTS = {"lora_A": 0, "lora_B": 1}  # the dimension that is the rank
CHECKSUM = "base_sha256"  # the header's entry
# settings of PEFT's LoRA that make it more than W x + scale · B (A x), where they are anything but off
VARIANTS = (
    *("use_dora", "use_qalora", "use_bdlora", "lora_bias", "fan_in_fan_out", "rank_pattern", "alpha_pattern"),
    *("modules_to_save", "trainable_token_indices", "layer_replication", "target_parameters", "arrow_config"),
    *("alora_invocation_tokens", "velora_config", "monteclora_config", "kasa_config"),
)
CHANGE_THE_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")  # ways to start that subtract something from W


class AdapterUnavailable(ModelUnavailable):
    """An adapter is unknown, damaged or made for another model; the message is one sentence that says which."""


@dataclass(frozen=True)
class Adapter:
    """What stands in an adapter's folder. Layers bear the names that they have in the base, as transformers has it."""

    folder: Path
    rank: int
    alpha: float
    rank_stabilized: bool  # scaled by alpha / √rank (Kalajdzievski, 2023) in place of alpha / rank
    base: str | None  # the model that it was trained for, as its config names it
    checksum: str | None  # of that model's weights, where it was recorded
    layers: Mapping[str, tuple[int, int, int]]  # each corrected layer's (rank, in, out)
    keys: Mapping[str, tuple[str, str]]  # each corrected layer's tensors in the file, A and B
    beyond: tuple[str, ...]  # what it has besides plain LoRA

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def scale(self) -> float:
        """What B A is multiplied by."""
        return self.alpha / (math.sqrt(self.rank) if self.rank_stabilized else self.rank)

    @property
    def targets(self) -> list[str]:
        """The corrected layers' own names, without their place in the model."""
        return own_names(self.layers)


def shipped() -> list[str]:
    """The names of the adapters in data/adapters, in order."""
    return sorted(file.parent.name for file in ADAPTERS.glob(f"*/{CONFIG}"))


def find_adapter(adapter: str | os.PathLike) -> Path:
    """The folder of an adapter: one of `shipped`, else a folder by its path.

    Raises AdapterUnavailable, which lists what exists.
    """
    if isinstance(adapter, str) and adapter in shipped():
        return ADAPTERS / adapter
    folder = Path(adapter).expanduser()
    if folder.is_dir():
        return folder.absolute()
    known = shipped()
    near = difflib.get_close_matches(str(adapter), known, n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    have = f"this course has {', '.join(known)}" if known else "this course ships none"
    raise AdapterUnavailable(
        f"There is no adapter {str(adapter)!r}: {have}, and a folder of your own is named by its path.{meant}"
    )


def read_adapter(adapter: str | os.PathLike) -> Adapter:
    """What stands in the folder of an adapter (a name of `shipped`, or a path), read without its weights.

    Raises AdapterUnavailable where it is unknown, cut off, or its files do not belong together.
    """
    folder = find_adapter(adapter)
    config, (shapes, header) = _read_config(folder), _read_header(folder)
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if not _is_number(rank) or rank < 1 or rank != int(rank) or not _is_number(alpha):
        raise AdapterUnavailable(f"{CONFIG} of {folder.name} gives no rank (r) and lora_alpha: {_cure(folder)}.")
    found: dict[str, dict[str, str]] = {}
    for key in shapes:
        layer, _, part = key.removeprefix(PREFIX).removesuffix(".weight").rpartition(".")
        if part in PARTS and len(shapes[key]) == 2:
            found.setdefault(layer, {})[part] = key
    if not found:
        raise AdapterUnavailable(f"{WEIGHTS} of {folder.name} corrects no layer: {_cure(folder)}.")
    beyond = [name for name in VARIANTS if config.get(name)]
    beyond += ["bias"] if config.get("bias", "none") != "none" else []
    start = config.get("init_lora_weights", True)
    beyond += [f"init_lora_weights={start}"] if str(start).lower().startswith(CHANGE_THE_BASE) else []
    keys = {key for parts in found.values() for key in parts.values()}
    beyond += [key.removeprefix(PREFIX) for key in shapes if key not in keys][:1]
    layers = {}
    for layer, parts in found.items():
        if lacks := [part for part in PARTS if part not in parts]:
            raise AdapterUnavailable(f"{WEIGHTS} of {folder.name} lacks {lacks[0]} of {layer}: {_cure(folder)}.")
        (rank_a, n_in), (n_out, rank_b) = shapes[parts["lora_A"]], shapes[parts["lora_B"]]
        if rank_a != rank_b or (rank_a != rank and not config.get("rank_pattern")):
            raise AdapterUnavailable(
                f"The files of {folder.name} do not belong together: {CONFIG} says rank {rank}, and the matrices of "
                f"{layer} in {WEIGHTS} have ranks {rank_a} and {rank_b}: {_cure(folder)}."
            )
        layers[layer] = (rank_a, n_in, n_out)
    return Adapter(
        folder=folder,
        rank=int(rank),
        alpha=float(alpha),
        rank_stabilized=bool(config.get("use_rslora")),
        base=config.get("base_model_name_or_path") or None,
        checksum=header.get(CHECKSUM),
        layers=layers,
        keys={layer: (parts["lora_A"], parts["lora_B"]) for layer, parts in found.items()},
        beyond=tuple(beyond),
    )


# Does it fit? --------------------------------------------------------------------------------------------------------


def require_fit(
    adapter: Adapter,
    sizes: Mapping[str, tuple[int, int]],
    checksum: Callable[[], str | None],
    cure: str = "load the model that it was trained for",
) -> None:
    """Raise AdapterUnavailable, in one sentence that ends with `cure`, where the adapter was made for another model.

    sizes: (in, out) of the model's linear layers by name. checksum: gives that of the model's weights, or None where
    it cannot be told; it is asked only if the adapter has one to compare and every layer fits.
    """
    base = f"{adapter.name} was trained for {adapter.base or 'another model'}"
    missing = [layer for layer in adapter.layers if layer not in sizes]
    if len(missing) == len(adapter.layers):
        raise AdapterUnavailable(
            f"{base}, where it corrects {_listed(adapter.targets)}, and no linear layer of this model is called that "
            f"(they are {_listed(own_names(sizes))}): {cure}."
        )
    if missing:
        raise AdapterUnavailable(f"{base} and corrects {missing[0]}, which this model does not have: {cure}.")
    for layer, (_, n_in, n_out) in adapter.layers.items():
        if sizes[layer] != (n_in, n_out):
            raise AdapterUnavailable(
                f"{base}, where {layer} maps {n_in} numbers to {n_out}; in this model it maps {sizes[layer][0]} to "
                f"{sizes[layer][1]}: {cure}."
            )
    if adapter.checksum and (ours := checksum()) and ours != adapter.checksum:
        raise AdapterUnavailable(
            f"{base}, whose weights differ from this model's (checksum {adapter.checksum[:12]}…, here "
            f"{ours[:12]}…): {cure}."
        )


def linear_sizes(model: nn.Module) -> dict[str, tuple[int, int]]:
    """(in, out) of each linear layer of a model by its name; those of bitsandbytes count, too."""
    from torch import nn

    linears = ((name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear))
    return {name: (linear.in_features, linear.out_features) for name, linear in linears}


def weights_checksum(tensors: Iterable[Tensor]) -> str | None:
    """SHA-256 over a model's weights, rounded to bfloat16: the same in either precision, in any order, under any names.

    Equal tensors count once, so that tied weights do not matter. None where some weights are neither float32 nor
    bfloat16, because what they were before they were rounded or packed otherwise cannot be told. Under a second for
    135 million.
    """
    import torch

    digests = set()
    for tensor in tensors:
        if tensor.dtype not in (torch.float32, torch.bfloat16):
            return None
        content = tensor.detach().to("cpu", torch.bfloat16).contiguous().view(torch.int16).numpy()
        digest = hashlib.sha256(str(tuple(tensor.shape)).encode())
        digest.update(content)
        digests.add(digest.digest())
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


def own_names(layers: Iterable[str]) -> list[str]:
    """The last parts of the layers' names, each once, in order.

    >>> own_names(["blocks.0.q_proj", "blocks.1.q_proj", "head"])
    ['q_proj', 'head']
    """
    return list(dict.fromkeys(layer.rpartition(".")[2] for layer in layers))


# Reading the two files -----------------------------------------------------------------------------------------------


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except OSError:
        raise AdapterUnavailable(
            f"{shown(folder)} is no whole adapter, because it holds no {CONFIG}: {_cure(folder)}."
        ) from None
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise AdapterUnavailable(f"{CONFIG} of {folder.name} is cut off or no JSON object: {_cure(folder)}.")
    if config.get("peft_type") != "LORA":
        raise AdapterUnavailable(
            f"{folder.name} is an adapter of the type {config.get('peft_type')!r}, and this course reads LORA alone."
        )
    return config


def _read_header(folder: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """The shapes of the tensors by name, and the header's strings; the file's length is checked, too."""
    from safetensors import SafetensorError, safe_open

    file = folder / WEIGHTS
    if not file.is_file():
        pickled = " (pickled weights are never opened)" if (folder / "adapter_model.bin").exists() else ""
        raise AdapterUnavailable(f"There is no {WEIGHTS} in {folder.name}{pickled}: {_cure(folder)}.")
    try:
        with safe_open(file, framework="np") as tensors:
            return {key: tuple(tensors.get_slice(key).get_shape()) for key in tensors.keys()}, tensors.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise AdapterUnavailable(
            f"{WEIGHTS} of {folder.name} is cut off or damaged ({str(error).rstrip('.')}): {_cure(folder)}."
        ) from None


def _cure(folder: Path) -> str:
    return f"restore it with `git checkout -- {shown(folder)}`" if folder.parent == ADAPTERS else "save it again"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
