"""next_bias: experts that got too few tokens are made easier to choose, those that got too many harder."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise


def next_bias(bias: Tensor, counts: Tensor, step: float) -> Tensor:
    """The bias of each expert after a batch: moved by `step`, up where it got less than its share, down where more.

    bias: (experts,). counts: (experts,) whole numbers, the tokens that each expert got in this batch; its share is
    their mean. An expert that got exactly its share keeps its bias. Returns a new tensor.
    """
    return bias + step * torch.sign(counts.float().mean() - counts)


ANSWER = """
def next_bias(bias, counts, step):
    share = counts.float().mean()
    return bias + step * torch.sign(share - counts)
"""
MEAN = "counts.float().mean()"
SLIPS = [
    (
        "share - counts",
        "counts - share",
        "the bias moves the wrong way: who got too many tokens is chosen even more often.",
    ),
    (
        "torch.sign(share - counts)",
        "(share - counts)",
        "the bias moves by the number of missing tokens: it moves by one step, however many are missing.",
    ),
    (
        "torch.sign(share - counts)",
        "(share - counts) / counts.sum()",
        "the bias moves by the missing share: it moves by one step, whatever the share.",
    ),
    (MEAN, "1 / len(counts)", "you compare a number of tokens with a share: compare it with the mean number."),
    (MEAN, "counts.sum()", "you compare with all tokens of the batch: an expert's share is their mean."),
    (MEAN, "counts.sum() // len(counts)", "the mean is rounded down: take it as it is."),
    (MEAN, "counts.float().median()", "you compare with the median: the share of an expert is the mean."),
    (
        "torch.sign(share - counts)",
        "torch.sign(share - counts).clamp(min=0)",
        "only those with too few move: those with too many go down, too.",
    ),
    (
        "torch.sign(share - counts)",
        "torch.sign(share - counts).clamp(max=0)",
        "only those with too many move: those with too few go up, too.",
    ),
    (
        "torch.sign(share - counts)",
        "torch.where(counts < share, 1.0, -1.0)",
        "an expert that got exactly its share moves down: it keeps its bias.",
    ),
    (
        "torch.sign(share - counts)",
        "torch.where(counts > share, -1.0, 1.0)",
        "an expert that got exactly its share moves up: it keeps its bias.",
    ),
    ("bias + step", "step", "the biases so far are lost: move them from where they are."),
    ("step * ", "", "the bias moves by 1: it moves by `step`."),
]
REFUSED = [
    (
        "    return bias + step * torch.sign(share - counts)",
        "    bias += step * torch.sign(share - counts)\n    return bias",
        "It changes its input `bias`",
    ),
]
RIGHT = [
    """
def next_bias(bias, counts, step):
    n = len(counts)
    few, many = n * counts < counts.sum(), n * counts > counts.sum()
    return bias + step * few.float() - step * many.float()
""",
    """
def next_bias(bias, counts, step):
    new = bias.clone()
    for e, count in enumerate(counts.tolist()):
        missing = sum(counts.tolist()) - count * len(counts)
        if missing > 0:
            new[e] += step
        elif missing < 0:
            new[e] -= step
    return new
""",
]


def cases(rng: Generator) -> list[tuple]:
    def case(counts: list[int], step: float) -> tuple:
        bias = torch.tensor(rng.normal(0, 0.2, size=len(counts)), dtype=torch.float32)
        return bias, torch.tensor(counts), step

    drawn = [rng.multinomial(513, rng.dirichlet([0.4] * n)).tolist() for n in (2, 5, 8, 16)]
    return [
        case([12, 4, 8, 8], 0.01),  # two got exactly their share
        case([3, 3, 4, 5], 0.05),  # the mean is no whole number: 3.75
        case([0, 0, 64, 0], 0.01),
        case([1, 2, 3, 30, 5], 0.1),  # median 3, mean 8.2
        case([7, 7, 7], 0.01),
        *(case(counts, 0.02) for counts in drawn),
    ]


EXERCISE = Exercise(
    reference=next_bias,
    minutes=4,
    difficulty=2,
    hints=(
        "In a batch of 32 tokens for 4 experts, what is the share of each? Which way must the bias of an expert move "
        "that got 12 of them?",
        "The bias moves by the same small step however far off an expert is. So you need only the sign of what it is "
        "short of, which is 0 at exactly its share.",
        "Take the mean of `counts` as a float, which is the share of each, and subtract `counts` from it. `torch.sign` "
        "of that is 1, 0 or -1. Add `step` times it to `bias`, as a new tensor.",
    ),
    proves="up by one step where tokens are missing, down where there are too many, and nowhere else",
)
