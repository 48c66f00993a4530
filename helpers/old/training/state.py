"""Everything that a training needs to go on as if nothing had happened, in one safetensors file, without pickles.

    save_checkpoint(folder, model, optimizer, progress)      # replaces the previous one, whole or not at all
    progress = load_checkpoint(folder, model, optimizer)     # None where there is none

In it: the weights that are trained, the optimizer's tensors, and the states of the random generators of Python, NumPy,
PyTorch and each CUDA device, as tensors; and as JSON in the file's header, what is no tensor. The order of the data and
the learning rate are functions of the step (`helpers.old.training.loop`), so the step is all they need.

What it does not do: keep several checkpoints, save frozen weights (a checksum makes sure that they are the same).
"""

from __future__ import annotations

import json
import os
import random
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers.files.safe_files import sweep_unfinished, write_safetensors
from helpers.transformer.checkpoints import CheckpointError, open_safetensors

FILE = "checkpoint.safetensors"
STATE = "training"  # the header's entry


def save_checkpoint(
    folder: str | os.PathLike, model: nn.Module, optimizer: torch.optim.Optimizer, progress: dict[str, Any]
) -> None:
    """Write the state of a training into `folder`, in place of the one before.

    progress: what else to remember, as JSON can hold it. Raises OSError in one sentence where the disk is full; the
    checkpoint before is intact then.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    optimizer_tensors, optimizer_rest = _split_optimizer(optimizer.state_dict())
    random_tensors, random_rest = random_states()
    tensors = {f"model.{name}": tensor for name, tensor in trained_tensors(model).items()}
    tensors |= {f"optimizer.{name}": tensor for name, tensor in optimizer_tensors.items()}
    tensors |= {f"random.{name}": tensor for name, tensor in random_tensors.items()}
    state = {"progress": progress, "optimizer": optimizer_rest, "random": random_rest, "frozen": checksum(model)}
    write_safetensors(folder / FILE, tensors, {STATE: json.dumps(state)})


def read_progress(folder: str | os.PathLike) -> dict[str, Any] | None:
    """What was remembered with the checkpoint in `folder`, or None where there is none. Raises CheckpointError."""
    return _open(folder)[1]["progress"] if (Path(folder) / FILE).is_file() else None


def load_checkpoint(
    folder: str | os.PathLike, model: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Any] | None:
    """Put a training back to where its checkpoint was written; None, and nothing changed, where there is none.

    Returns `progress`. Raises CheckpointError where the file is damaged or of another model.
    """
    sweep_unfinished(Path(folder) / FILE)
    if not (Path(folder) / FILE).is_file():
        return None
    tensors, state = _open(folder)
    ours = trained_tensors(model)
    theirs = _below("model.", tensors)
    if {n: (t.shape, t.dtype) for n, t in ours.items()} != {n: (t.shape, t.dtype) for n, t in theirs.items()}:
        raise CheckpointError(
            f"The checkpoint in {folder} is of a model with other trained weights: name another folder."
        )
    if state["frozen"] != checksum(model):
        raise CheckpointError(f"The checkpoint in {folder} was made over other frozen weights: name another folder.")
    optimizer.load_state_dict(_join_optimizer(_below("optimizer.", tensors), state["optimizer"]))
    with torch.no_grad():
        for name, tensor in ours.items():
            tensor.copy_(theirs[name])
    set_random_states(_below("random.", tensors), state["random"])
    return state["progress"]


def trained_tensors(model: nn.Module) -> dict[str, Tensor]:
    """The parameters that training changes, and the buffers, by name."""
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    kept = model.state_dict(keep_vars=True)
    return trained | {name: buffer for name, buffer in model.named_buffers() if name in kept}


def checksum(model: nn.Module) -> int:
    """CRC-32 of the frozen parameters, 0 where there are none: a second for a gigabyte."""
    total = 0
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            bytes_of_it = parameter.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
            total = zlib.crc32(bytes_of_it, zlib.crc32(name.encode(), total))
    return total


# Random generators ---------------------------------------------------------------------------------------------------


def random_states() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Where the generators of Python, NumPy, PyTorch and every CUDA device stand: tensors, and what is no tensor."""
    version, words, gauss = random.getstate()
    kind, keys, *numpy_rest = np.random.get_state()
    tensors = {
        "python": torch.tensor(words, dtype=torch.int64),
        "numpy": torch.from_numpy(keys.astype(np.int64)),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        tensors |= {f"cuda.{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())}
    if torch.backends.mps.is_available():
        tensors["mps"] = torch.mps.get_rng_state()
    return tensors, {"python": [version, gauss], "numpy": [kind, *numpy_rest]}


def set_random_states(tensors: dict[str, Tensor], rest: dict[str, Any]) -> None:
    """Put the generators back to where `random_states` found them; devices that are not here are passed over."""
    version, gauss = rest["python"]
    random.setstate((version, tuple(tensors["python"].tolist()), gauss))
    kind, position, has_gauss, cached = rest["numpy"]
    np.random.set_state((kind, tensors["numpy"].numpy().astype(np.uint32), position, has_gauss, cached))
    torch.set_rng_state(tensors["torch"])
    for i in range(torch.cuda.device_count()):
        if f"cuda.{i}" in tensors:
            torch.cuda.set_rng_state(tensors[f"cuda.{i}"], i)
    if "mps" in tensors and torch.backends.mps.is_available():
        torch.mps.set_rng_state(tensors["mps"])


# The optimizer, and reading back -------------------------------------------------------------------------------------


def _split_optimizer(state: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors under "parameter.name", and the rest of an optimizer's `state_dict`."""
    tensors, numbers = {}, {}
    for parameter, values in state["state"].items():
        for name, value in values.items():
            (tensors if isinstance(value, Tensor) else numbers)[f"{parameter}.{name}"] = value
    return tensors, {"numbers": numbers, "groups": state["param_groups"]}


def _join_optimizer(tensors: dict[str, Tensor], rest: dict[str, Any]) -> dict[str, Any]:
    state: dict[int, dict[str, Any]] = {}
    for key, value in (tensors | rest["numbers"]).items():
        parameter, _, name = key.partition(".")
        state.setdefault(int(parameter), {})[name] = value
    return {"state": state, "param_groups": rest["groups"]}


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _open(folder: str | os.PathLike) -> tuple[dict[str, Tensor], dict[str, Any]]:
    path = Path(folder) / FILE
    with open_safetensors(path) as file:
        try:
            state = json.loads(file.metadata()[STATE])
        except (KeyError, TypeError, ValueError):
            raise CheckpointError(f"{path} holds no training of this course: name another folder.") from None
        return {name: file.get_tensor(name) for name in file.keys()}, state
