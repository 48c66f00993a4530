"""masked_attention: what is hidden gets no weight, and what is left sums to 1."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.attention.masks import causal_mask
from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal


def masked_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Each query's weighted average of the values it may look at.

    q: (B, H, T, head_dim); k, v: (B, H, S, head_dim); mask: bool, True where a query may look
    →  (B, H, T, head_dim)
    """
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, H, T, S)
    weights = scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)
    return weights @ v


ANSWER = """
def masked_attention(q, k, v, mask):
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, H, T, S)
    weights = scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)
    return weights @ v
"""
HIDDEN = 'scores.masked_fill(~mask, float("-inf"))'
WEIGHTS = f"{HIDDEN}.softmax(dim=-1)"
TOO_SMALL = "a score can be lower than the number you fill in, and then what is hidden wins: use −inf."
NOT_FINITE = "NaN comes of 0 · ∞, ∞ − ∞ or 0/0: print the scores, then the weights."
SLIPS = [
    (
        """
def masked_attention(q, k, v, mask):
    weights = (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(dim=-1)
    weights = weights.masked_fill(~mask, 0.0)
    return weights @ v
""",
        "the mask comes after the softmax: rows no longer sum to 1.",
    ),
    (HIDDEN, "scores", "`mask` has no effect: is it used, and is what `masked_fill` returns kept?"),
    (
        "~mask",
        "~causal_mask(*scores.shape[-2:])",
        "this is a causal mask of your own; use `mask`, which may hide padding, too.",
    ),
    (
        "~mask",
        "~torch.ones_like(scores).bool().tril()",
        "this is a triangle of your own; `mask` may differ from text to text and hide padding, so use the argument.",
    ),
    ("~mask", "(not mask)", "`not` asks for one truth value; `~mask` turns each element around."),
    ("weights @ v", "weights", "these are the weights; the average of the values, `weights @ v`, is missing."),
    (
        WEIGHTS,
        'scores.softmax(dim=-1).masked_fill(~mask, float("-inf"))',
        "−∞ comes after the softmax; it belongs into the scores, before it.",
    ),
    (
        HIDDEN,
        '(scores + ~mask * float("-inf"))',
        "0 · −∞ is NaN: fill with `masked_fill` or `torch.where`, do not multiply.",
    ),
    ('float("-inf")', "0.0", "a hidden score of 0 still gets weight, since exp(0) is 1: use −inf."),
    ("-inf", "inf", "+inf draws all attention to what is hidden: −inf is meant."),
    ("~mask", "mask", "the mask is upside down: True is what a query may see."),
    (" / q.shape[-1] ** 0.5", "", "the scores have lost their √head_dim."),
    ("dim=-1", "dim=-2", "softmax runs over the queries; for each query, it should run over the keys."),
    (
        WEIGHTS,
        "scores.softmax(dim=-1).masked_fill(~mask, 0.0).softmax(dim=-1)",
        "a second softmax gives the masked zeros weight again: exp(0) is 1.",
    ),
    (
        WEIGHTS,
        'scores.softmax(dim=-1).masked_fill(~mask, float("-inf")).softmax(dim=-1)',
        "softmax runs twice, the second time on weights between 0 and 1: mask the scores, and apply it once.",
    ),
    ('float("-inf")', "-100.0", TOO_SMALL),
    ('float("-inf")', "-10.0", TOO_SMALL),
    (
        [(HIDDEN, "scores"), ("weights @ v", "weights * mask / (weights * mask).sum(-1, keepdim=True) @ v")],
        "dividing by the row's sum once more is 0/0 where a hidden score is so much larger that all visible weights "
        "are rounded to 0: mask the scores, before the softmax.",
    ),
    (HIDDEN, "(scores * mask.float().log())", NOT_FINITE),
]
PLANTED = SLIPS[0]
REFUSED = [
    (
        [("~mask", "mask"), ("softmax(dim=-1)", "softmax(dim=-1).nan_to_num()")],
        "A property does not hold: each result lies between the values",
    ),
    (HIDDEN, "(scores + mask)", "A property does not hold: each result lies between the values"),
    ("~mask", "mask.logical_not_()", "It changes its input `mask`"),
]
RIGHT = [
    (HIDDEN, "torch.where(mask, scores, float('-inf'))"),
    (HIDDEN, "(scores + mask.float().log())"),
    """
def masked_attention(q, k, v, mask):
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
""",
]


def stays_within_what_is_seen(result: Tensor, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> bool:
    """Is every output within the values that its query may see? An average never leaves them."""
    hidden = ~mask.expand(*q.shape[:-1], k.shape[-2])[..., None]  # (B, H, T, S, 1)
    seen = v[:, :, None].expand(*hidden.shape[:-1], v.shape[-1])
    low, high = seen.masked_fill(hidden, torch.inf).amin(3), seen.masked_fill(hidden, -torch.inf).amax(3)
    return bool(((low - 1e-4 <= result) & (result <= high + 1e-4)).all())


def cases(rng: Generator) -> list[tuple]:
    def case(B: int, H: int, T: int, S: int, d: int, mask: Tensor) -> tuple:
        return normal(rng, B, H, T, d), normal(rng, B, H, S, d), normal(rng, B, H, S, d), mask

    padded = causal_mask(4) & torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]).bool()[:, None, None, :]
    drawn = torch.tensor(rng.random((2, 1, 5, 6)) < 0.5)
    drawn[..., 2] = True  # every query has something to look at
    negative = case(1, 2, 5, 5, 4, causal_mask(5))  # a hidden score of 0 is the largest of all here
    low = case(1, 2, 4, 4, 4, causal_mask(4))  # all scores far below −100
    high = case(1, 2, 4, 4, 4, causal_mask(4))  # the last key, hidden from most, has scores beyond ±100
    high[1][..., -1, :] *= 300
    return [
        case(2, 2, 4, 4, 8, causal_mask(4)),
        (negative[0].abs(), -negative[1].abs(), *negative[2:]),
        (low[0].abs() * 10 + 10, -low[1].abs() * 10 - 10, *low[2:]),
        high,
        case(1, 3, 3, 6, 4, causal_mask(3, 6)),
        case(2, 1, 4, 4, 4, padded),
        case(2, 3, 5, 6, 16, drawn),
        case(1, 2, 4, 4, 8, torch.ones(4, 4, dtype=torch.bool)),
        case(1, 1, 1, 1, 4, torch.ones(1, 1, dtype=torch.bool)),
    ]


EXERCISE = Exercise(
    reference=masked_attention,
    minutes=3,
    difficulty=2,
    hints=(
        "What do the weights of the first query sum to, when it may see only itself?",
        "Softmax has already divided by a sum over all keys when the mask removes some of them. Which score makes "
        "softmax itself give a key a weight of 0?",
        "exp(−∞) is 0: fill the *scores* with `float('-inf')` where the mask is False, and apply softmax "
        "afterwards. A hidden score of 0 does not work, since exp(0) is 1.",
    ),
    proves="nothing hidden counts, what is left sums to 1, with padding and after a cache",
    properties=[
        Property("the result is finite", lambda result, *_: bool(result.isfinite().all()), NOT_FINITE),
        Property("each result lies between the values that its query may see", stays_within_what_is_seen),
    ],
)
