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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Read, Write = Callable[[Any], Any], Callable[[Any, Any], Any]


def _deterministic(torch: Any) -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _directory(os: Any) -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it has been deleted
        return None


# What completes "it changes ": the module, how its value is read, and how it is put back.
SETTINGS: dict[str, tuple[str, Read, Write]] = {
    "torch's default dtype": ("torch", lambda t: t.get_default_dtype(), lambda t, v: t.set_default_dtype(v)),
    "torch's default device": ("torch", lambda t: t.get_default_device(), lambda t, v: t.set_default_device(v)),
    "whether torch records gradients": ("torch", lambda t: t.is_grad_enabled(), lambda t, v: t.set_grad_enabled(v)),
    "torch's precision of float32 products": (
        "torch",
        lambda t: t.get_float32_matmul_precision(),
        lambda t, v: t.set_float32_matmul_precision(v),
    ),
    "torch's deterministic mode": (
        "torch",
        _deterministic,
        lambda t, v: t.use_deterministic_algorithms(v[0], warn_only=v[1]),
    ),
    "torch's number of threads": ("torch", lambda t: t.get_num_threads(), lambda t, v: t.set_num_threads(v)),
    "numpy's handling of errors": ("numpy", lambda n: n.geterr(), lambda n, v: n.seterr(**v)),
    "numpy's print options": ("numpy", lambda n: n.get_printoptions(), lambda n, v: n.set_printoptions(**v)),
    "the working directory": ("os", _directory, lambda o, v: v and o.chdir(v)),
}


@dataclass(frozen=True)
class Snapshot:
    """The value of every setting by its name, the environment variables, and how many modules were loaded."""

    values: dict[str, Any]
    environment: dict[str, str]
    n_modules: int


def snapshot() -> Snapshot:
    """The settings as this thread sees them now."""
    loaded = {
        name: (sys.modules[module], read) for name, (module, read, _) in SETTINGS.items() if module in sys.modules
    }
    return Snapshot({name: read(module) for name, (module, read) in loaded.items()}, dict(os.environ), len(sys.modules))


def changes(before: Snapshot, after: Snapshot) -> dict[str, str]:
    """A sentence for each setting that differs, by the setting's name; of variables no value, since some are keys."""
    found = {}
    for name, old in before.values.items():
        if (new := after.values.get(name, old)) != old:
            if isinstance(old, dict):  # only what differs
                keys = [key for key in old if old[key] != new[key]]
                old, new = {key: old[key] for key in keys}, {key: new[key] for key in keys}
            found[name] = f"{name} from {old} to {new}"
    found |= {name: f"the environment variable {name}" for name in _variables(before, after)}
    return {
        name: f"It changes {what}, which every later cell would feel; the check has put it back."
        for name, what in found.items()
    }


def restore(before: Snapshot, changed: Iterable[str] = ()) -> None:
    """Put back what differs now, and the settings called `changed` in any case."""
    now = snapshot()
    for name, value in before.values.items():
        if now.values[name] != value or name in changed:
            module, _, write = SETTINGS[name]
            write(sys.modules[module], value)
    for name in _variables(before, now):
        if name in before.environment:
            os.environ[name] = before.environment[name]
        else:
            del os.environ[name]


def _variables(before: Snapshot, after: Snapshot) -> list[str]:
    """Names of environment variables that differ.

    One that is new is nobody's fault where a module was imported meanwhile: libraries set their own.
    """
    old, new = before.environment, after.environment
    names = old if after.n_modules > before.n_modules else old | new
    return sorted(name for name in names if old.get(name) != new.get(name))


@contextlib.contextmanager
def preserved_randomness() -> Iterator[None]:
    """Save the random state of Python, numpy and torch, and put it back at the end."""
    torch = sys.modules.get("torch")
    python_state, numpy_state = random.getstate(), np.random.get_state()
    torch_state = torch.get_rng_state() if torch else None
    cuda_states = torch.cuda.get_rng_state_all() if torch and torch.cuda.is_initialized() else None
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        if torch:
            torch.set_rng_state(torch_state)
        if cuda_states is not None:
            torch.cuda.set_rng_state_all(cuda_states)


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch's CPU generator; the GPU's is left as it is."""
    random.seed(seed)
    np.random.seed(seed)
    if torch := sys.modules.get("torch"):
        torch.default_generator.manual_seed(seed)
