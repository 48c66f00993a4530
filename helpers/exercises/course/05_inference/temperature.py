"""temperature: scores are divided by t, so that a high temperature evens the odds out."""

from __future__ import annotations

import torch
from numpy.random import Generator

from helpers.exercises.checking.spec import BadInput, Exercise
from helpers.generation.sampling import temperature

from ._shared import PROBABILITIES, TAKES_NO_IDS, drive_transform, normal

ANSWER = """
def temperature(t):
    if t <= 0:
        raise ValueError("a temperature is above 0")
    return lambda logits, ids=None: logits / t
"""
SLIPS = [
    ("logits / t", "logits * t", "you multiply by t, so that high temperatures sharpen: divide."),
    ("logits / t", "(logits / t).softmax(-1)", PROBABILITIES),
    ("logits / t", "logits.softmax(-1) / t", "you divide probabilities: divide logits."),
    (
        "logits / t",
        "(logits / t).log_softmax(-1)",
        "you return log-probabilities; give the divided logits as they are.",
    ),
    (" / t", "", "the logits come back as they were."),
]
REFUSED = [
    ("t <= 0", "False", "nothing can be divided by 0"),
    ("t <= 0", "t == 0", "turns the order around"),
    (", ids=None", "", TAKES_NO_IDS),
    ("logits / t", "logits.div_(t)", "It changes its input `logits`"),
    ("(t):", "(t, logits):", "must take (t)"),
    ("lambda logits, ids=None: ", "", "It stops with an error when called as `temperature(2.0)("),
    ("return lambda", "keep = lambda", "Did you forget `return`?"),
]
RIGHT = [
    ("logits / t", "logits * (1 / t)"),
    """
def temperature(t):
    if not t > 0:
        raise ValueError(f"{t} is no temperature: use greedy for 0")
    def cool(logits, ids=None):
        return logits / t
    return cool
""",
]


def cases(rng: Generator) -> list[tuple]:
    removed = normal(rng, 2, 4)
    removed[0, 1] = -torch.inf
    return [
        (2.0, normal(rng, 1, 5)),
        (0.5, normal(rng, 3, 4, scale=5)),
        (1.0, normal(rng, 2, 3)),
        (0.1, normal(rng, 2, 6)),
        (1.7, removed),
        (0.7, normal(rng, 1, 7) + 300),
        (1.3, normal(rng, 2, 4), torch.tensor([[0, 2], [3, 3]])),  # a sampler hands over the text so far
    ]


EXERCISE = Exercise(
    minutes=2,
    difficulty=1,
    reference=temperature,
    drive=drive_transform,
    first_call=1,
    hints=(
        "Which operation brings scores closer together when t is large?",
        "Divide the logits by t. What you return is a function of logits, not a number.",
        "First refuse t ≤ 0 with `raise ValueError(...)`. Then return a `lambda` with the arguments `logits` and "
        "`ids=None` that gives the logits, divided by t.",
    ),
    proves="flatter above 1, sharper below, unchanged at 1, and 0 refused",
    raises=[
        BadInput((0.0, torch.ones(1, 2)), ValueError, "nothing can be divided by 0"),
        BadInput((-1.0, torch.ones(1, 2)), ValueError, "a negative temperature turns the order around"),
    ],
)
