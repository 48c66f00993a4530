"""rms_norm: each vector over the root of the mean of its squares, times a weight."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Divide each vector by the root of (the mean of its squares + eps), then multiply by `weight`.

    x: (…, C), weight: (C,)  →  (…, C)
    """
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


ANSWER = """
def rms_norm(x, weight, eps):
    mean_square = x.pow(2).mean(-1, keepdim=True)
    return x / (mean_square + eps).sqrt() * weight
"""
MEAN = "x.pow(2).mean(-1, keepdim=True)"
VARIANCE = "x.var(-1, keepdim=True, correction=0)"
ROOT = "(mean_square + eps).sqrt()"
DEVIATION = "you divide by the standard deviation; take the mean of squares instead."
CONSTANT = "a constant stands in place of the argument `eps`."
NORM = "you divide by the norm, the root of the *sum* of the squares; here it is the root of their mean."
DIVIDED_BY_ZERO = "at a vector of zeros you divide 0 by 0: add eps under the root."
SLIPS = [
    (
        [(MEAN, VARIANCE), ("return x", "return (x - x.mean(-1, keepdim=True))")],
        "you subtract the mean, which is LayerNorm; RMSNorm leaves it.",
    ),
    (MEAN, VARIANCE, DEVIATION),
    (ROOT, "(x.std(-1, keepdim=True) + eps)", DEVIATION),
    (ROOT, "(mean_square.sqrt() + eps)", "eps is added outside the root; it belongs under it."),
    (".mean(", ".sum(", "you sum the squares; take their mean."),
    ("(mean_square + eps).sqrt()", "(x.norm(dim=-1, keepdim=True) + eps)", NORM),
    ("(mean_square + eps).sqrt()", "x.norm(dim=-1, keepdim=True)", NORM),
    ("mean(-1,", "mean(0,", "the mean runs over the first axis; it must run over the last."),
    ("mean(-1, keepdim=True)", "mean()", "the mean runs over the whole tensor; each vector has its own."),
    (" * weight", "", "the multiplication by `weight` is missing."),
    ("* weight", "* (1 + weight)", "this multiplies by 1 + weight, as Gemma does; here by weight alone."),
    (".sqrt()", "", "the root is missing."),
    ("+ eps", "+ 1e-5", CONSTANT),
    ("+ eps", "+ 1e-6", CONSTANT),
    ("+ eps", "+ 1e-8", CONSTANT),
    ("* weight", "+ weight", "you add `weight`; multiply by it."),
    (
        [("x.pow(2)", "x.abs()"), (".sqrt()", "")],
        "you divide by the mean of the absolute values; square first.",
    ),
    (" + eps", "", DIVIDED_BY_ZERO),
    (
        ", keepdim=True",
        "",
        "the mean loses the last axis, so it no longer stands beside its vector: keep the axis with `keepdim=True`.",
    ),
]
REFUSED = [
    ("x / (mean_square + eps).sqrt()", "x.div_((mean_square + eps).sqrt())", "It changes its input `x`"),
]
RIGHT = [
    ("x / (mean_square + eps).sqrt() * weight", "torch.nn.functional.rms_norm(x, weight.shape, weight, eps)"),
    """
def rms_norm(x, weight, eps):
    return weight * x / torch.sqrt((x * x).sum(-1, keepdim=True) / x.shape[-1] + eps)
""",
]


def cases(rng: Generator) -> list[tuple]:
    shifted = normal(rng, 4, 5) + 3  # here the root mean square is far from the standard deviation
    return [
        (normal(rng, 2, 3, 8), normal(rng, 8), 1e-6),
        (shifted, normal(rng, 5), 1e-5),
        (normal(rng, 3, 3, scale=50), normal(rng, 3), 1e-6),  # here a wrong axis keeps the shape
        (normal(rng, 6, scale=1e-3), torch.ones(6), 1e-6),  # eps is as large as the mean square
        (torch.zeros(2, 4), normal(rng, 4), 1e-5),
        (normal(rng, 2, 1, 7), torch.zeros(7), 0.1),
        (normal(rng, 3, 2, 5), normal(rng, 5), 0.1),  # large enough that a constant in its place shows
    ]


EXERCISE = Exercise(
    reference=rms_norm,
    minutes=2,
    difficulty=1,
    hints=(
        "Root, mean, square: in which order do you compute them?",
        "Square x, take the mean over the last axis (keep the axis), add eps, take the root, and divide.",
        "`x.pow(2).mean(-1, keepdim=True)` has the shape (…, 1). Add `eps` to it *before* `.sqrt()`. Divide x by "
        "that, and multiply by `weight`.",
    ),
    proves="right for any shape, far from zero, near zero and at zero",
    properties=[
        Property("no number is NaN", lambda result, *_: not bool(result.isnan().any()), DIVIDED_BY_ZERO),
    ],
)
