"""What the other modules ask of their arguments: each function gives clean arrays, or raises one clear sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def finite_values(values: ArrayLike, name: str) -> NDArray:
    """One list of finite numbers as floats (n,), n at least 1. Raises ValueError for anything else."""
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a list of numbers.") from None
    if array.ndim != 1:
        raise ValueError(f"{name} must be one list of numbers, not an array of shape {array.shape}.")
    if array.size == 0:
        raise ValueError(f"{name} is empty: without a single value there is nothing to resample.")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds {np.count_nonzero(~np.isfinite(array))} NaN or infinite: leave them out.")
    return array


def paired_values(a: ArrayLike, b: ArrayLike) -> tuple[NDArray, NDArray]:
    """Two systems' scores on the same items, each (n,). Raises ValueError where the lengths differ, too."""
    first, second = finite_values(a, "a"), finite_values(b, "b")
    if len(first) != len(second):
        raise ValueError(f"Pairs need as many values in b as in a, not {len(first)} and {len(second)}.")
    return first, second


def paired_answers(a: ArrayLike, b: ArrayLike) -> tuple[NDArray, NDArray]:
    """Two systems' answers to the same questions, right or wrong, each (n,) of booleans. Raises ValueError."""
    first, second = paired_values(a, b)
    for name, array in (("a", first), ("b", second)):
        if not np.isin(array, (0, 1)).all():
            raise ValueError(f"{name} must hold True (right) or False (wrong) for each question, not scores.")
    return first.astype(bool), second.astype(bool)


def whole_numbers(counts: ArrayLike, name: str) -> NDArray:
    """Counts as floats, so that no product overflows. Raises ValueError for what is no whole number."""
    try:
        array = np.asarray(counts, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be whole numbers, not {counts!r}.") from None
    wrong = ~(np.isfinite(array) & (array == np.round(array)))
    if wrong.any():
        raise ValueError(f"{name} must be whole numbers, not {array[wrong].flat[0]:g}.")
    return array


def inside(value: float, name: str, example: float) -> float:
    """A number between 0 and 1, neither of them included. Raises ValueError, for NaN too."""
    if not 0 < value < 1:
        raise ValueError(f"{name} lies between 0 and 1, as in {example}, not {value}.")
    return float(value)


def require_shares(first: float, second: float, discordance: float | None) -> None:
    """Raises ValueError for what is no share, and for a discordance that two such shares cannot have (None: any)."""
    for share in (first, second):
        if not 0 <= share <= 1:
            raise ValueError(f"A share lies between 0 and 1, as in 0.7, not {share}.")
    if discordance is None:
        return
    least, most = abs(first - second), min(first + second, 2 - first - second)
    if not least - 1e-9 <= discordance <= most + 1e-9:
        raise ValueError(
            f"Shares of {first:.1%} and {second:.1%} differ on {least:.1%} to {most:.1%} of the questions, "
            f"not on {discordance:.1%}."
        )


def tails(confidence: float) -> tuple[float, float]:
    """The two quantiles that enclose `confidence`: (0.025, 0.975) for 0.95."""
    inside(confidence, "confidence", 0.95)
    return (1 - confidence) / 2, (1 + confidence) / 2


def plain(array: Any) -> Any:
    """A float instead of an array of no dimension."""
    return float(array) if np.ndim(array) == 0 else np.asarray(array)
