"""merge_heads: the heads' outputs side by side again, one row of channels per token."""

from __future__ import annotations

import torch
from numpy.random import Generator

from helpers.attention.multi_head import merge_heads
from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal

ANSWER = """
def merge_heads(x):
    B, H, T, head_dim = x.shape
    return x.transpose(1, 2).reshape(B, T, H * head_dim)
"""
MERGED = "x.transpose(1, 2).reshape(B, T, H * head_dim)"
SLIPS = [
    (".transpose(1, 2)", "", "one reshape runs on across tokens: move the heads behind the tokens first."),
    (
        "transpose(1, 2)",
        "permute(0, 2, 3, 1)",
        "the heads' channels are interleaved; each head's output should stay in one piece.",
    ),
    ("transpose(1, 2)", "permute(2, 0, 1, 3)", "B and T are mixed up: texts exchange their tokens."),
    ("x.transpose(1, 2)", "x.flip(1).transpose(1, 2)", "the heads are in reverse order: head 0 comes first."),
]
REFUSED = [
    (".reshape(B, T, H * head_dim)", "", "The shape of the result is wrong"),
    (MERGED, "x.transpose(1, 2).view(B, T, H * head_dim)", "It stops with an error when called as"),
    (MERGED, "x.mean(dim=1)", "The shape of the result is wrong"),
]
RIGHT = [
    (MERGED, "x.transpose(1, 2).flatten(2)"),
    """
def merge_heads(x):
    return torch.cat(x.unbind(dim=1), dim=-1)
""",
]


def cases(rng: Generator) -> list[tuple]:
    return [
        (torch.arange(24.0).view(1, 2, 3, 4),),
        (normal(rng, 2, 3, 5, 4),),
        (normal(rng, 2, 4, 4, 4),),  # 4 tokens, 4 heads, 4 numbers: a mistake keeps the shape
        (normal(rng, 3, 2, 3, 5),),
        (normal(rng, 1, 5, 1, 2),),
        (normal(rng, 2, 1, 7, 6),),
    ]


EXERCISE = Exercise(
    reference=merge_heads,
    minutes=2,
    difficulty=1,
    hints=(
        "Which two axes have to stand next to each other before you can join them?",
        "Undo `split_heads` step by step in reverse order: first swap the axes of heads and tokens, then join the "
        "last two axes.",
        "`x.transpose(1, 2)` gives (B, T, H, head_dim). Join the last two axes with `.reshape(B, T, H * head_dim)` or "
        "`.flatten(2)`; `.view` refuses here, since the transposed tensor is not contiguous.",
    ),
    proves="each token keeps its own numbers, head after head, also where all sizes are alike",
    properties=[
        Property(
            "the first channels of each token are head 0's output for it",
            lambda result, x: torch.equal(result[..., : x.shape[-1]], x[:, 0]),
        ),
    ],
)
