"""least_trained: rows near those that no training step has moved belong to tokens that were hardly trained."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property


def least_trained(table: Tensor, unused: Sequence[int], k: int) -> list[int]:
    """The `k` ids nearest to the mean of the rows in `unused`, nearest first, without `unused`.

    table: (V, d) floats, a row for each id; distance is the Euclidean one.
    """
    distance = (table - table[list(unused)].mean(dim=0)).norm(dim=1)  # (V, d) − (d,) → (V,)
    distance[list(unused)] = math.inf
    return distance.argsort()[:k].tolist()


ANSWER = """
def least_trained(table, unused, k):
    distance = (table - table[unused].mean(dim=0)).norm(dim=1)  # (V, d) − (d,) → (V,)
    order = distance.argsort().tolist()
    return [i for i in order if i not in unused][:k]
"""
CENTER = "table[unused].mean(dim=0)"
DISTANCE = "(table - table[unused].mean(dim=0)).norm(dim=1)"
WITHOUT = "[i for i in order if i not in unused]"
STAND_IN = "a real distance may be larger than your stand-in: use math.inf."
SLIPS = [
    (WITHOUT, "order", "leave the known ones out by their ids, before you cut after k."),
    ("argsort()", "argsort(descending=True)", "these lie farthest away; the nearest are asked for."),
    (DISTANCE, "table.norm(dim=1)", "this sorts by the norm; take the distance to the unused rows."),
    (
        CENTER,
        "table.mean(dim=0)",
        "this is the distance to the mean of the whole table; take the mean of the rows in `unused`.",
    ),
    (CENTER, "table[unused[0]]", "only the first unused row is used; take the mean of all."),
    (
        DISTANCE,
        "-torch.nn.functional.cosine_similarity(table, table[unused].mean(dim=0, keepdim=True))",
        "this compares directions (cosine); take the distance.",
    ),
    (
        WITHOUT + "[:k]",
        "[i for i in order[:k] if i not in unused]",
        "you cut after k before leaving out `unused`, so some are missing.",
    ),
    (WITHOUT, "order[len(unused):]", "the first places are not always the known ones; leave them out by id."),
    (
        [
            (
                "order = distance.",
                "keep = [i for i in range(len(table)) if i not in unused]\n    order = distance[keep].",
            ),
            (WITHOUT, "order"),
        ],
        "these are positions in the table without the unused rows; ids count in the whole table.",
    ),
    ([("order = ", "distance[unused] = 1.0\n    order = "), (WITHOUT, "order")], STAND_IN),
    ([("order = ", "distance[unused] = 10.0\n    order = "), (WITHOUT, "order")], STAND_IN),
    ([("order = ", "distance[unused] = 1e6\n    order = "), (WITHOUT, "order")], STAND_IN),
    (CENTER, "table[unused].sum(dim=0)", "this is the distance to the sum of the rows; take their mean."),
    (
        DISTANCE,
        "(table - table[unused].mean(dim=0)).abs().sum(dim=1)",
        "this adds up absolute differences; take the Euclidean distance.",
    ),
    (
        DISTANCE,
        "torch.cdist(table, table[unused]).min(dim=1).values",
        "this is the distance to the nearest of the unused rows; take the distance to their mean.",
    ),
]
REFUSED = [
    ("return " + WITHOUT + "[:k]", "return torch.tensor(" + WITHOUT + "[:k])", "The kind of the result is wrong"),
    (
        WITHOUT + "[:k]",
        "[float(distance[i]) for i in order if i not in unused][:k]",
        "The dtype of the result is wrong",
    ),
    ("    return", "   ", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    (DISTANCE, "((table - table[unused].mean(dim=0)) ** 2).sum(dim=1)"),
    """
def least_trained(table, unused, k):
    distance = torch.cdist(table, table[list(unused)].mean(0, keepdim=True))[:, 0]
    distance[list(unused)] = float("inf")
    return distance.topk(k, largest=False).indices.tolist()
""",
]


def cases(rng: Generator) -> list[tuple]:
    def rows(*values: tuple[float, float]) -> Tensor:
        return torch.tensor(values)

    def case(size: int, width: int, unused: Sequence[int], k: int, shift: float) -> tuple:
        table = torch.tensor(rng.normal(size=(size, width)) + shift, dtype=torch.float32)
        center = torch.tensor(rng.normal(size=width) + 3 * shift, dtype=torch.float32)
        near = [*unused, *(int(i) for i in rng.choice(size, size=size // 4, replace=False))]
        for n, i in enumerate(near):
            table[i] = center + (0.02 + 0.05 * n) * torch.tensor(rng.normal(size=width), dtype=torch.float32)
        return table, unused, k

    return [
        # the mean of rows 1 and 3 is (1, 0): row 4 lies nearer to it than these two, then comes row 0
        (rows((3, 2), (0, 0), (4, 0), (2, 0), (1, -0.5)), [1, 3], 2),
        (rows((0, 3), (0, 0), (4e7, 0), (0, -3e7)), [1], 3),  # distances beyond any stand-in for infinity
        case(20, 4, [3, 7, 11], 4, 1.0),
        case(40, 6, [0, 1], 5, 0.5),
        case(30, 2, [29], 3, 2.0),
        case(12, 3, [5, 2, 8], 9, 1.0),
        case(25, 5, [4, 9], 1, 1.5),
    ]


EXERCISE = Exercise(
    reference=least_trained,
    minutes=3,
    difficulty=2,
    hints=(
        "What do rows that never occurred in training have in common, and where is their middle?",
        "You need one point, one number for each row, and an order; ids that you knew before are no find.",
        "Take the mean of the rows in `unused`, then the distance of every row to it: "
        "`(table - center).norm(dim=1)` with `center = table[unused].mean(dim=0)`. Sort with `argsort()`, leave "
        "out the ids in `unused`, cut after k with `[:k]`; a list of ints is asked for.",
    ),
    proves="the nearest to the unused rows come first, without these, for one unused row or several",
    properties=[
        Property(
            "none of the ids in `unused` is in the result",
            lambda result, table, unused, k: not set(result) & set(unused),
            "leave the known ones out by their ids, before you cut after k.",
        ),
    ],
)
