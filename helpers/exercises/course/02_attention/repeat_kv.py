"""repeat_kv: one key head for each query head, in groups that stand side by side."""

from __future__ import annotations

import torch
from numpy.random import Generator

from helpers.attention.multi_head import repeat_kv
from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal

ANSWER = """
def repeat_kv(x, times):
    return x.repeat_interleave(times, dim=1)
"""
REPEATED = "x.repeat_interleave(times, dim=1)"
TILED = "the order is 0, 1, 0, 1; a group of query heads must share one head: 0, 0, 1, 1."
SLIPS = [
    (REPEATED, "x.repeat(1, times, 1, 1)", TILED),
    (REPEATED, "x[:, None].expand(-1, times, -1, -1, -1).flatten(1, 2)", TILED),
    (", dim=1", "", "without `dim`, all numbers are laid in one row; name the axis of the heads."),
    (
        REPEATED,
        "torch.stack([x] * times, dim=2)",
        "the copies have an axis of their own; join it with that of the heads.",
    ),
    ("dim=1", "dim=0", "you repeat the texts; repeat the heads, axis 1."),
    ("dim=1", "dim=2", "you repeat the positions; repeat the heads, axis 1."),
    ("dim=1", "dim=3", "you repeat the channels; repeat the heads, axis 1."),
]
RIGHT = [
    (REPEATED, "torch.stack([x] * times, dim=2).flatten(1, 2)"),
    (REPEATED, "x[:, torch.arange(x.shape[1] * times) // times]"),
    """
def repeat_kv(x, times):
    B, H, S, d = x.shape
    return x[:, :, None].expand(B, H, times, S, d).reshape(B, H * times, S, d)
""",
]


def cases(rng: Generator) -> list[tuple]:
    return [
        (normal(rng, 1, 2, 3, 4), 2),
        (normal(rng, 2, 3, 3, 3), 3),  # sizes alike: repeating another axis differs by its values only
        (normal(rng, 2, 3, 5, 4), 3),
        (normal(rng, 1, 1, 6, 2), 4),  # multi-query
        (normal(rng, 2, 4, 3, 2), 1),  # multi-head: nothing to repeat
        (torch.arange(6.0).view(1, 3, 1, 2), 2),
    ]


EXERCISE = Exercise(
    reference=repeat_kv,
    minutes=2,
    difficulty=1,
    hints=(
        "With 4 query heads and 2 key heads, which query heads share key head 0?",
        "Query heads 0 and 1 share key head 0, heads 2 and 3 share key head 1: each key head appears several times "
        "in a row before the next one.",
        "PyTorch has two functions: `repeat` puts whole copies one after another (0, 1, 0, 1), `repeat_interleave` "
        "repeats each item in place (0, 0, 1, 1). You want the second, along axis 1, the heads.",
    ),
    proves="each head several times in a row, from multi-query to multi-head",
    properties=[
        Property(
            "the first `times` heads are copies of head 0",
            lambda result, x, times: all(torch.equal(result[:, i], x[:, 0]) for i in range(times)),
        ),
    ],
)
