"""alibi_slopes: powers of two whose exponents are evenly spaced, the last always −8."""

from __future__ import annotations

import torch
from numpy.random import Generator

from helpers.attention.positions import alibi_slopes
from helpers.exercises.checking.spec import Exercise, Property

ANSWER = """
def alibi_slopes(n_heads):
    heads = torch.arange(1, n_heads + 1)
    return 2.0 ** (-8 / n_heads * heads)
"""
SLOPES = "2.0 ** (-8 / n_heads * heads)"
EXPONENTS = "these are the exponents; raise 2 to them."
SPACED = "the exponents are evenly spaced, not the slopes themselves."
SLIPS = [
    ("(1, n_heads + 1)", "(n_heads)", "the first slope is not 1: count the heads from 1, not from 0."),
    ("-8 / n_heads * heads", "-heads", "these are right for 8 heads only; the exponents depend on n_heads."),
    (SLOPES, "heads.flip(0) / n_heads", SPACED),
    (SLOPES, "torch.linspace(2.0 ** (-8 / n_heads), 2.0**-8, n_heads)", SPACED),
    ("* heads", "* heads.flip(0)", "the order is reversed: head 0 has the largest slope."),
    (SLOPES, "8 / n_heads * heads", EXPONENTS),
    (SLOPES, "-8 / n_heads * heads", EXPONENTS),
    ("-8", "8", "the exponents are negative; yours are positive."),
    (SLOPES, "torch.exp(-8 / n_heads * heads)", "these are powers of e; raise 2 to the exponents."),
    ("-8 / n_heads", "-n_heads / 8", "the fraction is upside down: 8/n, not n/8."),
]
REFUSED = [
    ("return 2.0", "return -2.0", "the minus sign comes later"),
    (SLOPES, "[2 ** (-8 * int(head) / n_heads) for head in heads]", "The kind of the result"),
]
RIGHT = [
    (SLOPES, "torch.tensor([2 ** (-8 * int(head) / n_heads) for head in heads])"),
    (SLOPES, "torch.exp2(torch.linspace(-8 / n_heads, -8, n_heads))"),
    (SLOPES, "torch.full((n_heads,), 2 ** (-8 / n_heads)).cumprod(0)"),
]


def cases(rng: Generator) -> list[tuple]:
    return [(8,), (4,), (2,), (16,), (1,), (32,)]


EXERCISE = Exercise(
    reference=alibi_slopes,
    minutes=2,
    difficulty=1,
    hints=(
        "With 8 heads the slopes are 1/2, 1/4, …, 1/256. Which powers of 2?",
        "The exponents are −8/n, −16/n, …, −8: evenly spaced, n of them, the last always −8.",
        "Count the heads from 1 to n with `torch.arange(1, n_heads + 1)`, multiply by −8 / n_heads, and raise 2.0 "
        "to that.",
    ),
    proves="right for one head up to 32, the last slope always 1/256",
    properties=[
        Property(
            "every slope is positive",
            lambda result, n: bool((result > 0).all()),
            "the minus sign comes later, when the slope is multiplied by the distance and subtracted.",
        ),
    ],
)
