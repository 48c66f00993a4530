"""mean_pool: a text's vector is the mean over its real tokens, and padding has no part in it."""

from __future__ import annotations

import torch
from numpy.random import Generator

from helpers.attention import padding_mask
from helpers.exercises.checking.spec import Exercise, Property
from helpers.transformer.encoder import mean_pool

from ._shared import normal

ANSWER = """
def mean_pool(hidden, mask):
    real = mask[..., None]  # (B, T, 1)
    total = hidden.masked_fill(~real, 0.0).sum(dim=1)  # (B, C)
    return total / real.sum(dim=1).clamp(min=1)
"""
COUNT = "real.sum(dim=1).clamp(min=1)"
MEAN = "total / real.sum(dim=1).clamp(min=1)"
NO_AXIS = "the mask is (B, T), the states are (B, T, C): it lacks an axis for the channels, `mask[..., None]`."
FLAT_COUNT = "the counts are (B,), the sums (B, C): keep an axis for the channels with `keepdim=True`."
COUNTS = ["mask.sum(dim=1)", "mask.sum(dim=1).clamp(min=1)"]
COUNTS += ["mask.sum(dim=1, keepdim=True)", "mask.sum(dim=1, keepdim=True).clamp(min=1)"]
SLIPS = [
    *((COUNT, count, FLAT_COUNT) for count in COUNTS[:2]),
    *(
        (f"def mean_pool(hidden, mask):\n    return {total}.sum(dim=1) / {count}\n", NO_AXIS)
        for total in ("(hidden * mask)", "hidden.masked_fill(~mask, 0.0)")
        for count in COUNTS
    ),
    (MEAN, "hidden.mean(dim=1)", "padding is averaged in as if it were text."),
    (COUNT, "mask.shape[1]", "you divide by T; divide by each text's number of real tokens."),
    (MEAN, "total", "this is the sum; divide by each text's number of real tokens."),
    (COUNT, "mask.sum()", "you divide by the real tokens of all texts; each text has its own number."),
    (MEAN, "hidden[:, 0]", "this is the state of the first token; average over all real ones."),
    (MEAN, "hidden.masked_fill(~real, -torch.inf).amax(dim=1)", "this is the maximum; take the mean."),
    (
        MEAN,
        "torch.nn.functional.normalize(total, dim=-1)",
        "the vectors are scaled to length 1; return the plain mean.",
    ),
    (MEAN, "hidden[mask].mean(dim=0)", "this is one mean over all texts; each text has its own."),
    (
        "mask[..., None]",
        "(mask & (mask.cumsum(1) > 1) & (mask.flip(1).cumsum(1).flip(1) > 1))[..., None]",
        "the first and the last real token are left out; `[CLS]` and `[SEP]` belong to the mean.",
    ),
    ("mask[..., None]", "~mask[..., None]", "the mask is True at real tokens; you average the padding."),
]
REFUSED = [
    (".clamp(min=1)", "", "divides 0 by 0"),
    ("0.0).sum(dim=1)", "0.0).sum(dim=2)", "The shape of the result"),
    (MEAN, "hidden.masked_fill(~real, -1e9).amax(dim=1)", "First difference"),
]
RIGHT = [
    (MEAN, "torch.einsum('btc,bt->bc', hidden, mask.float()) / mask.sum(dim=1, keepdim=True).clamp(min=1)"),
    """
def mean_pool(hidden, mask):
    rows = [h[m].sum(0) / max(int(m.sum()), 1) for h, m in zip(hidden, mask)]
    return torch.stack(rows)
""",
]


def cases(rng: Generator) -> list[tuple]:
    hidden = normal(rng, 3, 5, 4)
    hidden[:, 3:] = 9.0  # what stands at padding is no zero
    left = padding_mask([2, 4, 3], 4, left=True)
    return [
        (hidden, padding_mask([3, 1, 2], 5)),
        (normal(rng, 2, 4, 3), padding_mask([4, 4], 4)),
        (normal(rng, 3, 4, 6, scale=3), left),
        (normal(rng, 1, 1, 5), padding_mask([1], 1)),
        (normal(rng, 4, 4, 4), padding_mask([1, 2, 3, 4], 4)),  # here a wrong dimension keeps the shape
        (normal(rng, 2, 3, 2), padding_mask([2, 0], 3)),  # a text without a token: zeros, not NaN
    ]


EXERCISE = Exercise(
    reference=mean_pool,
    minutes=2,
    difficulty=1,
    hints=(
        "A text has three real tokens and two of padding. How many vectors are averaged?",
        "Set the states at padding to zero, sum over the tokens, and divide by the number of real tokens of each text.",
        "`mask[..., None]` has the shape (B, T, 1) and stretches over the channels. Multiply, sum over dim 1, and "
        "divide by `mask.sum(dim=1, keepdim=True)`, which is (B, 1); `.clamp(min=1)` saves the text without any.",
    ),
    proves="padding on either side changes nothing, one token is its own mean, and an empty text gives zeros",
    properties=[
        Property(
            "no number is NaN",
            lambda result, *_: not bool(result.isnan().any()),
            "a text without a real token divides 0 by 0: let the count be at least 1.",
        ),
    ],
)
