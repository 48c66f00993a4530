"""merge_weight: the correction written into the matrix, with a bug to find."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise

from ._shared import normal


def merge_weight(weight: Tensor, A: Tensor, B: Tensor, alpha: float) -> Tensor:
    """The one matrix that does what the layer with its correction does, in the dtype of `weight`.

    weight: (out, in), float32 or bfloat16; A: (rank, in) and B: (out, rank), float32  →  (out, in), a new tensor.
    The sum is taken in float32 and rounded once.
    """
    scale = alpha / A.shape[0]
    return (weight.float() + scale * B @ A).to(weight.dtype)


ANSWER = """
def merge_weight(weight, A, B, alpha):
    scale = alpha / A.shape[0]
    correction = scale * B @ A  # (out, in)
    merged = weight.float() + correction
    return merged.to(weight.dtype)
"""
SLIPS = [
    (
        "A.shape[0]",
        "A.shape[1]",
        "alpha is divided by the number of inputs. A has shape (rank, in): which entry of its shape is the rank?",
    ),
    ("A.shape[0]", "B.shape[0]", "alpha is divided by the number of outputs; the rank is the first dimension of A."),
    ("alpha / A.shape[0]", "alpha // A.shape[0]", "`//` rounds the scale down to a whole number: divide with `/`."),
    ("alpha / A.shape[0]", "alpha", "you multiply by alpha; the scale is alpha / rank."),
    ("scale * B @ A", "B @ A", "the scale alpha / rank is missing."),
    (
        "weight.float() + correction",
        "weight + correction.to(weight.dtype)",
        "the correction is rounded before it is added, and the sum once more: add in float32, round once.",
    ),
    ("weight.float() + correction", "weight.float() - correction", "you subtract the correction; add it."),
    (
        "    return merged.to(weight.dtype)",
        "    weight.copy_(merged)\n    return weight",
        "you overwrite the caller's matrix, so nobody gets the base back: return a new tensor.",
    ),
    ("weight.float() + correction", "correction", "the frozen matrix is missing."),
]
PLANTED = SLIPS[0]
REFUSED = [
    ("merged.to(weight.dtype)", "merged", "dtype"),
]
RIGHT = [
    [("scale * B @ A", "B @ (scale * A)")],
    [("    merged = weight.float() + correction\n", "    merged = torch.add(weight.to(torch.float32), correction)\n")],
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(n_in: int, n_out: int, rank: int, alpha: float, dtype: torch.dtype) -> tuple:
        weight = normal(rng, n_out, n_in, dtype=dtype)
        return weight, normal(rng, rank, n_in), normal(rng, n_out, rank, scale=0.3), alpha

    return [
        drawn(6, 4, 2, 6.0, torch.float32),
        drawn(8, 8, 4, 2.0, torch.float32),
        drawn(12, 16, 3, 9.0, torch.bfloat16),
        drawn(24, 20, 5, 3.0, torch.bfloat16),
        drawn(7, 9, 1, 16.0, torch.float32),
    ]


EXERCISE = Exercise(
    reference=merge_weight,
    minutes=2,
    difficulty=1,
    hints=(
        "The merged layer hardly differs from the frozen one. Which factor is too small?",
        "Print `scale` for a matrix A of rank 8 with 576 inputs and alpha 16. It should be 2. What is it?",
        "A has shape (rank, in), so the rank is the first entry of its shape. The code divides alpha by the "
        "second entry, the number of inputs, which makes the correction 72 times too small in this example.",
    ),
    proves="the correction at its full strength, summed in float32 and rounded once, the given matrix untouched",
)
