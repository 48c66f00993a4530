"""lora_forward: a linear layer with a low-rank correction beside it."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise

from ._shared import normal


def lora_forward(x: Tensor, W: Tensor, A: Tensor, B: Tensor, alpha: float) -> Tensor:
    """The output of a linear layer W with the correction (alpha / rank) · B A beside it.

    x: (…, in), W: (out, in), A: (rank, in), B: (out, rank)  →  (…, out)
    """
    scale = alpha / A.shape[0]
    return x @ W.T + scale * (x @ A.T) @ B.T


ANSWER = """
def lora_forward(x, W, A, B, alpha):
    rank = A.shape[0]
    low = x @ A.T  # (..., rank)
    return x @ W.T + alpha / rank * low @ B.T
"""
SLIPS = [
    ("alpha / rank * ", "", "alpha is not used: multiply the correction by alpha / rank."),
    ("alpha / rank", "alpha", "you multiply by alpha; the strength is alpha / rank."),
    ("alpha / rank", "rank / alpha", "the strength is upside down: alpha / rank."),
    ("alpha / rank", "alpha * rank", "you multiply alpha by the rank; divide it."),
    ("alpha / rank", "alpha / rank**0.5", "alpha / √rank is rank-stabilized LoRA; here it is alpha / rank."),
    ("A.shape[0]", "A.shape[1]", "that is the length of x; the rank is the first dimension of A."),
    ("x @ W.T + ", "", "the frozen layer is missing: add x Wᵀ."),
    ("x @ W.T + ", "x @ W.T - ", "you subtract the correction; add it."),
    (
        "x @ W.T + alpha / rank * low @ B.T",
        "alpha / rank * (x @ W.T + low @ B.T)",
        "the frozen layer is scaled, too; scale the correction alone.",
    ),
]
RIGHT = [
    [("x @ W.T + alpha / rank * low @ B.T", "x @ (W + alpha / rank * B @ A).T")],
    [
        (
            "return x @ W.T + alpha / rank * low @ B.T",
            "return torch.nn.functional.linear(x, W) + low @ B.T * (alpha / rank)",
        )
    ],
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(*lead: int, n_in: int, n_out: int, rank: int, alpha: float) -> tuple:
        x, W = normal(rng, *lead, n_in), normal(rng, n_out, n_in, scale=n_in**-0.5)
        return x, W, normal(rng, rank, n_in, scale=n_in**-0.5), normal(rng, n_out, rank), alpha

    return [
        drawn(3, n_in=6, n_out=4, rank=2, alpha=6.0),
        drawn(2, 5, n_in=8, n_out=8, rank=4, alpha=2.0),  # a square matrix: nothing is caught by its shape
        drawn(4, n_in=5, n_out=7, rank=1, alpha=3.0),
        drawn(2, 3, n_in=7, n_out=9, rank=3, alpha=16.0),
        drawn(n_in=6, n_out=6, rank=2, alpha=1.0),  # one vector
    ]


EXERCISE = Exercise(
    reference=lora_forward,
    minutes=2,
    difficulty=1,
    hints=(
        "Two paths read the same x, and their results are added. What does each path multiply x by?",
        "The frozen path is x Wᵀ. The other one goes through A first and through B afterwards, and is scaled "
        "by alpha / rank.",
        "`x @ A.T` has shape (…, rank): all that the correction knows of x. Multiplied by the transposed B it"
        " has shape (…, out). The rank is the first entry of the shape of A; scale this path alone, then add "
        "the frozen one.",
    ),
    proves="frozen path plus correction, scaled by alpha / rank, for any leading shape",
)
