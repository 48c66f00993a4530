"""The checks behind `@exercise`. `registry()` has the exercises of `helpers/exercises/course/`, one file each.

Until all of them stand there, a topic module of this folder may define `EXERCISES = [Exercise(...), ...]`.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from helpers.exercises.checking.loading import Registry
from helpers.exercises.checking.spec import BadInput, BrokenExercise, Exercise, Mistake, Property

__all__ = ["BadInput", "BrokenExercise", "Exercise", "Mistake", "Property", "Registry", "homes", "registry"]


@lru_cache(maxsize=1)
def registry() -> Registry:
    """Every exercise of the course by name, in the order of notebooks. A name used twice is a ValueError."""
    return Registry("helpers.exercises.course", older=_declared_in_topics)


def homes() -> dict[str, str]:
    """The notebook of every exercise by the exercise's name, without importing any of their files."""
    return registry().notebooks()


@lru_cache(maxsize=1)
def _declared_in_topics() -> dict[str, Exercise]:
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return gather(modules)


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
