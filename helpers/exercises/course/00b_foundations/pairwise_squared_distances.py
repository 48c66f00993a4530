"""pairwise_squared_distances: every row against every row by broadcasting, without a Python loop."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal


def pairwise_squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Squared distance of every row of `a` to every row of `b`, by broadcasting.

    a: (N, d), b: (M, d)  →  (N, M)
    """
    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(dim=-1)


ANSWER = """
def pairwise_squared_distances(a, b):
    differences = a[:, None, :] - b[None, :, :]  # (N, 1, d) − (1, M, d) → (N, M, d)
    return (differences**2).sum(dim=-1)
"""
SQUARE_FIRST = "square the differences before you sum them."
SLIPS = [
    (
        [("a[:, None, :]", "b[:, None, :]"), ("b[None, :, :]", "a[None, :, :]")],
        "rows and columns are swapped: `a` runs down the rows, `b` along the columns.",
    ),
    (".sum(dim=-1)", ".sum(dim=-1).sqrt()", "these are distances; the squared ones are asked for."),
    (".sum", ".mean", "you average over the d numbers of a row; a distance sums them."),
    ("(differences**2).sum(dim=-1)", "differences.sum(dim=-1) ** 2", SQUARE_FIRST),
    ("sum(dim=-1)", "sum(dim=1)", "you sum over the M rows of `b`; sum over the d numbers, the last dimension."),
    (".sum(dim=-1)", "", "the sum over the d numbers of each difference is missing."),
    ("differences**2", "differences.abs()", "you sum absolute differences; square them instead."),
    ("**2", "", SQUARE_FIRST),
    ("(differences**2).sum(dim=-1)", "a @ b.T", "`a @ b.T` holds dot products, not distances."),
]
REFUSED = [
    ("a[:, None, :] - b[None, :, :]", "a - b", "It stops with an error when called as"),
    (
        """
def pairwise_squared_distances(a, b):
    out = a.new_empty(len(a), len(b))
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            out[i, j] = ((x - y) ** 2).sum()
    return out
""",
        "it did not finish within 2 seconds",
    ),
]
RIGHT = [
    ("(differences**2).sum(dim=-1)", "(a**2).sum(1, keepdim=True) + (b**2).sum(1) - 2 * a @ b.T"),
    ("(differences**2).sum(dim=-1)", "torch.einsum('nmd,nmd->nm', differences, differences)"),
]


def cases(rng: Generator) -> list[tuple]:
    square = normal(rng, 3, 3)
    return [
        (normal(rng, 2, 5), normal(rng, 3, 5)),
        (square, normal(rng, 3, 3)),  # here a wrong order or dimension keeps the shape
        (square, square.clone()),
        (normal(rng, 1, 4), normal(rng, 6, 4)),
        (normal(rng, 5, 1), normal(rng, 2, 1)),
        (normal(rng, 900, 2), normal(rng, 800, 2)),  # a loop over 720,000 pairs does not finish in time
    ]


EXERCISE = Exercise(
    reference=pairwise_squared_distances,
    minutes=4,
    difficulty=1,
    tolerance=1e-4,  # |a|² + |b|² − 2ab is as good an answer, and rounds differently
    seconds=2.0,
    hints=(
        "Which two shapes does broadcasting turn into (N, M, d)?",
        "Give `a` a dimension of size 1 in the middle and `b` one at the front, then subtract: each row of `a` is "
        "compared with each row of `b`.",
        "`a[:, None, :]` has the shape (N, 1, d), and `b[None, :, :]` the shape (1, M, d). Subtract one from the "
        "other, square the result, and sum over the last dimension.",
    ),
    proves="each row against each row in the right order, and 720,000 pairs within two seconds",
    properties=[
        Property(
            "no squared distance is negative",
            lambda result, *_: bool((result > -1e-4).all()),
            SQUARE_FIRST,
        ),
    ],
)
