"""Settings of the whole process that an answer must leave as they were: default dtype, threads, working directory …

A function that changes one would make later cells of the notebook behave differently, far from the cause.
Some settings belong to the thread that sets them; they are read inside the check's thread, since the notebook calls the
same function in its own. torch, numpy and decimal are asked only where something has imported them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Read = Callable[[Any], Any]
Write = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Setting:
    """One setting: `read(module)` gives its value, `write(module, value)` puts it back."""

    name: str  # completes "it changes "
    module: str
    read: Read
    write: Write


def _deterministic(torch: Any) -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _directory(os: Any) -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it has been deleted
        return None


def _go_back(os: Any, directory: str | None) -> None:
    if directory is not None:
        os.chdir(directory)


def _decimal_context(decimal: Any) -> tuple:
    context = decimal.getcontext()
    traps = sorted(signal.__name__ for signal, on in context.traps.items() if on)
    return context.prec, context.rounding, context.Emin, context.Emax, context.capitals, context.clamp, tuple(traps)


def _set_decimal_context(decimal: Any, value: tuple) -> None:
    *numbers, traps = value
    decimal.setcontext(decimal.Context(*numbers, flags=[], traps=[getattr(decimal, name) for name in traps]))


SETTINGS = (
    Setting("torch's default dtype", "torch", lambda t: t.get_default_dtype(), lambda t, v: t.set_default_dtype(v)),
    Setting("torch's default device", "torch", lambda t: t.get_default_device(), lambda t, v: t.set_default_device(v)),
    Setting(
        "whether torch records gradients", "torch", lambda t: t.is_grad_enabled(), lambda t, v: t.set_grad_enabled(v)
    ),
    Setting(
        "torch's precision of float32 products",
        "torch",
        lambda t: t.get_float32_matmul_precision(),
        lambda t, v: t.set_float32_matmul_precision(v),
    ),
    Setting(
        "torch's deterministic mode",
        "torch",
        _deterministic,
        lambda t, v: t.use_deterministic_algorithms(v[0], warn_only=v[1]),
    ),
    Setting("torch's number of threads", "torch", lambda t: t.get_num_threads(), lambda t, v: t.set_num_threads(v)),
    Setting("numpy's handling of errors", "numpy", lambda np: np.geterr(), lambda np, v: np.seterr(**v)),
    Setting("numpy's print options", "numpy", lambda np: np.get_printoptions(), lambda np, v: np.set_printoptions(**v)),
    Setting("the context of decimal numbers", "decimal", _decimal_context, _set_decimal_context),
    Setting("the working directory", "os", _directory, _go_back),
    Setting("the recursion limit", "sys", lambda s: s.getrecursionlimit(), lambda s, v: s.setrecursionlimit(v)),
)


@dataclass(frozen=True)
class Snapshot:
    """The value of every setting by its name, the environment variables, and how many modules were loaded."""

    values: dict[str, Any]
    environment: dict[str, str]
    n_modules: int


def snapshot() -> Snapshot:
    """The settings as this thread sees them now."""
    loaded = [setting for setting in SETTINGS if setting.module in sys.modules]
    values = {setting.name: setting.read(sys.modules[setting.module]) for setting in loaded}
    return Snapshot(values, dict(os.environ), len(sys.modules))


def changes(before: Snapshot, after: Snapshot) -> dict[str, str]:
    """A sentence for each setting that differs, by the setting's name.

    Values of environment variables are not told, since some are keys.
    """
    found = {}
    for name, value in before.values.items():
        if after.values.get(name, value) != value:
            old, new = _difference(value, after.values[name])
            found[name] = _sentence(f"{name} from {old} to {new}")
    return found | {name: _sentence(f"the environment variable {name}") for name in _variables(before, after)}


def restore(before: Snapshot, changed: Iterable[str] = ()) -> None:
    """Put back what differs now, and the settings called `changed` in any case."""
    now = snapshot()
    for setting in SETTINGS:
        if setting.name not in before.values:
            continue
        value = before.values[setting.name]
        if now.values[setting.name] != value or setting.name in changed:
            setting.write(sys.modules[setting.module], value)
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


def _sentence(what: str) -> str:
    return f"It changes {what}, which every later cell would feel; the check has put it back."


def _difference(old: Any, new: Any) -> tuple[Any, Any]:
    """Of dictionaries, only what differs."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [key for key in old if old[key] != new.get(key)]
        return {key: old[key] for key in keys}, {key: new.get(key) for key in keys}
    return old, new
