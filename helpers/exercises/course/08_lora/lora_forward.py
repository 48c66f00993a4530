"""lora_forward: a linear layer with a low-rank correction beside it."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property

from ._shared import built_none, normal, watched


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
BUILT = "B A is as large as W, and this builds it for every call: multiply x by A first, then by B."
CUT_OFF = "`.data`, `.detach()` or `torch.no_grad()` cuts A or B off from the loss, so that it would never be trained."
UNTURNED = "x holds rows here, not columns, so W x is written x @ W.T, and A and B are turned around as well."
TURNED_PATH = "x @ W.T + alpha / rank * low @ B.T"
SLIPS = [
    (TURNED_PATH, "W @ x + alpha / rank * B @ (A @ x)", UNTURNED),
    ([("x @ A.T", "A @ x"), (TURNED_PATH, "W @ x + alpha / rank * B @ low")], UNTURNED),
    (TURNED_PATH, "x @ (W + alpha / rank * B @ A).T", BUILT),
    (TURNED_PATH, "x @ W.T + alpha / rank * (x @ (B @ A).T)", BUILT),
    ("x @ A.T", "x @ A.data.T", CUT_OFF),
    ("low @ B.T", "low @ B.detach().T", CUT_OFF),
    ("    low =", "    with torch.no_grad():\n        low =", CUT_OFF),
    ("alpha / rank * ", "", "alpha is not used: multiply the correction by alpha / rank."),
    ("alpha / rank", "alpha", "you multiply by alpha; the scale is alpha / rank."),
    ("alpha / rank", "rank / alpha", "the scale is upside down: alpha / rank."),
    ("alpha / rank", "alpha // rank", "`//` rounds the scale down to a whole number: divide with `/`."),
    ("A.shape[0]", "B.shape[0]", "that is the length of the output; the rank is the first dimension of A."),
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
    [("x @ W.T", "torch.einsum('oi,...i->...o', W, x)")],
    [("A.shape[0]", "B.shape[1]")],
    [
        (
            "return x @ W.T + alpha / rank * low @ B.T",
            "return torch.nn.functional.linear(x, W) + low @ B.T * (alpha / rank)",
        )
    ],
]


def drive(function, x: Tensor, W: Tensor, A: Tensor, B: Tensor, alpha: float) -> Tensor:
    """The output, with two notes: was a matrix like W built, and does the gradient reach A and B?"""
    A, B = A.clone().requires_grad_(), B.clone().requires_grad_()
    y = watched(function, W, x, W, A, B, alpha)
    if not isinstance(y, Tensor):
        return y
    out = y.detach()
    out.built, out.trains = y.built, False
    if y.requires_grad:
        found = torch.autograd.grad(y.square().sum(), (A, B), allow_unused=True)
        out.trains = all(gradient is not None for gradient in found)
    return out


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
    proves="frozen path plus correction, scaled by alpha / rank, for any leading shape, without building B A",
    properties=[
        Property("no matrix as large as W is computed on the way", built_none, BUILT),
        Property("the gradient of a loss reaches both A and B", lambda y, *_: getattr(y, "trains", False), CUT_OFF),
    ],
    drive=drive,
)
