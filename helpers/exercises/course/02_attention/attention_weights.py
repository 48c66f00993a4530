"""attention_weights: each query shares out a whole 1 over the keys."""

from __future__ import annotations

import math

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal


def attention_weights(q: Tensor, k: Tensor) -> Tensor:
    """How much each query takes from each key: softmax over the keys of q · k / √head_dim.

    q: (…, T, head_dim), k: (…, S, head_dim)  →  (…, T, S), each row sums to 1
    """
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (…, T, S)
    return scores.softmax(dim=-1)


ANSWER = """
def attention_weights(q, k):
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (…, T, S)
    return scores.softmax(dim=-1)
"""
SCALE = " / q.shape[-1] ** 0.5"
SLIPS = [
    (SCALE, "", "the scores are not scaled: divide them by √head_dim."),
    (" ** 0.5", "", "you divide by head_dim; divide by its square root."),
    ("/ q.shape", "* q.shape", "you multiply by √head_dim instead of dividing."),
    ("q.shape[-1]", "k.shape[-2]", "you divide by √S; head_dim is the last size of q."),
    ("q.shape[-1]", "q.shape[-2]", "you divide by √T; head_dim is the last size of q."),
    ("dim=-1", "dim=-2", "softmax runs over the queries; for each query, it should run over the keys."),
    ("dim=-1", "dim=0", "softmax runs over the first axis; the keys are the last one."),
    ("dim=-1", "dim=1", "softmax runs over axis 1; count from the end, the keys are -1."),
    (".softmax(dim=-1)", "", "these are the scores; the softmax is missing."),
    (
        [(SCALE, ""), (".softmax(dim=-1)", ".softmax(dim=-1) / q.shape[-1] ** 0.5")],
        "you divide after the softmax; scale the scores before it.",
    ),
    ("q.shape[-1] ** 0.5", "2**0.5", "you divide by √2, which fits d = 2 alone: take head_dim from the shape of q."),
    ("k.transpose(-2, -1)", "k.T", "`.T` turns all axes around; swap only the last two: `k.transpose(-2, -1)`."),
    ("k.transpose(-2, -1)", "k", "k is not transposed: for q · k its last two axes must be swapped."),
    (
        "q @ k.transpose",
        "k @ q.transpose",
        "rows and columns are exchanged: take `q @ k.transpose(-2, -1)`.",
    ),
]
REFUSED = [
    (
        "scores = q @ k.transpose(-2, -1) /",
        "q /= q.shape[-1] ** 0.5\n    scores = q @ k.mT /",
        "It changes its input `q`",
    ),
]
RIGHT = [
    (
        "q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5",
        "torch.einsum('...td,...sd->...ts', q, k) / math.sqrt(k.size(-1))",
    ),
    """
def attention_weights(q, k):
    scores = (q / q.shape[-1] ** 0.5) @ k.mT
    scores = (scores - scores.amax(-1, keepdim=True)).exp()
    return scores / scores.sum(-1, keepdim=True)
""",
]


def rows_sum_to_one(result: Tensor, *_: Tensor) -> bool:
    return torch.allclose(result.sum(-1), torch.ones(result.shape[:-1]), atol=1e-4)


def cases(rng: Generator) -> list[tuple]:
    def case(*shape: int, T: int, S: int, d: int, scale: float = 1.0) -> tuple:
        return normal(rng, *shape, T, d, scale=scale), normal(rng, *shape, S, d, scale=scale)

    return [
        case(T=3, S=5, d=4),
        case(T=4, S=4, d=16),  # here the wrong axis keeps the shape
        case(2, T=3, S=6, d=8),
        case(2, 3, T=5, S=5, d=8),
        case(1, 2, T=1, S=7, d=64),  # one query, as in decoding
        case(T=4, S=3, d=5, scale=6.0),
        case(2, 2, T=2, S=1, d=3),
    ]


EXERCISE = Exercise(
    reference=attention_weights,
    minutes=2,
    difficulty=1,
    hints=(
        "Which shape must the second factor of a matrix product have, so that (T, head_dim) times it gives (T, S)?",
        "Transpose the keys so that `@` pairs every query with every key, divide by the square root of head_dim, and "
        "apply softmax to each row.",
        "`k.transpose(-2, -1)` swaps the last two axes and leaves texts and heads alone. Divide the scores by "
        "the square root of head_dim, the last size of `q`: `… ** 0.5` takes a root. Softmax runs over the last axis, "
        "the keys.",
    ),
    proves="rows of 1, scaled, for one query or many, with and without batch and heads",
    properties=[
        Property(
            "the weights of each query sum to 1",
            rows_sum_to_one,
            "softmax must run over the keys, the last axis, and must come last.",
        ),
    ],
)
