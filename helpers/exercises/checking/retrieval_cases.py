"""Inputs of the exercises of 10_rag: rankings, sentences, documents, vectors, rows of an index."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import Generator


def _names(rng: Generator, n: int) -> list[str]:
    """The names p0 … of n passages in a random order."""
    return [f"p{i}" for i in rng.permutation(n)]


def rank_cases(rng: Generator) -> list[tuple]:
    drawn = _names(rng, 12)
    return [
        (["p3", "p7", "p1"], {"p7"}),
        (["p3", "p7", "p1"], {"p1", "p7"}),  # the second relevant one does not count
        (["p3", "p7", "p1"], {"p3"}),
        (["p3", "p7", "p1"], {"p9"}),
        (drawn, set(drawn[4:7])),
        (drawn, {drawn[-1]}),
        ([], {"p1"}),
        (["p2", "p5"], {"p1", "p5", "p8"}),
    ]


def window_cases(rng: Generator) -> list[tuple]:
    def drawn(n: int, longest: int) -> list[int]:
        return rng.integers(1, longest, size=n).tolist()

    return [
        ([3, 3, 3, 3], 7, 3),
        (drawn(14, 20), 40, 12),
        (drawn(25, 30), 64, 20),
        (drawn(9, 30), 30, 29),
        ([5, 4, 6, 2, 7, 3], 11, 0),  # no overlap
        ([4, 50, 4, 3], 20, 5),  # one too long
        ([60, 70], 20, 5),
        ([2, 2, 9, 2], 10, 5),  # the overlap leaves no room for what comes next
        ([3, 4, 13, 2, 2, 2], 20, 8),
        ([5, 5, 5], 15, 5),  # all of it fits
        ([8], 8, 4),
        ([], 10, 2),
    ]


def covers(result: Any, lengths: Sequence[int], size: int, overlap: int) -> bool:
    return {i for first, last in result for i in range(first, last)} == set(range(len(lengths)))


def fits(result: Any, lengths: Sequence[int], size: int, overlap: int) -> bool:
    return all(last - first < 2 or sum(lengths[first:last]) <= size for first, last in result)


def moves_on(result: Any, lengths: Sequence[int], size: int, overlap: int) -> bool:
    return all(one[1] < other[1] for one, other in pairwise(result))


def vector_cases(rng: Generator) -> list[tuple]:
    def drawn(*shape: int) -> np.ndarray:
        return (rng.normal(size=shape) * rng.uniform(0.1, 9, size=(*shape[:-1], 1))).astype(np.float32)

    axes = np.eye(3, dtype=np.float32)
    equals = np.stack([axes[1], 2 * axes[0], axes[2], axes[0], 5 * axes[0], -axes[0]])
    many = np.stack([(1 + row % 4) * axes[row**2 % 3] for row in range(200)])
    return [
        (drawn(8), drawn(20, 8), 3),
        (drawn(5), drawn(7, 5), 1),
        (drawn(16), drawn(50, 16), 10),
        (drawn(6), drawn(6, 6), 6),  # a wrong axis keeps the shape
        (drawn(4), drawn(3, 4), 5),  # k above N
        (3 * axes[0], equals, 4),  # equal cosines
        (-axes[0], equals, 2),
        (drawn(2), drawn(1, 2), 1),
        (axes[1], many, 150),  # so many equals that a sort that is not stable mixes them up
    ]


def fusion_cases(rng: Generator) -> list[tuple]:
    dense, sparse, third = (_names(rng, 9)[:n] for n in (6, 5, 7))
    return [
        ([["a", "b"], ["b", "c"]],),
        ([["b", "a"], ["a", "b"]],),  # equal scores
        ([dense, sparse],),
        ([dense, sparse, third],),
        ([dense, sparse], [1.0, 3.0]),
        ([dense, sparse], [0.0, 1.0]),
        ([dense, sparse, third], [0.5, 2.0, 1.0], 10),
        ([["a", "b", "c"], ["d", "e"]], None, 1),
        ([["c", "a", "b"]],),
        ([[], ["a"]],),
        ([],),
    ]
