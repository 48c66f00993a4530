"""swiglu: widen twice, gate one copy by the other, narrow."""

from __future__ import annotations

from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

from helpers.exercises.checking.spec import Exercise

from ._shared import normal


def swiglu(x: Tensor, gate: Tensor, up: Tensor, down: Tensor) -> Tensor:
    """Widen each token's vector twice, multiply the two wide copies, one of them through silu, and narrow.

    x: (…, C); gate, up: (d_ff, C); down: (C, d_ff), as `nn.Linear` stores them  →  (…, C)
    """
    return F.linear(F.silu(F.linear(x, gate)) * F.linear(x, up), down)


ANSWER = """
def swiglu(x, gate, up, down):
    opened = F.silu(x @ gate.T)
    wide = x @ up.T
    return (opened * wide) @ down.T
"""
ON_UP = "silu is on the copy of `up`; the gate goes through it, the other copy does not."
TRANSPOSED = "the matrices are stored with outputs first, as (d_ff, C): x needs the transpose, as in `x @ gate.T`."
SLIPS = [
    ([("F.silu(x @ gate.T)", "x @ gate.T"), ("wide = x @ up.T", "wide = F.silu(x @ up.T)")], ON_UP),
    ("wide = x @ up.T", "wide = F.silu(x @ up.T)", "both copies go through silu; only the gate does."),
    ("F.silu(x @ gate.T)", "x @ gate.T", "silu is missing: the gate goes through it."),
    (
        "F.silu(x @ gate.T)",
        "F.sigmoid(x @ gate.T)",
        "the gate goes through sigmoid alone, which is GLU; silu(z) is z · sigmoid(z).",
    ),
    ("F.silu", "F.relu", "the gate goes through ReLU, which is ReGLU; here silu."),
    ("F.silu", "F.gelu", "the gate goes through GELU, which is GEGLU; here silu."),
    ("opened * wide", "opened + wide", "you add the two copies; multiply them."),
    ("opened * wide", "opened", "the copy of `up` is not used: multiply the opened gate by it."),
    ("opened * wide", "F.silu(wide)", "the gate is not used: this is the plain feed-forward network."),
    (
        "(opened * wide) @ down.T",
        "F.silu((x @ gate.T) * wide) @ down.T",
        "silu comes before the product, on the gate alone.",
    ),
    ("(opened * wide) @ down.T", "opened * wide", "the vector stays wide: the product with `down` is missing."),
    ("gate.T", "gate", TRANSPOSED),
    ("up.T", "up", TRANSPOSED),
    ("down.T", "down", "`down` is stored as (C, d_ff): the product needs its transpose, `down.T`."),
    ("@ down.T", "@ down.T + x", "you add x; that is the block's task, behind this function."),
]
REFUSED = [
    ("return (opened * wide) @ down.T", "(opened * wide) @ down.T", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    """
def swiglu(x, gate, up, down):
    return F.linear(F.silu(F.linear(x, gate)) * F.linear(x, up), down)
""",
    """
def swiglu(x, gate, up, down):
    z = x @ gate.T
    return (z * F.sigmoid(z) * (x @ up.T)) @ down.T
""",
]


def cases(rng: Generator) -> list[tuple]:
    shapes = [((2, 3), 4, 7), ((1, 5), 6, 9), ((3,), 5, 2), ((), 3, 8), ((2, 1, 2), 2, 5)]
    return [
        (normal(rng, *shape, C), normal(rng, d_ff, C), normal(rng, d_ff, C), normal(rng, C, d_ff))
        for shape, C, d_ff in shapes
    ]


EXERCISE = Exercise(
    reference=swiglu,
    minutes=3,
    difficulty=2,
    hints=(
        "Two wide copies of x, one of which decides how much of the other comes through. What is done to each of them?",
        "`x @ gate.T` has the shape (…, d_ff), and so has `x @ up.T`. silu goes on the first one alone; then an "
        "element-wise product.",
        "Compute `F.silu(x @ gate.T)`, multiply it by `x @ up.T`, and multiply the product with `down.T` as matrices, "
        "which brings it back to C numbers.",
    ),
    proves="right for any leading shape, wider and narrower than x",
)
