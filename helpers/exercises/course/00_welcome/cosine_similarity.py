"""cosine_similarity: every row against every row, whatever their lengths, and 0 where a row has none."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property


def cosine_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Cosine of the angle between every row of `a` and every row of `b`; 0 where a row is all zeros.

    a: (N, d), b: (M, d)  →  (N, M), each value in [−1, 1]
    """
    a_length = a.norm(dim=-1, keepdim=True)  # (N, 1)
    b_length = b.norm(dim=-1, keepdim=True)  # (M, 1)
    # A zero vector has no direction; dividing it by 1 leaves zeros, where dividing by its length gives NaN.
    a_unit = a / torch.where(a_length == 0, torch.ones_like(a_length), a_length)
    b_unit = b / torch.where(b_length == 0, torch.ones_like(b_length), b_length)
    return a_unit @ b_unit.T


ANSWER = """
def cosine_similarity(a, b):
    a = torch.nn.functional.normalize(a, dim=-1)
    b = torch.nn.functional.normalize(b, dim=-1)
    return a @ b.T
"""
DIM0 = "`dim=0` runs down the columns; the length of each row is `.norm(dim=-1)`."
A, B = "torch.nn.functional.normalize(a, dim=-1)", "torch.nn.functional.normalize(b, dim=-1)"
DROPPED = "`norm(dim=-1)` drops the dimension, so lengths no longer stand beside their rows; `keepdim=True` keeps it."
SUM = "you divide by the sum of a row; its length is the square root of the sum of its squares, `.norm(dim=-1)`."
NAN = "a row of zeros has length 0, and 0 / 0 is NaN; such a row should give 0."
SLIPS = [
    ([(A, "a"), (B, "b")], "this is the plain dot product; divide every row by its length first."),
    (
        [("(a, dim=-1)", "(a, dim=0)"), ("(b, dim=-1)", "(b, dim=0)")],
        "you normalize columns (dim=0); each row is a vector, so normalize over dim=-1.",
    ),
    ("a @ b.T", "b @ a.T", "rows and columns are swapped: `a` runs down the rows, `b` along the columns."),
    ([(A, "a / a.norm(dim=-1, keepdim=True)"), (B, "b / b.norm(dim=-1, keepdim=True)")], NAN),
    ([(A, "a / a.norm(dim=-1)"), (B, "b / b.norm(dim=-1)")], DROPPED),
    (A, "a / a.norm(dim=-1)", DROPPED),
    (
        [(A, "a"), (B, "b"), ("a @ b.T", "a @ b.T / (a.norm(dim=-1) * b.norm(dim=-1))")],
        "the lengths have to form a table of (N, M) products: `a.norm(dim=-1)[:, None] * b.norm(dim=-1)`.",
    ),
    ([(A, "a / a.sum(-1, keepdim=True)"), (B, "b / b.sum(-1, keepdim=True)")], SUM),
    ([(A, "a / a.abs().sum(-1, keepdim=True)"), (B, "b / b.abs().sum(-1, keepdim=True)")], SUM),
    ([(A, "a / a.norm(dim=0)[:, None]"), (B, "b / b.norm(dim=0)[:, None]")], DIM0),
    ([(A, "a"), (B, "b"), ("a @ b.T", "a @ b.T / (a.norm(dim=0) * b.norm(dim=0))")], DIM0),
    ([(A, "a"), (B, "b"), ("a @ b.T", "a @ b.T / torch.outer(a.norm(dim=0), b.norm(dim=0))")], DIM0),
    (
        [(A, "a / a.norm()"), (B, "b / b.norm()")],
        "`a.norm()` is one length for the whole matrix; each row has its own.",
    ),
    (B, "b", "only `a` is normalized; `b` needs it too."),
    (
        [
            (A, "a / (a * a).sum(-1, keepdim=True).clamp(min=1e-12)"),
            (B, "b / (b * b).sum(-1, keepdim=True).clamp(min=1e-12)"),
        ],
        "you divide by the squared lengths; take the square root, or use `.norm(dim=-1)`.",
    ),
    (
        [(A, "a"), (B, "b"), ("a @ b.T", "torch.nn.functional.cosine_similarity(a, b)")],
        "this pairs row 1 with row 1, row 2 with row 2; every row of `a` must meet every row of `b`.",
    ),
    (
        [(A, "a"), (B, "b"), ("a @ b.T", "a * b")],
        "`*` multiplies element by element; a matrix product is `@`.",
    ),
]
REFUSED = [
    ([(A, "a"), (B, "b"), ("a @ b.T", "2 * a @ b.T")], "The largest of yours is "),
    ("b.T", "b", "It stops with an error when called as"),
    ("a @ b.T", "a.double() @ b.double().T", "Expected float32, yours is float64"),
    ("a @ b.T", "(a @ b.T).unsqueeze(0)", "Expected shape (2, 3), yours is (1, 2, 3)"),
    (f"a = {A}", "a /= a.norm(dim=-1, keepdim=True).clamp(min=1e-12)", "It changes its input `a`"),
]
RIGHT = [
    """
def cosine_similarity(a, b):
    return torch.nn.functional.cosine_similarity(a[:, None, :], b[None, :, :], dim=-1)
""",
    """
def cosine_similarity(a, b):
    cos = lambda x, y: x @ y / (x.norm() * y.norm()).clamp(min=1e-12)
    return torch.stack([torch.stack([cos(x, y) for y in b]) for x in a])
""",
]


def cases(rng: Generator) -> list[tuple]:
    def vectors(rows: int, width: int) -> Tensor:
        drawn = rng.normal(size=(rows, width)) * rng.uniform(0.5, 4.0, size=(rows, 1))
        return torch.tensor(drawn, dtype=torch.float32)

    square = vectors(3, 3)  # with N = M = d, a wrong dimension or order keeps the shape and must still be seen
    zeros = vectors(4, 3)
    zeros[1] = 0.0
    return [
        (vectors(2, 5), vectors(3, 5)),
        (square, vectors(3, 3)),
        (vectors(1, 7), vectors(1, 7)),
        (vectors(4, 1), vectors(2, 1)),
        (zeros, vectors(2, 3)),
        (vectors(2, 3), zeros),
    ]


EXERCISE = Exercise(
    reference=cosine_similarity,
    minutes=3,
    difficulty=2,
    hints=(
        "If every row had length 1, what would the product of two rows tell you?",
        "Divide each row of `a` and of `b` by its own length, then multiply: rows of `a` against rows of `b`. "
        "Mind the row whose length is zero.",
        "`torch.nn.functional.normalize(x, dim=-1)` gives every row length 1 and leaves a row of zeros alone. "
        "Do it to both, then matrix-multiply the first with the transpose of the second: "
        "(N, d) @ (d, M) gives (N, M).",
    ),
    proves="rows against rows in the right order, independent of length, within [−1, 1], zeros stay zeros",
    properties=[
        Property("no value is NaN", lambda result, *_: not bool(result.isnan().any()), NAN),
        Property(
            "every value lies between −1 and 1",
            lambda result, *_: bool((result.abs() <= 1 + 1e-5).all()),
            "the lengths are still in it; divide every row by its own length.",
            lambda result, *_: f"The largest of yours is {result.abs().max().item():.3g}, its sign left out.",
        ),
    ],
)
