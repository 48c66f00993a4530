"""What belongs to the whole process and an answer must leave as it was: random state, default dtype, threads …

A function that changes a setting would make later cells of the notebook behave differently, far from the cause.
Some settings belong to the thread that sets them; they are read inside the check's thread, since the notebook calls the
same function in its own. torch and numpy are asked only where something has imported them.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

SETTINGS = {  # what completes "it changes ": the module, what reads the setting, what puts it back
    "torch's default dtype": ("torch", "get_default_dtype", "set_default_dtype"),
    "torch's default device": ("torch", "get_default_device", "set_default_device"),
    "whether torch records gradients": ("torch", "is_grad_enabled", "set_grad_enabled"),
    "torch's precision of float32 products": ("torch", "get_float32_matmul_precision", "set_float32_matmul_precision"),
    "torch's deterministic mode": ("torch", "get_deterministic_debug_mode", "set_deterministic_debug_mode"),
    "torch's number of threads": ("torch", "get_num_threads", "set_num_threads"),
    "numpy's handling of errors": ("numpy", "geterr", "seterr"),
    "numpy's print options": ("numpy", "get_printoptions", "set_printoptions"),
    "the working directory": ("os", "getcwd", "chdir"),
}


class Snapshot(NamedTuple):
    """The settings as a thread sees them: values by name, environment variables, and how many modules are loaded."""

    values: dict[str, Any]
    environment: dict[str, str]
    n_modules: int


def snapshot() -> Snapshot:
    """The settings as this thread sees them now."""
    values = {}
    for name, (module, read, _) in SETTINGS.items():
        with contextlib.suppress(KeyError, FileNotFoundError):  # not imported; the working directory has been deleted
            values[name] = getattr(sys.modules[module], read)()
    return Snapshot(values, dict(os.environ), len(sys.modules))


def changes(before: Snapshot, after: Snapshot) -> dict[str, str]:
    """A sentence for each setting that differs, by the setting's name; of variables no value, since some are keys."""
    found = {name: f"the environment variable {name}" for name in _variables(before, after)}
    for name, old in before.values.items():
        if (new := after.values.get(name, old)) != old:
            if isinstance(old, dict):  # only what differs
                keys = [key for key in old if old[key] != new[key]]
                old, new = {key: old[key] for key in keys}, {key: new[key] for key in keys}
            found[name] = f"{name} from {old} to {new}"
    end = "which every later cell would feel; the check has put it back."
    return {name: f"It changes {found[name]}, {end}" for name in sorted(found, key=lambda name: name not in SETTINGS)}


def restore(before: Snapshot, changed: Iterable[str] = ()) -> None:
    """Put back what differs now, and the settings called `changed` in any case."""
    now = snapshot()
    for name, value in before.values.items():
        if now.values.get(name) != value or name in changed:
            module, _, write = SETTINGS[name]
            put_back = getattr(sys.modules[module], write)
            put_back(**value) if isinstance(value, dict) else put_back(value)
    for name in _variables(before, now):
        os.environ.pop(name, None)
        os.environ.update({name: before.environment[name]} if name in before.environment else {})


def _variables(before: Snapshot, after: Snapshot) -> list[str]:
    """Environment variables that differ; where a module was imported meanwhile, new ones are nobody's fault."""
    old, new = before.environment, after.environment
    names = old if after.n_modules > before.n_modules else old | new
    return sorted(name for name in names if old.get(name) != new.get(name))


@contextlib.contextmanager
def preserved_randomness() -> Iterator[None]:
    """Save the random state of Python, numpy and torch, and put it back at the end."""
    torch = sys.modules.get("torch")
    python_state, numpy_state = random.getstate(), np.random.get_state()
    torch_state = torch.get_rng_state() if torch else None
    cuda_states = torch.cuda.get_rng_state_all() if torch and torch.cuda.is_initialized() else []
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        if torch:
            torch.set_rng_state(torch_state)
            torch.cuda.set_rng_state_all(cuda_states)


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch's CPU generator; the GPU's is left as it is."""
    random.seed(seed)
    np.random.seed(seed)
    if torch := sys.modules.get("torch"):
        torch.default_generator.manual_seed(seed)
