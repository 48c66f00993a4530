"""Read a model's folder, `config.json` and safetensors, into a model of the course's own.

    config = read_config(folder, "llama")
    load_weights(model, folder, rename=their_name_to_ours, dtype=torch.float32, device="cpu")

A checkpoint is refused, in one sentence, where it is cut off, lacks a tensor, has one too many or one of another shape:
a model with a hole in it talks, only not sense. Memory: the model, plus a few tensors on their way.

What it does not do: open pickles (`.bin`, `.pt`), run code that came with a model, read quantized weights.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

FLOATS, FLOAT_NAMES = ("F32", "F16", "BF16", "F64"), "float32, float16 and bfloat16"
READERS = 4  # threads: converting a tensor is mostly waiting for memory
AT_ONCE = 32  # tensors


class CheckpointError(ValueError):
    """A model's folder is missing, of another kind, cut off, or does not fit; the message says which."""


def read_config(folder: str | os.PathLike, model_type: str) -> dict[str, Any]:
    """The folder's `config.json`, if it describes a model of this type. Raises CheckpointError otherwise."""
    folder = Path(folder)
    if not folder.is_dir():
        raise CheckpointError(f'There is no folder {folder}: name one that holds config.json, such as fetch("chat").')
    config = read_json(folder / "config.json")
    found = config.get("model_type")
    if found != model_type:
        raise CheckpointError(
            f"config.json in {folder.name} describes a model of the type {found!r}; this class reads {model_type!r}."
        )
    if config.get("quantization_config"):
        raise CheckpointError(
            f"The weights in {folder.name} are quantized; this class reads float32, float16, bfloat16."
        )
    return config


def read_eos_ids(folder: str | os.PathLike, config: dict[str, Any]) -> tuple[int, ...]:
    """The tokens that end a text: `generation_config.json`'s, as the library takes them, else `config.json`'s, or none.

    Raises CheckpointError where they are not whole numbers.
    """
    file = Path(folder) / "generation_config.json"
    given = (read_json(file) if file.exists() else {}).get("eos_token_id", config.get("eos_token_id"))
    ids = [] if given is None else given if isinstance(given, list) else [given]
    if wrong := [number for number in ids if not isinstance(number, int) or isinstance(number, bool)]:
        raise CheckpointError(f"eos_token_id in {Path(folder).name} is {wrong[0]!r}, not the number of a token.")
    return tuple(ids)


def read_json(path: Path, kind: type = dict) -> Any:
    """The object, or with kind=list the list, in a JSON file. Raises CheckpointError where there is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise CheckpointError(
            f"There is no {path.name} in {path.parent}: name a folder that save_pretrained wrote."
        ) from None
    except (ValueError, RecursionError):
        raise CheckpointError(
            f"{path.name} in {path.parent.name} is cut off or no JSON: get the model again."
        ) from None
    if not isinstance(data, kind):
        raise CheckpointError(f"{path.name} in {path.parent.name} holds no configuration: get the model again.")
    return data


def settings(
    config: dict[str, Any], names: dict[str, str], required: Iterable[str], supported: dict[str, Iterable[Any]]
) -> dict[str, Any]:
    """What our configuration takes from `config`: {ours: config[theirs]}, leaving out what is absent or null.

    required: what may not be absent. supported: theirs -> the values that our architecture covers.
    Raises CheckpointError where one is absent or another value.
    """
    for ours in required:
        if config.get(names[ours]) is None:
            raise CheckpointError(f"config.json lacks {names[ours]}: get the model again.")
    for theirs, values in supported.items():
        if theirs in config and config[theirs] not in values:
            raise CheckpointError(
                f"config.json says {theirs} = {config[theirs]!r}, which this architecture does not have."
            )
    return {ours: config[theirs] for ours, theirs in names.items() if config.get(theirs) is not None}


def not_described(name: str, error: Exception) -> CheckpointError:
    """What to raise where the sizes in `config.json` make no model."""
    return CheckpointError(f"config.json does not describe a {name}: {str(error).rstrip('.')}.")


def weight_files(folder: str | os.PathLike) -> list[Path]:
    """The folder's safetensors: one file, or the shards that the index lists. Raises CheckpointError if one lacks."""
    folder = Path(folder)
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if single.exists():
        return [single]
    if not index.exists():
        raise CheckpointError(
            f"There is no model.safetensors in {folder}, and this course opens no pickles: save the model again with "
            "save_pretrained."
        )
    listed = read_json(index).get("weight_map")
    if not isinstance(listed, dict) or not listed:
        raise CheckpointError(f"{index.name} in {folder.name} lists no files: get the model again.")
    files = [folder / name for name in sorted(set(listed.values()))]
    for file in files:
        if not file.exists():
            raise CheckpointError(f"{index.name} lists {file.name}, which is not in {folder}: get the model again.")
    return files


def tensor_names(files: Iterable[Path]) -> list[str]:
    """The names of all tensors in the files; reads their headers only. Raises CheckpointError for a damaged file."""
    names: list[str] = []
    for file in files:
        with open_safetensors(file) as tensors:
            names += tensors.keys()
    return names


def open_safetensors(file: Path) -> Any:
    """The file opened to read tensors one by one. Raises CheckpointError where it is cut off or no safetensors."""
    try:
        return safe_open(file, framework="pt")
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{file.name} is cut off or damaged ({error}): get the model again.") from None


@contextmanager
def shapes_only() -> Iterator[None]:
    """Inside the `with`, a module is made without memory for its weights and without drawing random numbers."""
    with torch.device("meta"), _NoInit():
        yield


class _NoInit(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__module__", None) == "torch.nn.init":
            return (kwargs or {}).get("tensor", args[0] if args else None)
        return func(*args, **(kwargs or {}))


def load_weights(
    model: nn.Module,
    files: Iterable[Path],
    rename: Callable[[str], str | None],
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> None:
    """Fill a model that was made inside `shapes_only`, tensor by tensor.

    rename: a tensor's name in the files -> our parameter's name, None for one that we do not need.
    Raises CheckpointError for a tensor that is missing, unknown or of another shape; TypeError for an integer dtype.
    """
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise TypeError(f"dtype is a floating-point torch dtype such as torch.float32, not {dtype!r}.")
    wanted = dict(model.named_parameters())
    found: dict[str, nn.Parameter] = {}
    for file in files:
        with open_safetensors(file) as tensors:
            names = {ours: theirs for theirs in tensors.keys() if (ours := rename(theirs)) is not None}
            for ours, theirs in names.items():
                _require_fit(file, theirs, tensors.get_slice(theirs), wanted.get(ours))
        found |= {ours: nn.Parameter(tensor) for ours, tensor in _read(file, names, dtype, device)}
    if missing := [name for name in wanted if name not in found]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise CheckpointError(f"The checkpoint lacks {missing[0]}{more} (our names): get the model again.")
    for name, parameter in found.items():
        owner, _, last = name.rpartition(".")
        setattr(model.get_submodule(owner), last, parameter)


def _read(
    file: Path, names: dict[str, str], dtype: torch.dtype, device: torch.device | str
) -> Iterator[tuple[str, Tensor]]:
    """Our names with the tensors, converted. The file is opened anew for every few, so that its pages leave memory."""
    listed = list(names.items())
    for start in range(0, len(listed), AT_ONCE):
        some = listed[start : start + AT_ONCE]
        with open_safetensors(file) as tensors, ThreadPoolExecutor(READERS) as pool:
            read = pool.map(lambda pair: tensors.get_tensor(pair[1]).to(device, dtype), some)  # noqa: B023
            yield from ((ours, tensor) for (ours, _), tensor in zip(some, read, strict=True))


def _require_fit(file: Path, name: str, tensor: Any, wanted: nn.Parameter | None) -> None:
    if wanted is None:
        raise CheckpointError(f"{file.name} holds the tensor {name}, which this architecture does not have.")
    if tuple(tensor.get_shape()) != tuple(wanted.shape):
        raise CheckpointError(
            f"{name} in {file.name} has the shape {tuple(tensor.get_shape())}, where config.json asks for "
            f"{tuple(wanted.shape)}."
        )
    if tensor.get_dtype() not in FLOATS:
        raise CheckpointError(
            f"{name} in {file.name} is stored as {tensor.get_dtype()}; this class reads {FLOAT_NAMES}."
        )
