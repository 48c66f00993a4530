"""quantize_rows_absmax: int8 codes, with a scale for each row of weights."""

from __future__ import annotations

import torch
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.quantization import quantize_rows_absmax

from ._shared import normal

ANSWER = """
def quantize_rows_absmax(weight):
    largest = weight.abs().amax(dim=1)
    scale = torch.where(largest > 0, largest / 127, 1.0)
    codes = (weight / scale[:, None]).round().to(torch.int8)
    return codes, scale
"""
SCALE = "torch.where(largest > 0, largest / 127, 1.0)"
ONE_SCALE = "one scale for the whole matrix; each row gets its own."
ABSOLUTE = "you take the largest value; take the largest *absolute* value."
RANGE = "that is half of the range; codes lie evenly around 0, so take the largest *absolute* value."
NO_SCALE = "a row of zeros has nothing to divide by: give it the scale 1."
INVERSE = "you return 127 / largest; codes · scale should give the weights."
SLIPS = [
    ("amax(dim=1)", "amax().expand(len(weight))", ONE_SCALE),
    (
        [("dim=1", "dim=0"), ("scale[:, None]", "scale")],
        "the largest of each column; it must be that of each row, `dim=1`.",
    ),
    ([("amax(dim=1)", "amax()"), ("scale[:, None]", "scale")], ONE_SCALE),
    (
        [("/ 127", "/ 128"), (".round()", ".round().clamp(-128, 127)")],
        "you divide by 128; the largest absolute value becomes 127.",
    ),
    ("/ 127", "/ 128", "128 does not fit into int8, whose largest number is 127."),
    ("/ 127", "/ 255", "255 levels on one side; int8 has 127."),
    (".abs()", "", ABSOLUTE),
    ([(".abs()", ""), (SCALE, "(largest / 127).masked_fill(largest == 0, 1)")], ABSOLUTE),
    ([(".abs()", ""), (SCALE, "largest / 127")], ABSOLUTE),
    *(
        ([("weight.abs().amax(dim=1)", "(weight.amax(dim=1) - weight.amin(dim=1)) / 2"), *also], RANGE)
        for also in ([], [(SCALE, "largest / 127")])
    ),
    (".round()", "", "`.to(torch.int8)` cuts towards zero; round first."),
    (".to(torch.int8)", "", "the codes are still float32: convert them, `.to(torch.int8)`."),
    (".round()", ".floor()", "you round down; round to the nearest."),
    (SCALE, "largest / 127", NO_SCALE),
    (SCALE, "largest.clamp(min=1e-8) / 127", NO_SCALE),
    (
        SCALE,
        "torch.where(largest > 0, largest, 1.0) / 127",
        "a row of zeros gets 1 / 127; it is the *scale* that becomes 1.",
    ),
    ("scale[:, None]", "scale", "to divide the rows, the scales stand in a column: `scale[:, None]`."),
    ("codes, scale", "scale, codes", "the codes come first, then the scales."),
    ("codes, scale", "codes, scale[:, None]", "the scale has the shape (N, 1); it should be (N,)."),
    ("codes, scale", "codes, 1 / scale", INVERSE),
    ([(SCALE, "127 / largest"), ("weight / scale", "weight * scale")], INVERSE),
]
REFUSED = [("codes, scale", "codes", "The kind of the result is wrong")]
RIGHT = [
    """
def quantize_rows_absmax(weight):
    scale = torch.stack([row.abs().max() for row in weight]) / 127
    scale[scale == 0] = 1
    return torch.round(weight / scale.unsqueeze(1)).clamp(-127, 127).to(torch.int8), scale
""",
]


def cases(rng: Generator) -> list[tuple]:
    sizes = torch.tensor([[1e-3], [1.0], [50.0]])
    lopsided = -normal(rng, 4, 6).abs()  # all below zero: the largest is not the farthest
    lonely = normal(rng, 3, 5)
    lonely[1] = 0  # a row of zeros
    return [
        (normal(rng, 3, 8) * sizes,),
        (normal(rng, 5, 5),),  # here a wrong axis keeps the shape
        (lopsided,),
        (lonely,),
        (normal(rng, 1, 7),),
        (normal(rng, 6, 2) * 100,),
    ]


EXERCISE = Exercise(
    reference=quantize_rows_absmax,
    minutes=5,
    difficulty=2,
    hints=(
        "The codes go from −127 to 127. By what do you divide a row so that its largest value just fits?",
        "A row's scale is its largest absolute value / 127. Divide, round, convert to int8. A row of zeros needs "
        "some scale that is not zero.",
        "`weight.abs().amax(dim=1)` gives one number per row, (N,). To divide the rows by it, it needs a second "
        "axis: `[:, None]`. `.round()` comes before `.to(torch.int8)`, which cuts the fraction. A scale "
        "that would be 0 becomes 1.",
    ),
    proves="each row reaches 127 with a scale of its own, small rows, negative rows and rows of zeros included",
)
