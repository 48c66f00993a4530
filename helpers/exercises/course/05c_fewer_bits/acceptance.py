"""acceptance: which drafts are kept, and what is drawn instead, so that the model's own distribution comes out."""

from __future__ import annotations

from collections.abc import Callable

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal


def acceptance(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    """The probability with which each drafted token is kept, and what to draw from after a refusal.

    p, q: (V,), the model's and the draft's probabilities  →  keep (V,), each in 0 … 1, and rest (V,), which sums to 1
    """
    keep = (p / q).clamp(max=1)  # where q is 0, nothing is drafted
    excess = (p - q).clamp(min=0)  # what is drafted too rarely
    rest = excess / excess.sum() if excess.any() else p
    return keep, rest


KEEP, EXCESS, REST = "(p / q).clamp(max=1)", "(p - q).clamp(min=0)", "excess / excess.sum() if excess.any() else p"
NOTHING_LEFT = (" if excess.any() else p", "")  # 0 / 0 where p and q are equal
EQUAL = "where p and q are equal nothing is left that a sum could divide: give p there."
TOO_OFTEN = "you draw what is drafted too often; draw what is drafted too rarely."
WRONG_RULES = [
    (KEEP, "p", "you keep with probability p; q has already drawn the token: divide by it."),
    (KEEP, "torch.minimum(p, q)", "that is how often a token is drafted *and* kept; q has drawn: divide by it."),
    ("(p / q)", "(q / p)", "the fraction is upside down: p / q."),
    (".clamp(max=1)", "", "that is a probability above 1: clamp it to at most 1."),
    (KEEP, "(p >= q).float()", "you never keep what is drafted too often; keep it now and then."),
    (KEEP, "1 - q", "the probability to keep has to depend on what the model wants."),
    (KEEP, "p / (p + q)", "that is one half where p and q are equal; such a draft is always kept."),
    (EXCESS, "p", "after a refusal you draw from p, so likely tokens come twice as often."),
    (EXCESS, "(p - q).abs()", "what is drafted too often is drawn again; set negatives to 0."),
    (EXCESS, "(q - p).clamp(min=0)", "the difference is upside down: p − q."),
    (EXCESS, "p - q", "there are negative probabilities: set them to 0."),
    (EXCESS, "(p - q).softmax(0)", "a softmax gives every token a share; set negatives to 0, divide by the sum."),
    (EXCESS, "1 - keep", TOO_OFTEN),
    (EXCESS, "p * (1 - keep)", TOO_OFTEN),
    (" / excess.sum()", "", "`rest` does not sum to 1: divide by its sum."),
]
SLIPS = [
    ("keep, rest", "keep", "two tensors are asked for: `return keep, rest`."),
    ("return keep, rest", "return rest, keep", "the probabilities to keep come first, then `rest`."),
    (
        KEEP,
        "(torch.rand(len(p)) < p / q).float()",
        "you draw whether each is kept; give the probability, `check` does the drawing.",
    ),
    *WRONG_RULES,
    *(([(old, new), NOTHING_LEFT], cause) for old, new, cause in WRONG_RULES),  # two slips at once
    (*NOTHING_LEFT, EQUAL),
]
REFUSED = [
    (REST, "p - q", "add up to the model's probabilities"),
    (REST, "excess / (excess.sum() + 1e-9)", "There, p and q are equal, and `rest` sums to 0."),
]
RIGHT = [
    ("else p", "else torch.ones_like(p) / len(p)"),
    """
def acceptance(p, q):
    keep = torch.where(p >= q, 1.0, p / q)
    rest = p - torch.minimum(p, q)
    total = rest.sum()
    return keep, rest / total if total > 0 else p.clone()
""",
]


def drive(rule: Callable, p: Tensor, q: Tensor) -> tuple[Tensor, Tensor] | object:
    """What `rule` gives, where it matters: keep where something is drafted.

    Where nothing is refused, every rest that sums to 1 is as good as p.
    """
    result = rule(p, q)
    if not (isinstance(result, tuple | list) and len(result) == 2 and all(isinstance(r, Tensor) for r in result)):
        return result
    keep, rest = result
    if keep.shape != q.shape or rest.shape != p.shape:
        return keep, rest
    keep = torch.where(q > 0, keep.float(), 0.0)
    refused = 1 - float((q * (p / q).clamp(max=1).nan_to_num()).sum())
    as_good = refused < 1e-6 and bool((rest >= 0).all()) and sums_to_one(rest)
    return keep, p.clone() if as_good else rest.float()


def sums_to_one(chances: Tensor) -> bool:
    return abs(float(chances.sum()) - 1) < 1e-4  # False for NaN


def cases(rng: Generator) -> list[tuple]:
    def chances(n: int, spread: float = 1.0) -> Tensor:
        return (normal(rng, n) * spread).softmax(0)

    certain = torch.zeros(6)
    certain[2] = 1  # prompt lookup: one token, without doubt
    cut = chances(6)
    cut[3:] = 0  # top-p took these away from the model
    even = chances(5)
    return [
        (chances(8), chances(8)),
        (chances(6, 2.0), certain),
        (cut / cut.sum(), chances(6)),
        (torch.tensor([0.5, 0.3, 0.2, 0.0]), torch.tensor([0.2, 0.2, 0.2, 0.4])),
        (even, even),
        (chances(12, 3.0), chances(12, 0.3)),
    ]


def comes_out(result: tuple[Tensor, Tensor], p: Tensor, q: Tensor) -> Tensor:
    """The distribution of what is written: kept drafts, and draws after refusals."""
    kept = q * result[0]
    return kept + (1 - kept.sum()) * result[1]


def unchanged(result: object, p: Tensor, q: Tensor) -> bool:
    if not isinstance(result, tuple) or result[0].shape != q.shape or result[1].shape != p.shape:
        return True  # the shape is told elsewhere
    kept = q * result[0]
    return bool((comes_out(result, p, q) - p).abs().max() < 1e-4) or float(1 - kept.sum()) < 1e-5


def show_change(result: tuple[Tensor, Tensor], p: Tensor, q: Tensor) -> str:
    i = int((comes_out(result, p, q) - p).abs().argmax())
    return f"Token {i} would be written with probability {comes_out(result, p, q)[i]:.3f}, the model says {p[i]:.3f}."


def rest_sums_to_one(result: object, p: Tensor, q: Tensor) -> bool:
    return not isinstance(result, tuple) or result[1].shape != p.shape or sums_to_one(result[1])


def show_sum(result: tuple[Tensor, Tensor], p: Tensor, q: Tensor) -> str:
    equal = "p and q are equal, and " if torch.equal(p, q) else ""
    return f"There, {equal}`rest` sums to {float(result[1].sum()):g}."


EXERCISE = Exercise(
    reference=acceptance,
    minutes=5,
    difficulty=2,
    drive=drive,
    hints=(
        "The draft proposes a token with probability 0.4, the model would write it with 0.2. How often may you "
        "keep it?",
        "Keep what is drafted too often only with probability p/q, and the rest always. After a refusal, draw only "
        "from tokens that are drafted too rarely, by as much as they are short.",
        "The first is `p / q`, but never above 1. The second is what p has more than q: the difference, negative "
        "ones set to 0 (`.clamp`), divided by its sum. If nothing is left, p and q are equal: give p.",
    ),
    proves="what comes out is distributed as the model says, whatever the draft believes",
    properties=[
        Property(
            "what is kept and what is drawn anew add up to the model's probabilities",
            unchanged,
            evidence=show_change,
        ),
        Property("`rest` sums to 1, also where no draft is ever refused", rest_sums_to_one, EQUAL, show_sum),
    ],
)
