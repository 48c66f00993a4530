"""induction_score: how much a head looks at what followed the same token before."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.attention.masks import causal_mask
from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.transformer.heads import induction_score

from ._shared import normal

ANSWER = """
def induction_score(weights, length):
    queries = torch.arange(length, 2 * length)
    keys = queries - length + 1
    return weights[..., queries, keys].mean(dim=-1)
"""
BEFORE = "you reward what came before the same token, not after it."
ABOVE = "you pick from above the diagonal, the future, where all is 0: a row is a query, a column a key."
PICKED = "weights[..., queries, keys].mean(dim=-1)"
AXES = "`diagonal` takes the first two axes unless you say otherwise: give it dim1=-2, dim2=-1."
SLIPS = [
    ("- length + 1", "- length", "you reward looking at the same token; the next one counts."),
    ("arange(length", "arange(length - 1", "query length − 1 has seen no token twice: start at t = length."),
    ("arange(length", "arange(length + 1", "the first query of the second half, t = length, is missing."),
    ([("arange(length", "arange(length + 1"), ("- length + 1", "- length - 1")], BEFORE),
    ("- length + 1", "- length - 1", BEFORE),
    ("- length + 1", "- length + 2", "off by one: you reward the second token after it."),
    ("2 * length", "2 * length - 1", "the last query, t = 2 · length − 1, is missing."),
    ("mean", "sum", "this is the sum; take the mean over the queries."),
    ("dim=-1", "", "you average over heads and texts too: keep one score for each."),
    ("queries, keys]", "keys, queries]", ABOVE),
    ("queries, keys]", "queries - length, keys]", ABOVE),
    (
        "weights[..., queries, keys].mean(dim=-1)",
        "weights[..., length:, 1 : length + 1].mean((-2, -1))",
        "you average a whole block; each query counts with one key only, that at t − length + 1.",
    ),
    ("queries - length + 1", "queries - 15", "15 fits length 16 alone: the distance is length − 1."),
    ("queries - length + 1", "queries - 1", "you reward looking at the token before, at t − 1."),
    (PICKED, "weights.diagonal(1 - length)[..., 1:].mean(dim=-1)", AXES),
    (PICKED, "weights.diagonal(1 - length).mean(dim=-1)", AXES),
    (
        PICKED,
        "weights.diagonal(-15, dim1=-2, dim2=-1)[..., 1:].mean(dim=-1)",
        "−15 fits length 16 alone: the diagonal is the one at 1 − length.",
    ),
    (
        PICKED,
        "weights.diagonal(-15, dim1=-2, dim2=-1).mean(dim=-1)",
        "−15 fits length 16 alone: the diagonal is the one at 1 − length.",
    ),
    (
        "weights[..., queries, keys].mean(dim=-1)",
        "weights[..., queries, keys].amax(dim=-1)",
        "this is the largest weight; take the mean over the queries.",
    ),
    (".mean(dim=-1)", "", "one number for each query comes back; take their mean."),
]
REFUSED = [
    ("    return ", "    score = ", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    """
def induction_score(weights, length):
    total = 0.0
    for t in range(length, 2 * length):
        total = total + weights[..., t, t - length + 1]
    return total / length
""",
]


def cases(rng: Generator) -> list[tuple]:
    def weights(*shape: int, length: int) -> Tensor:
        hidden = ~causal_mask(2 * length)
        return normal(rng, *shape, 2 * length, 2 * length, scale=2).masked_fill(hidden, -torch.inf).softmax(-1)

    perfect = torch.eye(8)
    perfect[4:] = torch.eye(8)[1:5]  # 4, 5, 6, 7 look at 1, 2, 3, 4
    return [
        (weights(length=3), 3),
        (weights(2, length=4), 4),
        (weights(2, 3, length=5), 5),
        (perfect, 4),
        (torch.eye(6), 3),
        (weights(1, 2, length=9), 9),
    ]


EXERCISE = Exercise(
    reference=induction_score,
    minutes=7,
    difficulty=3,
    hints=(
        "The token at position t also stood at position t − length. At which position stood the token after it?",
        "For each t from length to 2 · length − 1, pick the weight that query t gives to key t − length + 1, and "
        "average them. Leave all axes but the last two alone.",
        "With `t = torch.arange(length, 2 * length)`, `weights[..., t, t - length + 1]` picks one weight for each "
        "query of the second half; take the mean over that last axis.",
    ),
    proves="1 for a perfect copier, 0 for a head that looks at itself, and one score a head",
    properties=[
        Property("a score lies between 0 and 1", lambda score, *_: bool(((score >= 0) & (score <= 1)).all())),
    ],
)
