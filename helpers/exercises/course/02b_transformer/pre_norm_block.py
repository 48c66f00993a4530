"""pre_norm_block: sublayers read a normalized copy of the stream and add to the stream itself."""

from __future__ import annotations

from collections.abc import Callable

import torch
from numpy.random import Generator
from torch import Tensor, nn

from helpers.exercises.checking.spec import Exercise, Property
from helpers.transformer.layers import RMSNorm

from ._shared import normal


def pre_norm_block(
    x: Tensor, attention: Callable, feed_forward: Callable, attention_norm: Callable, feed_forward_norm: Callable
) -> Tensor:
    """One block: each sublayer reads a normalized copy of the stream and adds to the stream itself.

    x: (B, T, C)  →  (B, T, C). The four others take (B, T, C) and give (B, T, C).
    """
    x = x + attention(attention_norm(x))
    return x + feed_forward(feed_forward_norm(x))


ANSWER = """
def pre_norm_block(x, attention, feed_forward, attention_norm, feed_forward_norm):
    x = x + attention(attention_norm(x))
    return x + feed_forward(feed_forward_norm(x))
"""
FIRST, SECOND = "x = x + attention(attention_norm(x))", "return x + feed_forward(feed_forward_norm(x))"
OVERWRITTEN = "x is overwritten on its way: only what a sublayer says may change it, by addition."
SLIPS = [
    (
        [
            (FIRST, "x = attention_norm(x)\n    x = x + attention(x)"),
            (SECOND, "x = feed_forward_norm(x)\n    return x + feed_forward(x)"),
        ],
        "the stream is still overwritten by its normalized copy.",
    ),
    (
        SECOND,
        "x = feed_forward_norm(x)\n    return x + feed_forward(x)",
        "the second half still overwrites x by its normalized copy.",
    ),
    (
        FIRST,
        "x = attention_norm(x)\n    x = x + attention(x)",
        "the first half still overwrites x by its normalized copy.",
    ),
    (
        [
            (FIRST, "x = attention_norm(x + attention(x))"),
            (SECOND, "return feed_forward_norm(x + feed_forward(x))"),
        ],
        "you normalize the sum, as in the original transformer; here the sublayer's input.",
    ),
    (
        [
            (FIRST, "attended = attention(attention_norm(x))"),
            (SECOND, "return x + attended + feed_forward(feed_forward_norm(x))"),
        ],
        "feed-forward reads x from before attention; it comes after it.",
    ),
    (
        [("attention_norm(x)", "x"), ("feed_forward_norm(x)", "x")],
        "the norms are gone: each sublayer reads a normalized copy.",
    ),
    ([("x = x + ", "x = "), ("return x + ", "return ")], "the sublayers replace x; they must add to it."),
    (
        [
            ("attention(attention_norm(x))", "attention_norm(attention(x))"),
            ("feed_forward(feed_forward_norm(x))", "feed_forward_norm(feed_forward(x))"),
        ],
        "the norm is on what the sublayer gives; it belongs on the copy that the sublayer reads.",
    ),
    ("x = x + ", "x = ", OVERWRITTEN),
    (
        [("attention_norm(x)", "feed_forward_norm(x)"), ("feed_forward_norm(x)", "attention_norm(x)")],
        "the two norms are exchanged: each sublayer has its own.",
    ),
    (
        [
            (FIRST, "x = x + feed_forward(feed_forward_norm(x))"),
            (SECOND, "return x + attention(attention_norm(x))"),
        ],
        "attention comes first, feed-forward after it.",
    ),
    (
        [("x = x + ", "middle = x + "), ("feed_forward_norm(x)", "feed_forward_norm(middle)")],
        "the second half adds to x from before attention; add to the new x.",
    ),
    ("attention_norm(x)", "x", "attention reads the stream itself; it needs its norm in front."),
    ("feed_forward_norm(x)", "x", "feed-forward reads the stream itself; it needs its norm in front."),
    ("feed_forward_norm(x)", "attention_norm(x)", "feed-forward reads through attention's norm; it has its own."),
]
PLANTED = SLIPS[0]
REFUSED = [
    ("x = x + ", "x += ", "It changes its input `x`"),
    ("return x + ", "x = x + ", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    """
def pre_norm_block(x, attention, feed_forward, attention_norm, feed_forward_norm):
    middle = attention(attention_norm(x)) + x
    copy = feed_forward_norm(middle)
    return feed_forward(copy) + middle
""",
]

SUBLAYERS: dict[str, Callable[[Tensor], Tensor]] = {
    "says nothing": torch.zeros_like,
    "mean of the past": lambda x: x.cumsum(1) / torch.arange(1.0, x.shape[1] + 1)[:, None],
    "tanh": torch.tanh,
    "a third of it": lambda x: x / 3,
}


def norms(width: int) -> tuple[nn.Module, nn.Module]:
    """Two RMSNorms with different weights."""
    pair = RMSNorm(width), RMSNorm(width)
    with torch.no_grad():
        pair[0].weight.copy_(torch.linspace(0.5, 1.5, width))
        pair[1].weight.copy_(torch.linspace(2.0, -1.0, width))
    return pair


def drive(block: Callable, x: Tensor, attention: str, feed_forward: str) -> Tensor:
    """Call `block` with sublayers named by what they do."""
    with torch.no_grad():
        return block(x, SUBLAYERS[attention], SUBLAYERS[feed_forward], *norms(x.shape[-1]))


def cases(rng: Generator) -> list[tuple]:
    return [
        (normal(rng, 2, 3, 4, scale=3), "says nothing", "says nothing"),
        (normal(rng, 1, 5, 6), "mean of the past", "tanh"),
        (normal(rng, 2, 4, 4, scale=10), "mean of the past", "says nothing"),
        (normal(rng, 3, 2, 5, scale=0.1), "says nothing", "tanh"),
        (normal(rng, 1, 1, 8), "a third of it", "a third of it"),
    ]


EXERCISE = Exercise(
    reference=pre_norm_block,
    minutes=4,
    difficulty=2,
    drive=drive,
    hints=(
        "If both sublayers say nothing, what should come out? And what does?",
        "`x = attention_norm(x)` throws the stream away: everything later sees only the normalized copy.",
        "Give the copy to the sublayer without storing it in x: `attention(attention_norm(x))` is what is added "
        "to x. The same in the second half.",
    ),
    proves="the stream runs through untouched, and each sublayer reads a normalized copy",
    properties=[
        Property(
            "where both sublayers say nothing, x comes through as it was",
            lambda result, x, attention, feed_forward: (
                not attention == feed_forward == "says nothing" or torch.equal(result, x)
            ),
            OVERWRITTEN,
        ),
    ],
)
