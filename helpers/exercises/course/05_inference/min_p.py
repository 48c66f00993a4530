"""min_p: what is p times less likely than the likeliest of its row goes."""

from __future__ import annotations

import math

import torch
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.generation.sampling import min_p

from ._shared import PROBABILITIES, RENORMALIZED, TAKES_NO_IDS, ZERO, drive_transform, logits_of, normal

ANSWER = """
def min_p(p):
    def keep(logits, ids=None):
        weights = logits.softmax(-1)
        limit = p * weights.amax(-1, keepdim=True)
        return logits.masked_fill(weights < limit, -torch.inf)
    return keep
"""
LIMIT = "p * weights.amax(-1, keepdim=True)"
LIKELY = "you remove the likely tokens."
SLIPS = [
    (LIMIT, "p", "p itself is your limit; it is p times the likeliest's probability."),
    ("amax(-1, keepdim=True)", "amax()", "the limit comes from the whole batch; each row has its own."),
    ("-torch.inf", "0.0", ZERO),
    ("-torch.inf", "-1e4", "-1e4 is a logit as any other; use -inf, whose probability is 0."),
    ("-torch.inf", "-1e9", "-1e9 is a logit as any other; use -inf, whose probability is 0."),
    ("logits.softmax(-1)", "logits", "you compare logits; the limit is about probabilities."),
    ("weights < limit", "weights > limit", LIKELY),
    ("weights < limit", "weights >= limit", LIKELY),
    ("weights < limit", "weights <= limit", "with p = 1 the likeliest must stay: compare with <, not ≤."),
    ("softmax(-1)", "exp()", "exp of a logit above 88 is infinite in float32: use softmax."),
    ("softmax(-1)", "softmax(0)", "your softmax runs along the batch; each row has its own (-1)."),
    ("amax(-1", "amax(0", "your maximum is the one of a column; take each row's own (-1)."),
    ("weights.amax", "logits.amax", "you compare probabilities with p times the largest logit."),
    (LIMIT, "weights.amax(-1, keepdim=True) - p", "you subtract p from the largest probability: multiply."),
    ("p * weights", "(1 - p) * weights", "your limit is 1 − p times the likeliest; it is p times it."),
    ("logits.masked_fill", "weights.masked_fill", PROBABILITIES),
    ([("logits.masked_fill", "weights.masked_fill"), ("-torch.inf", "0.0")], PROBABILITIES),
    ("-torch.inf)", "-torch.inf).log_softmax(-1)", RENORMALIZED),
]
REFUSED = [
    (", ids=None", "", TAKES_NO_IDS),
    (", keepdim=True", "", "It stops with an error when called as `min_p(0.5)("),
]
RIGHT = [
    """
def min_p(p):
    def keep(logits, ids=None):
        least = math.log(p) if p > 0 else -math.inf
        return logits.masked_fill(logits < logits.amax(-1, keepdim=True) + least, -math.inf)
    return keep
""",
]


def cases(rng: Generator) -> list[tuple]:
    return [
        (0.3, logits_of([0.1, 0.5, 0.2, 0.2])),  # 0.2 is above 0.3 · 0.5, and below 0.3
        (0.5, logits_of([0.05, 0.9, 0.05], [0.3, 0.36, 0.34])),  # a sure row and an unsure one
        (1.0, torch.tensor([[1.0, 3.0, 3.0, 0.0]])),  # equals the likeliest
        (0.0, normal(rng, 2, 4)),
        (0.1, normal(rng, 3, 12, scale=2)),
        (0.05, normal(rng, 2, 40, scale=3) - 20),
        (0.2, normal(rng, 1, 6) + 5),
        (0.1, torch.tensor([[100.0, 95.0, 99.0]])),  # exp of these is infinite in float32
        (0.4, normal(rng, 2, 5), torch.tensor([[0, 2], [3, 3]])),
    ]


EXERCISE = Exercise(
    minutes=2,
    difficulty=2,
    reference=min_p,
    drive=drive_transform,
    first_call=1,
    hints=(
        "Compared with what is a token too unlikely?",
        "Take the softmax. A token goes if its probability is below p times the largest in its row.",
        "`probabilities.amax(-1, keepdim=True)` is the largest of each row. Compare with `<`, so that the "
        "likeliest itself stays at p = 1, and fill those places of the *logits* with -inf.",
    ),
    proves="few tokens where the model is sure, many where it is not",
    properties=[
        Property(
            "each row keeps its likeliest token",
            lambda result, p, logits, ids=None: bool((result.amax(-1) == logits.amax(-1)).all()),
        ),
    ],
)
