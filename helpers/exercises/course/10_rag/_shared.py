"""What two exercises of 10_rag draw their rankings from."""

from __future__ import annotations

from numpy.random import Generator


def names(rng: Generator, n: int) -> list[str]:
    """The names p0 … of n passages in a random order."""
    return [f"p{i}" for i in rng.permutation(n)]
