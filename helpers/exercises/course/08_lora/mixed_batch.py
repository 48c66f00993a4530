"""mixed_batch: rows of one batch, each with its own adapter, through one frozen layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property

from ._shared import built_none, normal, watched


def mixed_batch(x: Tensor, W: Tensor, adapters: Sequence[tuple[Tensor, Tensor, float]], which: Tensor) -> Tensor:
    """One linear layer for a batch whose rows use different adapters.

    x: (batch, time, in), W: (out, in); adapters: (A, B, alpha) of each, A (rank, in), B (out, rank), ranks may differ;
    which: (batch,), the index of each row's adapter, −1 for the base alone  →  (batch, time, out)
    """
    y = x @ W.T
    for index, (A, B, alpha) in enumerate(adapters):
        rows = which == index
        y[rows] += alpha / len(A) * (x[rows] @ A.T) @ B.T
    return y


ANSWER = """
def mixed_batch(x, W, adapters, which):
    y = x @ W.T  # the frozen layer, once for all rows
    for index, (A, B, alpha) in enumerate(adapters):
        rows = which == index  # (batch,) bool
        scale = alpha / A.shape[0]
        y[rows] += scale * x[rows] @ A.T @ B.T
    return y
"""
MERGED = "this writes a correction into a copy of W, one copy per row or adapter: correct the outputs instead."
SLIPS = [
    (
        """
def mixed_batch(x, W, adapters, which):
    rows = []
    for one, index in zip(x, which.tolist()):
        merged = W
        if index >= 0:
            A, B, alpha = adapters[index]
            merged = W + alpha / A.shape[0] * B @ A
        rows.append(one @ merged.T)
    return torch.stack(rows)
""",
        MERGED,
    ),
    ("scale * x[rows] @ A.T @ B.T", "x[rows] @ (scale * B @ A).T", MERGED),
    (
        """
def mixed_batch(x, W, adapters, which):
    y = torch.zeros(*x.shape[:2], W.shape[0])
    for index, (A, B, alpha) in enumerate(adapters):
        rows = which == index
        y[rows] = x[rows] @ W.T + alpha / A.shape[0] * x[rows] @ A.T @ B.T
    return y
""",
        "the rows with −1 stay at zero: they get the frozen layer's output.",
    ),
    (
        """
def mixed_batch(x, W, adapters, which):
    parts = [x[which == -1] @ W.T]
    for index, (A, B, alpha) in enumerate(adapters):
        rows = x[which == index]
        parts.append(rows @ W.T + alpha / A.shape[0] * rows @ A.T @ B.T)
    return torch.cat(parts)
""",
        "the rows come out grouped by adapter: write each result to the place its row had.",
    ),
    (
        """
def mixed_batch(x, W, adapters, which):
    parts = []
    for index, (A, B, alpha) in enumerate(adapters):
        rows = x[which == index]
        parts.append(rows @ W.T + alpha / A.shape[0] * rows @ A.T @ B.T)
    return torch.cat([*parts, x[which == -1] @ W.T])
""",
        "the rows come out grouped by adapter: write each result to the place its row had.",
    ),
    ("alpha / A.shape[0]", "alpha", "you multiply by alpha; the scale is alpha / rank."),
    ("alpha / A.shape[0]", "A.shape[0] / alpha", "the scale is upside down: alpha / rank."),
    ("alpha / A.shape[0]", "alpha // A.shape[0]", "`//` rounds the scale down to a whole number: divide with `/`."),
    ("A.shape[0]", "B.shape[0]", "that is the length of the output; the rank is the first dimension of A."),
    ("+= scale", "= scale", "the rows with an adapter lose the frozen layer: add to it."),
    (
        "        y[rows] += scale * x[rows] @ A.T @ B.T",
        "        y = y + scale * x @ A.T @ B.T",
        "every row gets every adapter: correct only the rows whose `which` names it.",
    ),
    ("scale * x[rows]", "x[rows]", "the scale alpha / rank is missing."),
    ("A.shape[0]", "adapters[0][0].shape[0]", "each adapter has its own rank; you use that of the first one."),
    ("A.shape[0]", "A.shape[1]", "the rank is the first dimension of A."),
    ("which == index", "which % len(adapters) == index", "−1 means the base alone, and gets the last adapter here."),
    ("which == index", "which == index + 1", "you count adapters from 1; `which` counts from 0."),
    (
        """
def mixed_batch(x, W, adapters, which):
    y = x @ W.T
    for row, index in enumerate(which.tolist()):
        A, B, alpha = adapters[index]
        y[row] += alpha / A.shape[0] * x[row] @ A.T @ B.T
    return y
""",
        "−1 means the base alone, and gets the last adapter here.",
    ),
    (
        """
def mixed_batch(x, W, adapters, which):
    y = x @ W.T
    for row, index in enumerate(which.tolist()):
        A, B, alpha = adapters[max(index, 0)]
        y[row] += alpha / A.shape[0] * x[row] @ A.T @ B.T
    return y
""",
        "−1 means the base alone, and gets the first adapter here.",
    ),
]
RIGHT = [
    """
def mixed_batch(x, W, adapters, which):
    rows = []
    for one, index in zip(x, which.tolist()):
        y = one @ W.T
        if index >= 0:
            A, B, alpha = adapters[index]
            y = y + (one @ A.T) @ B.T * (alpha / A.shape[0])
        rows.append(y)
    return torch.stack(rows)
""",
    """
def mixed_batch(x, W, adapters, which):
    y = x @ W.T
    for index, (A, B, alpha) in enumerate(adapters):
        mine = (which == index).to(x.dtype)[:, None, None]
        y = y + mine * (alpha / A.shape[0]) * (x @ A.T @ B.T)
    return y
""",
]


def drive(function, x: Tensor, W: Tensor, adapters: Sequence[tuple], which: Tensor) -> Tensor:
    """The output, with a note: was a matrix like W built?"""
    return watched(function, W, x, W, adapters, which)


def cases(rng: Generator) -> list[tuple]:
    def drawn(which: list[int], n_in: int, n_out: int, ranks: list[int]) -> tuple:
        x, W = normal(rng, len(which), 3, n_in), normal(rng, n_out, n_in, scale=n_in**-0.5)
        adapters = [
            (normal(rng, r, n_in, scale=n_in**-0.5), normal(rng, n_out, r), float(rng.integers(2, 20))) for r in ranks
        ]
        return x, W, adapters, torch.tensor(which)

    return [
        drawn([0, 1, -1, 2], 6, 5, [2, 3, 1]),
        drawn([2, 2, 0, -1, 1, 0], 8, 8, [4, 1, 2]),
        drawn([1, 0], 5, 7, [2, 2]),
        drawn([-1, -1, -1], 4, 6, [3, 2]),  # nobody uses an adapter
        drawn([0, 0], 9, 4, [2, 5, 3]),  # two adapters are not used
    ]


EXERCISE = Exercise(
    reference=mixed_batch,
    minutes=5,
    difficulty=2,
    hints=(
        "What can be computed once for all rows, whatever adapter they use?",
        "Compute x Wᵀ for the whole batch. Then go through the adapters, and for each one add its correction "
        "to the rows that use it.",
        "Comparing `which` with an adapter's index gives a mask over the batch. `x[mask]` are those rows, and"
        " `y[mask] += …` adds to them. The index −1 equals no adapter's index, so these rows stay as they "
        "are.",
    ),
    proves="each row gets its own correction at its own scale, −1 gets none, and no matrix is merged",
    properties=[Property("no matrix as large as W is computed on the way", built_none, MERGED)],
    drive=drive,
)
