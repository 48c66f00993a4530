"""The checks behind `@exercise`. `registry()` has the exercises of the course, one file each."""

from __future__ import annotations

from functools import cache

from helpers.exercises.checking.loading import Registry
from helpers.exercises.checking.spec import BadInput, BrokenExercise, Exercise, Property

__all__ = ["BadInput", "BrokenExercise", "Exercise", "Property", "Registry", "registry"]


@cache
def registry() -> Registry:
    """Every exercise of the course by name, in the order of notebooks. A name used twice is a ValueError."""
    return Registry("helpers.exercises.course")
