"""top_p: the smallest set of likeliest tokens that together have the probability p."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property
from helpers.generation.sampling import top_p

from ._shared import PROBABILITIES, RENORMALIZED, TAKES_NO_IDS, ZERO, drive_transform, logits_of, normal

ANSWER = """
def top_p(p):
    def keep(logits, ids=None):
        falling, order = logits.sort(-1, descending=True)
        weights = falling.softmax(-1)
        before = weights.cumsum(-1) - weights
        out = before >= p
        mask = torch.zeros_like(out).scatter(-1, order, out)
        return logits.masked_fill(mask, -torch.inf)
    return keep
"""
BACK = "torch.zeros_like(out).scatter(-1, order, out)"
OWN_ORDER = "every row has an order of its own."
SLIPS = [
    (
        [("cumsum(-1) - weights", "cumsum(-1)"), ("before >= p", "before > p\n        out[..., 0] = False")],
        "the token that crosses p is dropped; it belongs to the nucleus.",
    ),
    (
        [("cumsum(-1) - weights", "cumsum(-1)"), ("before >= p", "before > p")],
        "the token that crosses p is dropped, and where the first one crosses, nothing is left; it stays.",
    ),
    (
        "before >= p",
        "before > p",
        "where the tokens before add up to exactly p, the set is full: that token goes, too (`>=`).",
    ),
    (BACK, "out", "the mask is still in sorted order: bring it back."),
    (BACK, "out.gather(-1, order)", "`gather` sorts the mask once more; `scatter` brings it back."),
    (
        "logits.masked_fill(mask",
        "falling.masked_fill(out",
        "the result is in sorted order; give it in the order of the vocabulary.",
    ),
    (
        "logits.masked_fill(mask, -torch.inf)",
        "falling.masked_fill(out, -torch.inf).gather(-1, order)",
        "`gather` sorts the result once more; `scatter` brings it back.",
    ),
    ("logits.masked_fill", "logits.softmax(-1).masked_fill", PROBABILITIES),
    ([("logits.masked_fill", "logits.softmax(-1).masked_fill"), ("-torch.inf", "0.0")], PROBABILITIES),
    ("-torch.inf)", "-torch.inf).log_softmax(-1)", RENORMALIZED),
    ("(mask, ", "(~mask, ", "you remove the nucleus, and keep the rest."),
    ("-torch.inf", "-1e9", "-1e9 is a logit as any other; use -inf, whose probability is 0."),
    (
        [
            ("sort(-1", "sort(0"),
            ("softmax(-1)", "softmax(0)"),
            ("cumsum(-1)", "cumsum(0)"),
            ("scatter(-1", "scatter(0"),
        ],
        "you work along the batch; each row is a distribution (-1).",
    ),
    ("(mask, ", "(mask[0], ", "the first row's mask is used for every row."),
    (", descending=True", "", "you keep the unlikely tokens."),
    (
        "weights = falling.softmax",
        "order = order[:1].expand_as(order)\n        weights = logits.gather(-1, order).softmax",
        OWN_ORDER,
    ),
    ("(-1, order, out)", "(-1, order[:1].expand_as(order), out)", OWN_ORDER),
    ("-torch.inf", "0.0", ZERO),
    (
        [("falling.softmax(-1)", "logits.softmax(-1)"), ("before >= p", "weights < 1 - p"), (BACK, "out")],
        "you compare each probability with 1 − p by itself; add them up.",
    ),
    (
        [("falling.softmax(-1)", "logits.softmax(-1)"), ("before >= p", "weights < p"), (BACK, "out")],
        "you compare each probability with p by itself; add them up.",
    ),
    ("weights.cumsum(-1) - weights", "falling.cumsum(-1) - falling", "you add up logits; p is a sum of probabilities."),
]
REFUSED = [
    (", ids=None", "", TAKES_NO_IDS),
    ("-torch.inf", "-1e4", "the logit -2.30259 became -10000."),
]
RIGHT = [
    """
def top_p(p):
    def keep(logits, ids=None):
        result = torch.full_like(logits, -torch.inf)
        for row, kept in zip(logits, result):
            order = row.argsort(descending=True)
            total = row.softmax(0)[order].cumsum(0)
            needed = order[: int((total < p).sum()) + 1]
            kept[needed] = row[needed]
        return result
    return keep
""",
]


def cases(rng: Generator) -> list[tuple]:
    return [  # but for the second, no sum hits p exactly: there, rounding decides
        (0.65, logits_of([0.1, 0.4, 0.2, 0.3], [0.4, 0.1, 0.3, 0.2])),  # 0.4, and the 0.3 that crosses 0.65
        (0.5, logits_of([0.25, 0.5, 0.25])),  # the first alone is exactly p
        (0.5, logits_of([0.05, 0.05, 0.9])),  # the first alone is above p
        (0.9, logits_of([0.05, 0.15, 0.3, 0.5], [0.5, 0.3, 0.15, 0.05])),
        (1.0, normal(rng, 2, 5)),
        (0.8, normal(rng, 3, 12, scale=2)),
        (0.95, normal(rng, 2, 40) - 50),
        (0.3, normal(rng, 1, 6, scale=0.1)),
        (0.6, normal(rng, 2, 5), torch.tensor([[0, 2], [3, 3]])),
    ]


def changed(result: Tensor, p: float, logits: Tensor, ids: Tensor | None = None) -> str:
    """Where a logit became something else that is not -inf."""
    row, token = ((result != logits) & (result != -torch.inf)).nonzero()[0].tolist()
    return f"At [{row}, {token}], the logit {logits[row, token]:.6g} became {result[row, token]:.6g}."


EXERCISE = Exercise(
    minutes=6,
    difficulty=3,
    reference=top_p,
    drive=drive_transform,
    first_call=1,
    hints=(
        "Sort first. When is a token still needed to reach p?",
        "Sort each row from the likeliest down. A token stays while the sum of those *before* it is below p. Then "
        "bring the mask back into the old order.",
        "`logits.sort(descending=True)` gives values and their places. Take the softmax of the values and its "
        "cumulative sum, and subtract each token's own probability: that is what came before it. Where it reaches "
        "p, the token goes. `mask.scatter(-1, places, mask)` undoes the sorting; `masked_fill` with -inf does the "
        "rest.",
    ),
    proves="the smallest set that reaches p, in every row, in the order of the vocabulary",
    properties=[
        Property(
            "each row keeps at least one token",
            lambda result, *_: bool((result > -torch.inf).any(-1).all()),
        ),
        Property(
            "what is kept has the logit it had",
            lambda result, p, logits, ids=None: bool(((result == logits) | (result == -torch.inf)).all()),
            evidence=changed,
        ),
    ],
)
