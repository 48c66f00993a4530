"""choose_layer: the first layer at which a swap turns enough of the pairs."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property


def choose_layer(turned: Tensor, share: float) -> int | None:
    """Index of the first column in which at least `share` of the rows are True, or None if there is none.

    turned: (n, layers) bool, a row per swap and a column per layer, True where the model gave the other answer.
    """
    shares = turned.double().mean(0)  # (layers,)
    good = (shares >= share - 1e-9).nonzero()
    return int(good[0]) if len(good) else None


ANSWER = """
def choose_layer(turned, share):
    shares = turned.double().mean(0)
    for layer in range(len(shares)):
        if shares[layer] >= share:
            return layer
    return None
"""
LARGEST = "you take the layer with the largest share; the first that is enough will do."
SLIPS = [
    (">= share", "> share", "exactly `share` of the pairs is enough: use >=."),
    (
        "range(len(shares))",
        "reversed(range(len(shares)))",
        "you take the last layer that is enough; the first is asked for.",
    ),
    ("return layer", "return int(shares.argmax())", LARGEST),
    (
        """
def choose_layer(turned, share):
    return int(turned.double().mean(0).argmax())
""",
        LARGEST,
    ),
    ("turned.double()", "(~turned).double()", "you count the pairs that have not turned."),
    (">= share", "> 0", "one pair that turns is not enough: compare the mean over the pairs with `share`."),
    (
        "shares[layer] >= share",
        "(shares[layer:] >= share).all()",
        "you ask that it stays so in later layers; the first that is enough will do.",
    ),
    ("mean(0)", "mean(1)", "you take the share over the layers; take it over the pairs."),
    ("return layer", "return layer + 1", "you count layers from 1; the first one is 0."),
    (
        """
def choose_layer(turned, share):
    shares = turned.double().mean(0)
    return int((shares >= share).double().argmax())
""",
        "where no layer is enough, return None; `argmax` gives 0 where nothing is True.",
    ),
    ("return None", "return -1", "where no layer is enough, return None."),
]
REFUSED = [
    (".double()", "", "It stops with an error when called as"),
    ([("mean(0)", "mean(1)"), ("len(shares)", "turned.shape[1]")], "It stops with an error when called as"),
    ("return None", "return len(shares)", "A property does not hold: the answer is the number of a layer, or None"),
]
RIGHT = [
    """
def choose_layer(turned, share):
    for layer, column in enumerate(turned.T.tolist()):
        if sum(column) >= share * len(column) - 1e-6:
            return layer
""",
    ("double", "float"),
]


def cases(rng: Generator) -> list[tuple]:
    def turning(pairs: int, layers: int, width: float) -> Tensor:
        at = torch.tensor(rng.normal(layers / 2, width, size=(pairs, 1)), dtype=torch.float32)
        return torch.arange(layers) > at

    def table(*rows: str) -> Tensor:
        return torch.tensor([[mark == "x" for mark in row] for row in rows])

    return [
        (turning(6, 12, 0.5), 0.9),
        (turning(5, 9, 2.0), 0.6),
        (turning(12, 30, 3.0), 1.0),
        (table("..x", "..x", ".x.", ".xx"), 0.5),  # exactly half of them turn at layer 1
        (table("..x", "..x", ".x.", ".xx"), 0.8),
        (table("x.x", "..x", "..x"), 0.6),
        (table("....", "....", "...."), 0.5),
        (table("xxx", "xxx"), 1.0),
        (table(".x.x", ".x.x"), 0.9),  # layer 2 turns them back
        (table(".xx", "..x", "..."), 0.9),  # no layer, and the shares differ
        (table("..x.", "..x.", "...x", "...x", "...x"), 0.4),
    ]


EXERCISE = Exercise(
    reference=choose_layer,
    minutes=3,
    difficulty=2,
    hints=(
        "For one layer, which share of the pairs has turned?",
        "`turned` is a table of True and False. Its mean over the pairs is one share for each layer.",
        "Turn the table into numbers with `.double()` and take `.mean(0)`. Loop over the layers and return the "
        "first whose share is at least `share`; after the loop, return None.",
    ),
    proves="the first layer that is enough, at the very share, and None where none is",
    properties=[
        Property(
            "the answer is the number of a layer, or None",
            lambda found, turned, share: found is None or 0 <= found < turned.shape[1],
        ),
    ],
)
