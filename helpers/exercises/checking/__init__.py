"""The checks behind `@exercise`. `registry()` has the exercises of the course, one file each."""

from __future__ import annotations

from functools import lru_cache

from helpers.exercises.checking.loading import Registry
from helpers.exercises.checking.spec import BadInput, BrokenExercise, Exercise, Property

__all__ = ["BadInput", "BrokenExercise", "Exercise", "Property", "Registry", "homes", "registry"]


@lru_cache(maxsize=1)
def registry() -> Registry:
    """Every exercise of the course by name, in the order of notebooks. A name used twice is a ValueError."""
    return Registry("helpers.exercises.course")


def homes() -> dict[str, str]:
    """The notebook of every exercise by the exercise's name, without importing any of their files."""
    return registry().notebooks()
