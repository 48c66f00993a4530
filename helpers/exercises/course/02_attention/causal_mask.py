"""causal_mask: each query may look at itself and at what came before it."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property


def causal_mask(T: int, S: int) -> Tensor:
    """True where a query may look: at itself and at everything before it.

    The T queries are the last T of S positions.  →  (T, S) bool
    """
    return torch.ones(T, S, dtype=torch.bool).tril(S - T)


ANSWER = """
def causal_mask(T, S):
    return torch.ones(T, S, dtype=torch.bool).tril(S - T)
"""
UPSIDE_DOWN = "this shows the future and hides the past."
SLIPS = [
    ("S - T", "S - T - 1", "off by one: a query may see itself."),
    ("S - T", "S - T + 1", "off by one: each query sees the position after it, the answer itself."),
    ("S - T", "", "with S > T, the queries are the last positions, not the first."),
    ("S - T", "T - S", "the sign is the other way round: the queries come last, so they see S − T keys more."),
    ("tril", "triu", UPSIDE_DOWN),
    ("tril(S - T)", "triu()", UPSIDE_DOWN),
    (".tril(S - T)", "", "nothing is hidden: a query sees what comes after it."),
    ("tril(S - T)", "triu(S - T + 1)", "True means “may look”; yours marks what is hidden."),
    (", dtype=torch.bool", "", "the entries are numbers: ask for booleans, with `dtype=torch.bool`."),
]
REFUSED = [
    ("ones(T, S", "ones(S, S", "The shape of the result is wrong"),
]
RIGHT = [
    ("torch.ones(T, S, dtype=torch.bool).tril(S - T)", "torch.arange(S) <= torch.arange(S - T, S)[:, None]"),
    ("torch.ones(T, S, dtype=torch.bool).tril(S - T)", "torch.ones(S, S, dtype=torch.bool).tril()[S - T :]"),
    """
def causal_mask(T, S):
    return torch.tensor([[s <= t + S - T for s in range(S)] for t in range(T)])
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = [int(n) for n in rng.integers(2, 9, size=4)]
    return [(4, 4), (1, 1), (3, 5), (1, 6), (2, 7), *((n, n) for n in drawn[:2]), *((n, n + 3) for n in drawn[2:])]


EXERCISE = Exercise(
    reference=causal_mask,
    minutes=4,
    difficulty=2,
    hints=(
        "The T queries are the last T of the S positions. At which position stands query number t?",
        "The last query stands at position S − 1 and sees all S positions; each row above it sees one position fewer.",
        "Number the keys 0 to S − 1 in a row and the queries S − T to S − 1 in a column; a key may be seen where "
        "its number is at most the query's. Or keep the lower triangle of a matrix of ones, with its diagonal "
        "moved to the right by S − T (see the argument of `torch.tril`).",
    ),
    proves="each query sees itself and its past, alone, in a full text and after a cache",
    properties=[
        Property("the last query sees everything", lambda mask, T, S: bool(mask[-1].all())),
        Property(
            "each query sees one position more than the one above it",
            lambda mask, T, S: mask.sum(1).tolist() == list(range(S - T + 1, S + 1)),
        ),
    ],
)
