"""nf4_levels: sixteen values that lie as densely as a bell curve does, with an exact zero."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property


def nf4_levels(outermost: float) -> Tensor:
    """The 16 values of NF4, ascending, from −1 to 1: (16,) float32.

    outermost: the largest probability, above 0.5. The upper half takes the normal quantiles of 9 probabilities spaced
    evenly from 0.5 to outermost, the lower half mirrors those of 8; both hold 0, which stays once.
    """
    upper = torch.special.ndtri(torch.linspace(0.5, outermost, 9))
    lower = -torch.special.ndtri(torch.linspace(0.5, outermost, 8))
    levels = torch.cat((lower[1:].flip(0), upper))
    return levels / levels.max()


UPPER, LOWER = "torch.linspace(0.5, outermost, 9)", "torch.linspace(0.5, outermost, 8)"
JOINED, SCALED = "torch.cat((lower[1:].flip(0), upper))", "levels / levels.max()"
SLIPS = [
    (JOINED, "torch.cat((lower.flip(0), upper))", "zero stands there twice: that makes 17 values."),
    (JOINED, "torch.cat((lower[1:], upper))", "they do not ascend: turn the lower half around, `.flip(0)`."),
    (SCALED, "levels", "the largest value has to be 1: divide by it."),
    (SCALED, "levels / levels.abs().sum()", "the largest value has to be 1: divide by it."),
    (
        [(UPPER, LOWER), (LOWER, UPPER)],
        "the halves are exchanged: the upper one has 9 probabilities, the lower one 8.",
    ),
    (
        [(UPPER, "torch.linspace(0.5, 1.0, 9)"), (LOWER, "torch.linspace(0.5, 1.0, 8)")],
        "the quantile of probability 1 is infinite: end at `outermost`.",
    ),
    (
        [(f"torch.special.ndtri({UPPER})", UPPER), (f"-torch.special.ndtri({LOWER})", f"-{LOWER}")],
        "these are probabilities; `torch.special.ndtri` gives the quantiles that belong to them.",
    ),
    (
        [
            ("torch.special.ndtri(torch.linspace(0.5, outermost, 9))", "torch.linspace(0, 1, 9)"),
            ("torch.special.ndtri(torch.linspace(0.5, outermost, 8))", "torch.linspace(0, 1, 8)"),
        ],
        "these are even steps; a bell curve wants them dense near 0: take normal quantiles.",
    ),
    (
        [(UPPER, "torch.linspace(0.5, outermost, 9).exp()"), (LOWER, "torch.linspace(0.5, outermost, 8).exp()")],
        "a probability above 1 has no quantile: use the probabilities as they are.",
    ),
    (
        [(JOINED, "torch.special.ndtri(torch.linspace(1 - outermost, outermost, 16))")],
        "one even spread over both halves has no exact 0: build the two halves apart.",
    ),
]
RIGHT = [
    """
def nf4_levels(outermost):
    def half(n):
        return torch.special.ndtri(torch.linspace(0.5, outermost, n, dtype=torch.float64))[1:]
    levels = torch.cat((-half(8), torch.zeros(1, dtype=torch.float64), half(9))).sort().values
    return (levels / levels.abs().max()).float()
""",
    """
def nf4_levels(outermost):
    normal = torch.distributions.Normal(0.0, 1.0)
    upper = normal.icdf(torch.linspace(outermost, 0.5, 9))
    lower = normal.icdf(torch.linspace(1 - outermost, 0.5, 8))
    return torch.cat((lower, upper[:-1].flip(0))) / upper[0]
""",
]


def cases(rng: Generator) -> list[tuple]:
    return [(0.9677083,), (0.9,), (0.99,), (0.75,), (float(rng.uniform(0.6, 0.999)),)]


EXERCISE = Exercise(
    reference=nf4_levels,
    minutes=6,
    difficulty=2,
    hints=(
        "`torch.special.ndtri(p)` is the number below which a share p of a bell curve lies. Of which p is it 0?",
        "Make two lists of probabilities, both from 0.5 to outermost, one of 9 and one of 8. Their quantiles begin at "
        "0. The second list becomes the lower half with a minus sign.",
        "The lower half loses its first value, since 0 is in the upper one, and is turned around (`.flip(0)`) to "
        "ascend. Join the two: 7 + 9 values. Then divide all by the largest one.",
    ),
    proves="sixteen ascending values from −1 to 1, with one exact zero, for every outermost probability",
    properties=[
        Property(
            "an exact 0 is among them",
            lambda levels, *_: not isinstance(levels, Tensor) or bool((levels == 0).any()),
            "one even spread over both halves has no exact 0: build the two halves apart.",
        ),
    ],
    tolerance=1e-5,
)
