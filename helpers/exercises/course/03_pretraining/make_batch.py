"""make_batch: windows of one long row of tokens as inputs, and the same one place later as targets."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise


def make_batch(row: Tensor, starts: list[int], length: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets of a training step: (B, length) each, for the B windows that begin at `starts`.

    row: (N,), the whole text as token ids. The target at each place is the token that follows the input there.
    """
    inputs = torch.stack([row[start : start + length] for start in starts])
    targets = torch.stack([row[start + 1 : start + length + 1] for start in starts])
    return inputs, targets


ANSWER = """
def make_batch(row, starts, length):
    windows = torch.stack([row[start : start + length + 1] for start in starts])
    return windows[:, :-1], windows[:, 1:]
"""
SAME = "the targets are the inputs themselves; they begin one place later."
SLIPS = [
    (
        [("length + 1]", "length]"), ("windows[:, :-1], windows[:, 1:]", "windows, windows")],
        SAME,
    ),
    ("windows[:, 1:]", "windows[:, :-1]", SAME),
    (
        "length + 1]",
        "length]",
        "inputs and targets are one token short: a window takes length + 1 tokens.",
    ),
    (
        "windows[:, :-1], windows[:, 1:]",
        "windows[:, 1:], windows[:, :-1]",
        "inputs and targets are exchanged: the target is the later token.",
    ),
    (
        [("length + 1]", "length + 2]"), ("windows[:, :-1], windows[:, 1:]", "windows[:, :-2], windows[:, 2:]")],
        "the targets stand two places later; it is one.",
    ),
    (
        "windows[:, :-1], windows[:, 1:]",
        "windows[:, :-1], windows[:, -1]",
        "you keep one target per window; every place has one.",
    ),
]
REFUSED = [
    ("return windows", "windows", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    """
def make_batch(row, starts, length):
    places = torch.tensor(starts)[:, None] + torch.arange(length)
    return row[places], row[places + 1]
""",
]


def cases(rng: Generator) -> list[tuple]:
    def row(n: int) -> Tensor:
        return torch.tensor(rng.integers(0, 50, size=n))

    return [
        (torch.arange(10), [0, 5], 4),
        (row(30), [3, 17, 0, 3], 6),
        (row(9), [0], 8),  # the whole row
        (row(12), [10, 4], 1),
        (row(20), [2, 3, 4, 5, 6], 3),
    ]


EXERCISE = Exercise(
    reference=make_batch,
    minutes=2,
    difficulty=1,
    hints=(
        "How many tokens does a window need for `length` inputs, each with the token after it?",
        "Take length + 1 tokens from every start and stack them. All but the last are inputs, all but the first are "
        "targets.",
        "A slice `row[a:b]` ends before b. `torch.stack` makes a (B, length + 1) tensor of the pieces; cut it by "
        "columns, once without the last one and once without the first one.",
    ),
    proves="for windows anywhere in the row, of any length",
)
