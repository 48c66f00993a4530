"""mask_tokens: what the draws say is hidden, never padding, and labels ask for hidden tokens only."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.attention import padding_mask
from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.foundations.probability import IGNORED
from helpers.old.trials.hidden_words import mask_tokens

ANSWER = """
def mask_tokens(ids, draw, rate, mask_id, pad_id):
    hidden = (draw < rate) & (ids != pad_id)
    inputs = ids.masked_fill(hidden, mask_id)
    labels = ids.masked_fill(~hidden, -100)
    return inputs, labels
"""
SWAPPED = "hidden and shown are swapped: hide where the draw is below `rate`."
ALL_ASKED = "labels are −100 where nothing is hidden; yours ask for every token."
SHOWN_ASKED = "the labels keep the tokens that are shown; keep the hidden ones."
BRACKETS = "`&` binds tighter than `<` and `!=`: put both comparisons into brackets."
SLIPS = [
    ("~hidden", "ids == pad_id", ALL_ASKED),
    ("ids.masked_fill(~hidden, -100)", "ids.clone()", ALL_ASKED),
    ("draw < rate", "draw >= rate", SWAPPED),
    ("draw < rate", "draw > rate", SWAPPED),
    ("~hidden", "hidden | (ids == pad_id)", SHOWN_ASKED),
    ("~hidden", "hidden", SHOWN_ASKED),
    ("-100", "pad_id", "what the loss skips is marked −100, not by `pad_id`."),
    ("-100", "0", "0 is a token too; what the loss skips is marked −100."),
    (
        "ids.masked_fill(hidden, mask_id)",
        "ids.clone()",
        "the inputs still show every token: put `mask_id` in the hidden places.",
    ),
    ("< rate", "< 0.15", "0.15 is fixed in your code; use `rate`."),
    (
        "ids.masked_fill(hidden, mask_id)",
        "ids.masked_fill(draw < rate, mask_id)",
        "padding is hidden, too: leave out the places where `ids == pad_id`.",
    ),
    ("(draw < rate) & (ids != pad_id)", "draw < rate & ids != pad_id", BRACKETS),
    ("(draw < rate) & (ids != pad_id)", "(draw < rate) & ids != pad_id", BRACKETS),
    ("ids != pad_id", "ids != 0", "you take 0 for padding; use `pad_id`."),
    ("draw < rate", "draw <= rate", "a draw as large as `rate` is not below it: `<`, not `<=`."),
    ("draw < rate", "torch.rand(ids.shape) < rate", "you draw numbers of your own; use `draw`."),
    ("return inputs, labels", "return inputs", "return two tensors: inputs and labels."),
    ("return inputs, labels", "return labels, inputs", "inputs come first, labels second."),
]
REFUSED = [
    (" & (ids != pad_id)", "", "leave out the places where `ids == pad_id`"),
    ("ids.masked_fill(~hidden", "inputs.masked_fill(~hidden", "before the mask is put in"),
    ("ids.masked_fill(hidden", "ids.masked_fill_(hidden", "First difference at"),
    (
        """
def mask_tokens(ids, draw, rate, mask_id, pad_id):
    hidden = (draw < rate) & (ids != pad_id)
    labels = ids.masked_fill(~hidden, -100)
    ids[hidden] = mask_id
    return ids, labels
""",
        "It changes its input `ids`",
    ),
]
RIGHT = [
    [
        ("ids.masked_fill(hidden, mask_id)", "torch.where(hidden, mask_id, ids)"),
        ("ids.masked_fill(~hidden, -100)", "torch.where(hidden, ids, -100)"),
    ],
    """
def mask_tokens(ids, draw, rate, mask_id, pad_id):
    inputs, labels = ids.clone(), ids.clone()
    keep = (draw >= rate) | (ids == pad_id)
    labels[keep] = -100
    inputs[~keep] = mask_id
    return inputs, labels
""",
]


def asked_above(labels: Tensor, draw: Tensor, rate: float) -> str:
    """The first label that asks for a token whose draw is not below the rate."""
    row, place = ((labels != IGNORED) & (draw >= rate)).nonzero()[0].tolist()
    asked, drawn = labels[row, place].item(), draw[row, place].item()
    return f"`labels[{row}, {place}]` is {asked}, and `draw[{row}, {place}]` is {drawn:.2f} with a rate of {rate:g}."


def cases(rng: Generator) -> list[tuple]:
    def case(B: int, T: int, rate: float, mask_id: int, pad_id: int, lengths: list[int]) -> tuple:
        ids = torch.tensor(rng.integers(2, 30, size=(B, T)))
        ids[~padding_mask(lengths, T)] = pad_id
        return ids, torch.tensor(rng.random((B, T)), dtype=torch.float32), rate, mask_id, pad_id

    at_the_rate = case(3, 8, 0.5, 103, 0, [8, 2, 5])
    at_the_rate[1][:, :2] = 0.5  # a draw as large as the rate is not below it
    zeros = case(3, 9, 0.6, 1, 31, [9, 2, 5])
    zeros[0][:, ::2][zeros[0][:, ::2] != 31] = 0  # here 0 is a token, and padding is another number
    return [
        case(4, 12, 0.15, 1, 0, [12, 7, 9, 3]),
        at_the_rate,
        zeros,
        case(2, 6, 0.3, 40, 41, [6, 4]),
        case(1, 20, 0.4, 0, 1, [20]),  # here the mask has the id 0
        case(3, 5, 0.0, 1, 0, [5, 5, 1]),
        case(3, 5, 1.0, 1, 0, [5, 3, 1]),
    ]


EXERCISE = Exercise(
    reference=mask_tokens,
    minutes=4,
    difficulty=2,
    hints=(
        "Which tokens are hidden? First make one boolean tensor of shape (B, T) that is True at those.",
        "A token is hidden where its draw is below `rate` and it is not padding. Both results follow from that tensor: "
        "the inputs get `mask_id` there, and the labels keep the original ids only there.",
        "Call the boolean tensor `hidden`: a comparison for the draws, one for padding, joined by `&`. "
        "`ids.masked_fill(hidden, …)` gives a new tensor with the mask in those places; for the labels fill all "
        "other places, `~hidden`, with -100.",
    ),
    proves="hides what the draws say, never padding, and the loss sees hidden tokens only",
    properties=[
        Property(
            "labels say what stood at a hidden place",
            lambda result, ids, *_: bool((result[1][result[1] != IGNORED] == ids[result[1] != IGNORED]).all()),
            "take the labels from `ids` before the mask is put in.",
        ),
        Property(
            "labels ask for no token whose draw is `rate` or above",
            lambda result, ids, draw, rate, *_: bool((result[1][draw >= rate] == IGNORED).all()),
            "labels are −100 wherever nothing is hidden.",
            lambda result, ids, draw, rate, *_: asked_above(result[1], draw, rate),
        ),
        Property(
            "every token that the labels ask for is `mask_id` in the inputs",
            lambda result, ids, draw, rate, mask_id, pad_id: bool((result[0][result[1] != IGNORED] == mask_id).all()),
            "here all chosen tokens are masked, not 80 % of them as in BERT.",
        ),
        Property(
            "padding is neither hidden nor asked for",
            lambda result, ids, draw, rate, mask_id, pad_id: bool(
                (result[0][ids == pad_id] == pad_id).all() and (result[1][ids == pad_id] == IGNORED).all()
            ),
            "leave out the places where `ids == pad_id`.",
        ),
    ],
)
