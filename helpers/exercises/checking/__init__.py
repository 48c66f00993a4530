"""The checks behind `@exercise`. `registry()` has the exercises of the course, one file each."""

from __future__ import annotations

from functools import cache

from helpers.exercises.checking.loading import Registry


@cache
def registry() -> Registry:
    """Every exercise of the course by name, in the order of notebooks."""
    return Registry("helpers.exercises.course")
