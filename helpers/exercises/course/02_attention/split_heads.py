"""split_heads: each head gets its own slice of every token's channels."""

from __future__ import annotations

import torch
from numpy.random import Generator

from helpers.attention.multi_head import split_heads
from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal

ANSWER = """
def split_heads(x, n_heads):
    B, T, C = x.shape
    return x.view(B, T, n_heads, C // n_heads).transpose(1, 2)
"""
SPLIT = "view(B, T, n_heads, C // n_heads).transpose(1, 2)"
SLIPS = [
    (SPLIT, "view(B, n_heads, T, C // n_heads)", "one reshape runs on across tokens: a head gets pieces of several."),
    (
        SPLIT,
        "view(B, T, C // n_heads, n_heads).permute(0, 3, 1, 2)",
        "each head gets every n-th channel; it should get a slice.",
    ),
    (".transpose(1, 2)", "", "the tokens still come before the heads: swap axes 1 and 2."),
    ("transpose(1, 2)", "transpose(2, 3)", "you swap the heads with head_dim; swap axes 1 and 2, tokens and heads."),
    (
        SPLIT,
        "view(T, B, n_heads, C // n_heads).permute(1, 2, 0, 3)",
        "B and T are mixed up: texts exchange their tokens.",
    ),
    (
        "x.view(B, T, n_heads, C // n_heads).transpose(1, 2)",
        "x.transpose(1, 2).reshape(B, n_heads, T, C // n_heads)",
        "you transpose before you split: first split the channels, then swap tokens and heads.",
    ),
    (
        "C // n_heads",
        "C / n_heads",
        "`/` gives a float, and a shape needs whole numbers: divide by `//`.",
    ),
    ("C // n_heads", "4", "4 is not the head_dim of every input: take C // n_heads."),
    ("n_heads, C // n_heads", "4, C // 4", "4 heads are not meant for every input: take `n_heads`."),
    (SPLIT, "view(B * n_heads, T, C // n_heads)", "the heads need an axis of their own, behind that of the texts."),
]
REFUSED = [
    ("    return ", "    split = ", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    (SPLIT, "reshape(B, T, n_heads, C // n_heads).permute(0, 2, 1, 3)"),
    """
def split_heads(x, n_heads):
    return torch.stack(x.split(x.shape[-1] // n_heads, dim=-1), dim=1)
""",
    """
def split_heads(x, n_heads):
    return torch.stack(x.chunk(n_heads, dim=2), 1)
""",
]


def cases(rng: Generator) -> list[tuple]:
    return [
        (torch.arange(24.0).view(1, 3, 8), 2),
        (normal(rng, 2, 5, 12), 3),
        (normal(rng, 2, 4, 16), 4),  # 4 tokens, 4 heads, 4 numbers: a mistake keeps the shape
        (normal(rng, 3, 3, 6), 3),
        (normal(rng, 1, 1, 10), 5),
        (normal(rng, 2, 7, 6), 1),
    ]


EXERCISE = Exercise(
    reference=split_heads,
    minutes=4,
    difficulty=2,
    hints=(
        "Which axis do you have to split in two, and into which sizes?",
        "First split the channels of each token into n_heads rows of equal length, without moving the tokens. "
        "Then swap two axes.",
        "Reshape to (B, T, n_heads, head_dim), where head_dim is C // n_heads: this splits the "
        "last axis and moves nothing. Then `.transpose(1, 2)` puts the heads before the tokens.",
    ),
    proves="each head gets its slice of every token's channels, also where all sizes are alike",
    properties=[
        Property(
            "head 0 of token 0 holds the first channels of token 0",
            lambda result, x, n: torch.equal(result[:, 0, 0], x[:, 0, : x.shape[-1] // n]),
        ),
    ],
)
