"""mean_squared_error: (N, 1) minus (N,) is (N, N), so each prediction is compared with every target."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal


def mean_squared_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """Mean of the N squared differences between a prediction and its own target.

    predictions: (N, 1), as a layer gives them; targets: (N,)  →  a tensor with one number
    """
    return ((predictions.squeeze(1) - targets) ** 2).mean()


ANSWER = """
def mean_squared_error(predictions, targets):
    return ((predictions.squeeze(1) - targets) ** 2).mean()
"""
TWO_SHAPES = "(N, 1) and (N,) are two shapes: bring the two to one shape first, then assert that they are equal."
CUT_OFF = "`.detach()`, `.item()` or NumPy cuts the loss off from the weights; stay with tensors."
SLIPS = [
    (".squeeze(1)", "", "each prediction is still compared with every target, not only with its own."),
    (".mean()", ".sum()", "this is the sum; divide by N, or take the mean."),
    (
        "((predictions.squeeze(1) - targets) ** 2)",
        "(predictions.squeeze(1) - targets).abs()",
        "you average absolute differences; square them.",
    ),
    (".mean()", ".mean().sqrt()", "this is the square root of it."),
    (") ** 2).mean()", ").mean() ** 2)", "you average first and square afterwards, so that errors cancel."),
    (".mean()", ".mean() / len(targets)", "the mean has divided by N already; yours is N times too small."),
    ([(".squeeze(1)", ""), (".mean()", ".sum()")], "this still sums over all N × N pairs."),
    (".squeeze(1)", ".detach().squeeze(1)", CUT_OFF),
    (
        """
def mean_squared_error(predictions, targets):
    assert predictions.shape == targets.shape
    return ((predictions - targets) ** 2).mean()
""",
        TWO_SHAPES,
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    (".mean()", "", "The shape of the result is wrong"),
    (".mean()", ".mean().item()", "Expected a float32 tensor"),
]
RIGHT = [
    ("(predictions.squeeze(1) - targets)", "(predictions - targets[:, None])"),
    (".mean()", ".sum() / len(targets)"),
    (
        "((predictions.squeeze(1) - targets) ** 2).mean()",
        "torch.nn.functional.mse_loss(predictions, targets.view_as(predictions))",
    ),
    """
def mean_squared_error(predictions, targets):
    predictions = predictions[:, 0]
    assert predictions.shape == targets.shape
    return ((predictions - targets) ** 2).mean()
""",
]


def cases(rng: Generator) -> list[tuple]:
    perfect = normal(rng, 6, scale=3)
    return [
        (normal(rng, 4, 1), normal(rng, 4)),
        (normal(rng, 7, 1), normal(rng, 7, scale=10)),
        (perfect[:, None].clone(), perfect),
        (normal(rng, 1, 1), normal(rng, 1)),
        (torch.arange(5.0)[:, None], torch.arange(5.0).flip(0)),
        (normal(rng, 3, 1).requires_grad_(), normal(rng, 3)),  # a loss to train with
    ]


EXERCISE = Exercise(
    reference=mean_squared_error,
    minutes=2,
    difficulty=1,
    hints=(
        "What is the shape of `predictions - targets`?",
        "(N, 1) minus (N,) is (N, N): each prediction is compared with every target. Give both the same shape first.",
        "Drop the dimension of size 1 from the predictions with `predictions.squeeze(1)`, or give the targets one with "
        "`targets[:, None]`; the rest of the line is right.",
    ),
    proves="each prediction is compared with its own target, and perfect predictions have the loss 0",
    properties=[
        Property(
            "perfect predictions have error 0",
            lambda result, p, t: not torch.equal(p[:, 0], t) or float(result) == 0,
        ),
        Property(
            "where predictions carry gradients, so does the loss",
            lambda result, p, t: result.requires_grad == p.requires_grad,
            CUT_OFF,
        ),
    ],
)
