"""choose_layer: the first layer at which a swap turns enough of the pairs."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal


def choose_layer(differences: Tensor, share: float) -> int | None:
    """First layer at which a swap turns at least `share` of the pairs, or None where no layer does.

    differences: (pairs, layers), a pair's logit difference after the swap at that layer; below 0 means turned.
    """
    turned = (differences < 0).float().mean(0)  # (layers,)
    good = (turned >= share).nonzero()
    return int(good[0]) if len(good) else None


ANSWER = """
def choose_layer(differences, share):
    turned = (differences < 0).float().mean(0)
    for layer in range(len(turned)):
        if turned[layer] >= share:
            return layer
    return None
"""
LARGEST = "you take the layer with the largest share; the first that is enough will do."
SLIPS = [
    (
        [("(differences < 0).float()", "differences"), (">= share", "< 0")],
        "you ask whether the mean is below 0, so one pair can outvote the rest.",
    ),
    (">= share", "> share", "exactly `share` of the pairs is enough: use >=."),
    (
        "range(len(turned))",
        "reversed(range(len(turned)))",
        "you take the last layer that is enough; the first is asked for.",
    ),
    ("return layer", "return int(turned.argmax())", LARGEST),
    (
        """
def choose_layer(differences, share):
    return int((differences < 0).float().mean(0).argmax())
""",
        LARGEST,
    ),
    ("differences < 0", "differences > 0", "you count the pairs that are still above 0."),
    (">= share", "> 0", "one pair that turns is not enough: compare their share with `share`."),
    (
        "turned[layer] >= share",
        "(turned[layer:] >= share).all()",
        "you ask that it stays so in later layers; the first that is enough will do.",
    ),
    ("mean(0)", "mean(1)", "you take the share over the layers; take it over the pairs."),
    ("differences < 0", "differences <= 0", "a difference of exactly 0 is not below 0."),
    ("return layer", "return layer + 1", "you count layers from 1; the first one is 0."),
    (
        """
def choose_layer(differences, share):
    turned = (differences < 0).float().mean(0)
    return int((turned >= share).float().argmax())
""",
        "where no layer is enough, return None; `argmax` gives 0 where nothing is True.",
    ),
    ("return None", "return -1", "where no layer is enough, return None."),
]
REFUSED = [
    (".float()", "", "It stops with an error when called as"),
    ([("mean(0)", "mean(1)"), ("len(turned)", "differences.shape[1]")], "It stops with an error when called as"),
    ("return None", "return len(turned)", "A property does not hold: the answer is the number of a layer, or None"),
]
RIGHT = [
    """
def choose_layer(differences, share):
    rows = differences.tolist()
    for layer, column in enumerate(zip(*rows)):
        if sum(value < 0 for value in column) >= share * len(column) - 1e-6:
            return layer
""",
]


def cases(rng: Generator) -> list[tuple]:
    def turning(pairs: int, layers: int, width: float) -> Tensor:
        at = torch.tensor(rng.normal(layers / 2, width, size=(pairs, 1)), dtype=torch.float32)
        return 5 * torch.tanh(at - torch.arange(layers)) + normal(rng, pairs, layers, scale=0.3)

    lonely = torch.tensor([[4.0, 3.0, -9.0], [2.0, 2.0, -1.0], [1.0, -0.5, 1.0], [3.0, -0.5, 2.0]])
    return [
        (turning(6, 12, 0.5), 0.9),
        (turning(5, 9, 2.0), 0.6),
        (turning(12, 30, 3.0), 1.0),
        (lonely, 0.5),  # exactly half of them turn at layer 1
        (lonely, 0.8),
        (torch.tensor([[-100.0, 1.0, -1.0], [1.0, 1.0, -1.0], [1.0, 1.0, -1.0]]), 0.6),  # one pair rules the mean
        (torch.full((3, 4), 2.0), 0.5),
        (torch.full((2, 3), -1.0), 1.0),
        (torch.tensor([[0.0, -1.0]]), 1.0),
        (torch.tensor([[4.0, -2.0, 1.0, -3.0], [3.0, -1.0, 2.0, -2.0]]), 0.9),  # layer 2 turns them back
        (torch.tensor([[3.0, -1.0, -1.0], [3.0, 1.0, -1.0], [3.0, 1.0, 1.0]]), 0.9),  # no layer, and the shares differ
    ]


EXERCISE = Exercise(
    reference=choose_layer,
    minutes=3,
    difficulty=2,
    hints=(
        "For one layer, which share of the pairs has turned?",
        "`differences < 0` is a table of True and False. Its mean over the pairs is one share for each layer.",
        "Turn the table into numbers with `.float()` and take `.mean(0)`. Loop over the layers and return the "
        "first whose share is at least `share`; after the loop, return None.",
    ),
    proves="the first layer that is enough, at the very share, and None where none is",
    properties=[
        Property(
            "the answer is the number of a layer, or None",
            lambda found, differences, share: found is None or 0 <= found < differences.shape[1],
        ),
    ],
)
