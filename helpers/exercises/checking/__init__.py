"""The checks behind `@exercise`, one module a topic.

A topic module defines `EXERCISES = [Exercise(...), ...]`; it is found by being in this folder.
`registry()` gathers them.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from helpers.exercises.checking.spec import BadInput, Exercise, Mistake, Property

__all__ = ["BadInput", "Exercise", "Mistake", "Property", "registry"]


@lru_cache(maxsize=1)
def registry() -> dict[str, Exercise]:
    """Every exercise of the course by name, in the order of notebooks. A name used twice is a ValueError."""
    return gather(
        [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)],
    )


def gather(modules: list) -> dict[str, Exercise]:
    """The exercises of `modules` by name; ValueError names the two modules that use one name."""
    found: dict[str, Exercise] = {}
    owner: dict[str, str] = {}
    for module in modules:
        for spec in getattr(module, "EXERCISES", []):
            if spec.name in found:
                raise ValueError(f"exercise `{spec.name}` is defined in {owner[spec.name]} and in {module.__name__}")
            found[spec.name] = spec
            owner[spec.name] = module.__name__
    return dict(sorted(found.items(), key=lambda item: item[1].notebook))  # stable: order of a topic's list is kept
