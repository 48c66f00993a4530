"""shift_labels: the logits at each place are held against what comes next, and those at the last against nothing."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

from helpers.exercises.checking.spec import Exercise
from helpers.foundations.probability import IGNORED
from helpers.training.losses import shift_labels

ANSWER = """
def shift_labels(labels):
    targets = torch.full_like(labels, -100)
    targets[:, :-1] = labels[:, 1:]
    return targets
"""
FULL = "torch.full_like(labels, -100)"
MOVE = "    targets[:, :-1] = labels[:, 1:]\n"
SLIPS = [
    (
        [("[:, :-1]", "[:, 1:]"), ("[:, 1:]", "[:, :-1]")],
        "you move to the right: place t gets the label of t − 1; it needs t + 1's.",
    ),
    (
        [(FULL, "labels.clone()"), (MOVE, "")],
        "nothing moves: each place is held against itself, which it has just read.",
    ),
    ("return targets", "return labels[:, 1:]", "the last place falls away; it stays, with −100."),
    (
        [(FULL, "labels.roll(-1, 1)"), (MOVE, "")],
        "the first label comes around to the last place: −100 there.",
    ),
    (FULL, "labels.clone()", "the last place keeps its own label; it gets −100."),
    (FULL, "torch.zeros_like(labels)", "0 is a token; what is not trained gets −100."),
    ("-100", "-1", "−1 is not what PyTorch leaves out: −100."),
    ([("[:, :-1]", "[:-1]"), ("[:, 1:]", "[1:]")], "you move along the batch; tokens run along axis 1."),
    ([("[:, :-1]", "[:, :-2]"), ("[:, 1:]", "[:, 2:]")], "you move by two places."),
    (
        """
def shift_labels(labels):
    labels[:, :-1] = labels[:, 1:].clone()
    labels[:, -1] = -100
    return labels
""",
        "you move the caller's own labels.",
    ),
]
RIGHT = [
    [(FULL, "F.pad(labels[:, 1:], (0, 1), value=-100)"), (MOVE, "")],
    [
        (FULL, "labels.new_full((len(labels), 1), -100)"),
        (MOVE, "    targets = torch.cat((labels[:, 1:], targets), dim=1)\n"),
    ],
    [(FULL, "labels.roll(-1, 1)"), (MOVE, "    targets[:, -1] = -100\n")],
]


def cases(rng: Generator) -> list[tuple]:
    def labels(rows: int, columns: int) -> Tensor:
        drawn = torch.tensor(rng.integers(3, 90, size=(rows, columns)))
        return drawn.masked_fill(torch.tensor(rng.random((rows, columns)) < 0.3), IGNORED)

    full = torch.tensor(rng.integers(3, 90, size=(4, 4)))  # square: a wrong axis keeps the shape
    return [(torch.tensor([[5, 6, 7]]),), (labels(3, 8),), (full,), (labels(1, 12),), (labels(5, 2),), (labels(2, 1),)]


EXERCISE = Exercise(
    reference=shift_labels,
    minutes=2,
    difficulty=1,
    hints=(
        "The logits at place t score a token. Which one?",
        "Each place gets the label of the place behind it. The last one has none behind it: −100.",
        "Make a tensor full of −100 with `torch.full_like`, and fill all places but the last of each row with all "
        "labels but the first, along axis 1. The tensor that was given stays as it is.",
    ),
    proves="each place gets what comes next, the last one −100, and the labels given stay as they were",
)
