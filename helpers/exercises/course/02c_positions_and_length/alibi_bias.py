"""alibi_bias: the table of penalties that one head of ALiBi adds to its scores, with later keys hidden."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise


def alibi_bias(T: int, slope: float) -> Tensor:
    """What one head adds to its scores: −slope × distance for the query itself and keys before it, −∞ for later ones.

    (T, T) float32: queries are rows, keys are columns.
    """
    distance = torch.arange(T)[:, None] - torch.arange(T)  # (T, T), negative for later keys
    return (-slope * distance).masked_fill(distance < 0, -torch.inf)


RESULT = "(-slope * distance).masked_fill(distance < 0, -torch.inf)"
SLIPS = [
    ("(-slope * distance)", "(slope * distance)", "the penalty lowers the scores: it is −slope × distance."),
    (RESULT, "-slope * distance.abs()", "later keys must get −∞; yours get a penalty as if they stood before."),
    (RESULT, "-slope * distance", "later keys must get −∞; yours even get a bonus."),
    (
        ".masked_fill(distance < 0, -torch.inf)",
        ".tril()",
        "later keys get 0, which is no penalty at all; −∞ hides them.",
    ),
    (RESULT, f"({RESULT}).T", "queries and keys are swapped: queries go down, keys across."),
    ("distance < 0", "distance <= 0", "the query sees itself, at a distance of 0."),
    ("-slope * distance", "-slope * (distance + 1)", "the distance of a query to itself is 0, not 1."),
    (
        "-slope * distance",
        "slope * torch.arange(T).expand(T, T)",
        "this adds slope × position; the softmax would not notice the difference, but distances are asked for.",
    ),
    (
        RESULT,
        "-slope * distance + torch.ones(T, T).triu(1) * -torch.inf",
        "0 · −∞ is NaN, not 0: write −∞ into the later keys with masked_fill.",
    ),
    ("-slope * distance", "-distance / slope", "multiply by the slope: a small slope is a small penalty."),
]
REFUSED = [
    (RESULT, f"({RESULT}).double()", "The dtype of the result is wrong"),
]
RIGHT = [
    """
def alibi_bias(T, slope):
    bias = torch.full((T, T), float("-inf"))
    for query in range(T):
        for key in range(query + 1):
            bias[query, key] = -slope * (query - key)
    return bias
""",
    """
def alibi_bias(T, slope):
    at = torch.arange(T, dtype=torch.float32)
    return slope * (at[None, :] - at[:, None]) + torch.full((T, T), -torch.inf).triu(1)
""",
]


def cases(rng: Generator) -> list[tuple]:
    return [(4, 0.25), (int(rng.integers(5, 9)), 0.5), (3, 1 / 256), (1, 0.25), (6, float(rng.uniform(0.1, 0.9)))]


EXERCISE = Exercise(
    reference=alibi_bias,
    minutes=2,
    difficulty=1,
    hints=(
        "Write the row of query 3 by hand, for T = 5 and a slope of 1/4.",
        "A column of query numbers minus a row of key numbers is the table of distances. Where is a key later than the "
        "query?",
        "`torch.arange(T)[:, None] - torch.arange(T)` holds the distances. Multiply by −slope, and fill in −∞ where "
        "the distance is negative with `masked_fill`.",
    ),
    proves="one to eight tokens, steep and flat slopes, nothing seen ahead",
)
