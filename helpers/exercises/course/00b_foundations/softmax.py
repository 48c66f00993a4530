"""softmax: the maximum is subtracted first, along the dimension that is asked for."""

from __future__ import annotations

import torch
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.foundations.probability import softmax

from ._shared import normal

ANSWER = """
def softmax(logits, dim=-1):
    largest = logits.amax(dim, keepdim=True)
    weights = (logits - largest).exp()  # exp of something ≤ 0 cannot overflow
    return weights / weights.sum(dim, keepdim=True)
"""
LARGEST = "logits.amax(dim, keepdim=True)"
SUM = "weights.sum(dim, keepdim=True)"
WHOLE_TENSOR = "you divide by the sum of the whole tensor, not along `dim`."
KEEPDIM = "maximum or sum loses the dimension, so it no longer stands beside its logits: write `keepdim=True`."
SLIPS = [
    ("logits - largest", "logits", "exp of a large number is inf, and inf / inf is NaN: subtract the maximum."),
    (LARGEST, "logits.max()", "the maximum of the whole tensor is taken; a row far below it underflows to 0 / 0."),
    ([("amax(dim", "amax(-1"), ("sum(dim", "sum(-1")], "`dim` is ignored: you always normalize the last one."),
    ([("amax(dim", "amax(0"), ("sum(dim", "sum(0")], "`dim` is ignored: you always normalize the first one."),
    ([(LARGEST, "logits.max()"), (SUM, "weights.sum()")], WHOLE_TENSOR),
    (SUM, "weights.sum()", WHOLE_TENSOR),
    (f" / {SUM}", "", "the division by the sum is missing."),
    (f"weights / {SUM}", "torch.log_softmax(logits, dim)", "this is the logarithm of the softmax."),
    (
        "logits - largest",
        "logits.clamp(max=80)",
        "cutting large logits off changes the probabilities; subtract instead.",
    ),
    ("(logits - largest).exp()", "(logits - largest)", "exp is missing: you divide the differences by their sum."),
    ([(LARGEST, "logits.amax(dim)"), (SUM, "weights.sum(dim)")], KEEPDIM),
    (SUM, "weights.sum(dim)", KEEPDIM),
    (LARGEST, "logits.amax(dim)", KEEPDIM),
    ("logits - largest", "logits / largest", "you divide by the maximum, which changes the ratios: subtract it."),
]
REFUSED = [
    ("logits - largest", "logits.sub_(largest)", "It changes its input `logits`"),
]
RIGHT = [
    (f"weights / {SUM}", "torch.softmax(logits, dim)"),
    ([("amax(dim", "logsumexp(dim"), (f" / {SUM}", "")]),
    (LARGEST, "logits.max(dim, keepdim=True).values"),
]


def cases(rng: Generator) -> list[tuple]:
    masked = normal(rng, 3, 4)
    masked[0, 2] = masked[2, :3] = -torch.inf
    far_apart = torch.stack([normal(rng, 5) + 900, normal(rng, 5) - 900])
    return [
        (normal(rng, 2, 5), -1),
        (normal(rng, 3, 3, scale=3), 0),
        (normal(rng, 2, 3, 4), 1),
        (torch.tensor([1000.0, 1001.0, 999.0]), -1),
        (torch.tensor([[-200.0, -201.0], [0.0, 0.0]]), -1),
        (far_apart, -1),
        (masked, -1),
        (normal(rng, 4, 1), 1),
    ]


EXERCISE = Exercise(
    reference=softmax,
    minutes=4,
    difficulty=2,
    tolerance=1e-4,  # logits of 1000 are themselves rounded to 6e-5 in fp32
    hints=(
        "What is exp(1000) in fp32, and what is inf / inf?",
        "Adding one number to all logits changes no probability. Which number, subtracted, makes the largest "
        "exponent 0?",
        "Take the maximum along `dim` with `keepdim=True` (`amax`), subtract it, apply `exp`, and divide by the "
        "sum along the same dimension, again with `keepdim=True`.",
    ),
    proves="sums to 1 along any dimension, and survives 1000, −200, rows far apart and −inf",
    properties=[
        Property(
            "no probability is NaN",
            lambda result, *_: not bool(result.isnan().any()),
            "NaN comes from inf / inf, 0 / 0 or inf − inf: look for the step that leaves fp32's range.",
        ),
        Property(
            "what is impossible, with a logit of −inf, has probability 0",
            lambda result, logits, dim: bool((result[logits == -torch.inf] == 0).all()),
        ),
        Property(
            "probabilities sum to 1 along `dim`",
            lambda result, logits, dim: bool(((result.sum(dim) - 1).abs() < 1e-4).all()),
        ),
    ],
)
