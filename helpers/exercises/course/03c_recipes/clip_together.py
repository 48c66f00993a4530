"""clip_together: the gradient of a model is one long vector, and is shortened as one."""

from __future__ import annotations

from math import sqrt

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property


def clip_together(gradients: list[Tensor], most: float) -> list[Tensor]:
    """The gradient, shortened to length `most` where it is longer; its direction stays.

    gradients: one tensor per parameter, of any shapes. Together they are one long vector, whose length is the root of
    the sum of the squares of all its numbers. The tensors that are passed in stay as they are.
    """
    length = sqrt(sum(float(gradient.square().sum()) for gradient in gradients))
    factor = min(1.0, most / length) if length else 1.0
    return [gradient * factor for gradient in gradients]


ANSWER = """
def clip_together(gradients, most):
    squares = 0.0
    for gradient in gradients:
        squares += float(gradient.square().sum())
    length = sqrt(squares)
    clipped = []
    for gradient in gradients:
        if length > most:
            gradient = gradient * (most / length)
        clipped.append(gradient)
    return clipped
"""
APART = (
    "each tensor is shortened by itself, so that large ones lose more than small ones and the step points elsewhere: "
    "measure one length over all of them."
)
SLIPS = [
    (
        """
def clip_together(gradients, most):
    clipped = []
    for gradient in gradients:
        length = sqrt(float(gradient.square().sum()))
        if length > most:
            gradient = gradient * (most / length)
        clipped.append(gradient)
    return clipped
""",
        APART,
    ),
    (
        "        if length > most:\n    ",
        "        if length > 0:\n    ",
        "short gradients are lengthened: clipping only shortens.",
    ),
    (
        """
def clip_together(gradients, most):
    return [gradient.clamp(-most, most) for gradient in gradients]
""",
        "every number is cut by itself, which turns the step: multiply all of them by one factor.",
    ),
    (
        "    length = sqrt(squares)\n",
        "    length = sqrt(squares) / sqrt(sum(gradient.numel() for gradient in gradients))\n",
        "that is the size of a typical number: the length of the whole vector is the root of the sum.",
    ),
    (
        "    length = sqrt(squares)\n",
        "    length = squares\n",
        "the root is missing: the sum of the squares is the length squared.",
    ),
    (
        """
def clip_together(gradients, most):
    length = sum(sqrt(float(gradient.square().sum())) for gradient in gradients)
    return [gradient * min(1.0, most / length) if length else gradient for gradient in gradients]
""",
        "lengths do not add up; their squares do.",
    ),
    (
        """
def clip_together(gradients, most):
    length = max(sqrt(float(gradient.square().sum())) for gradient in gradients)
    return [gradient * min(1.0, most / length) if length else gradient for gradient in gradients]
""",
        "the longest tensor alone decides: the length is that of all of them together.",
    ),
    (
        "        if length > most:\n            gradient = gradient * (most / length)\n",
        "        if length > most:\n            gradient = gradient / length\n",
        "it is cut to length 1 instead of `most`.",
    ),
    (
        "        if length > most:\n            gradient = gradient * (most / length)\n",
        "        if length > most:\n            gradient = gradient * 0\n",
        "a long gradient is thrown away: keep its direction.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    ("gradient = gradient * (most / length)", "gradient.mul_(most / length)", "changes its input"),
    ("    return clipped", "    clipped", "Did you forget `return`?"),
]
RIGHT = [
    """
def clip_together(gradients, most):
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    shrink = min(1.0, most / max(float(flat.norm()), 1e-12))
    return [shrink * gradient for gradient in gradients]
""",
    """
def clip_together(gradients, most):
    norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
    return [g * most / norm for g in gradients] if norm > most else list(gradients)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(*shapes: tuple[int, ...], size: float = 1.0) -> list[Tensor]:
        return [torch.tensor(size * rng.normal(size=shape), dtype=torch.float32) for shape in shapes]

    return [
        ([torch.tensor([3.0]), torch.tensor([4.0])], 1.0),  # together 5
        ([torch.tensor([0.6, 0.0]), torch.tensor([[0.8]])], 2.0),  # short enough
        (drawn((4, 3), (3,), size=5.0), 1.0),
        (drawn((2, 2), (5,), (1, 3), size=0.01), 1.0),
        ([10 * t for t in drawn((3,))] + drawn((4,), size=0.1), 0.5),  # one is long, one is short
        ([torch.tensor([0.9]), torch.tensor([0.9])], 1.0),  # each short enough, both together not
        ([torch.zeros(3), torch.zeros(2, 2)], 1.0),
        (drawn((6,), size=3.0), 2.5),
    ]


def _length(gradients: list[Tensor]) -> float:
    return sqrt(sum(float(gradient.square().sum()) for gradient in gradients))


def _is_short(result: list[Tensor], gradients: list[Tensor], most: float) -> bool:
    return _length(result) <= most * (1 + 1e-4)


EXERCISE = Exercise(
    reference=clip_together,
    minutes=4,
    difficulty=2,
    hints=(
        "Take two parameters with gradients 3 and 4, and `most` = 1. What is their ratio before, and after?",
        "The ratio 3 : 4 has to stay, so both are multiplied by the same factor. Together their length is 5. Which "
        "length does the code in the cell measure?",
        "First add up the squares of all numbers of all tensors; the root of the sum is the one length. Only then go "
        "over the tensors, and multiply each by most / length where that length exceeds `most`.",
    ),
    proves="one length decides, one factor shortens, directions stay, and short gradients are left alone",
    properties=[Property("together they are no longer than `most`", _is_short)],
)
