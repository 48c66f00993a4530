"""shift_right: a decoder reads the label before the one that it has to write, and the start before the first."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise
from helpers.old.foundations.probability import IGNORED
from helpers.old.transformer.encoder_decoder import shift_right

ANSWER = """
def shift_right(labels, start_id):
    read = labels.roll(1, dims=1)
    read[:, 0] = start_id
    return read.masked_fill(read < 0, start_id)
"""
ROLLED = "labels.roll(1, dims=1)"
FILLED = "read.masked_fill(read < 0, start_id)"
LEFT = "this is shifted to the left: each place reads the label after it."
NO_FRONT = "the last label is gone, but nothing was put in front of the others: T places stay T."
TWO_STARTS = "the first label is overwritten before the shift, so there are two starts: shift first."
FIXED = "the start is fixed as 0; use `start_id`."
SLIPS = [
    (ROLLED, "labels.clone()", "each place still reads its own label."),
    (ROLLED, "labels[:, :-1]", NO_FRONT),
    (ROLLED, "labels[:, :-1].clone()", NO_FRONT),
    ([(ROLLED, "labels[:, :-1]"), ("    read[:, 0] = start_id\n", "")], NO_FRONT),
    (
        """
def shift_right(labels, start_id):
    read = labels.clone()
    read[:, 0] = start_id
    read = read.roll(1, dims=1)
    read[:, 0] = start_id
    return read.masked_fill(read < 0, start_id)
""",
        TWO_STARTS,
    ),
    (
        """
def shift_right(labels, start_id):
    read = labels.clone()
    read[:, 0] = start_id
    read = read.roll(1, dims=1)
    return read.masked_fill(read < 0, start_id)
""",
        "the start is written over the first label, and the shift moves it away: shift first, then write the start.",
    ),
    ([("roll(1", "roll(-1"), ("[:, 0]", "[:, -1]")], LEFT),
    ("roll(1", "roll(-1", LEFT),
    (FILLED, "read.clamp(min=0)", "skipped labels become 0; they become `start_id`."),
    ("read < 0", "read == -100", "you look for −100 only; every label below 0 is skipped."),
    ("read < 0", "read <= 0", "0 is a label like others; only those below 0 are skipped."),
    (
        ROLLED,
        "torch.nn.functional.pad(labels, (1, 0))",
        "the start is put in front, so the last label has to go: T places stay T.",
    ),
    ([("= start_id", "= 0"), ("< 0, start_id", "< 0, 0")], FIXED),
    ("= start_id", "= 0", FIXED),
    (FILLED, "read", "−100 is still in there, and no embedding has a row −100."),
    (
        "    read[:, 0] = start_id\n",
        "",
        "the last label has come round to the first place, where the start belongs.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    ([(ROLLED, "torch.nn.functional.pad(labels, (1, 0))"), (FILLED, "read")], "The shape of the result is wrong"),
    (ROLLED, "labels", "It changes its input `labels`"),
]
RIGHT = [
    """
def shift_right(labels, start_id):
    start = torch.full_like(labels[:, :1], start_id)
    shifted = torch.cat((start, labels[:, :-1]), dim=1)
    return torch.where(shifted < 0, start_id, shifted)
""",
    """
def shift_right(labels, start_id):
    skipped = torch.nn.functional.pad(labels, (1, -1), value=0) < 0
    return torch.nn.functional.pad(labels, (1, -1), value=start_id).masked_fill(skipped, start_id)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def labels(*shape: int) -> Tensor:
        return torch.tensor(rng.integers(2, 20, size=shape))

    padded = labels(3, 6)
    padded[0, 4:] = padded[2, 2:] = IGNORED
    return [
        (labels(2, 5), 0),
        (padded, 0),
        (padded.clone(), 7),  # another start
        (labels(4, 1), 3),
        (labels(1, 9), 1),
        (labels(5, 2), 0),
        (torch.tensor([[0, 5, -1, 0, 2], [3, 0, 0, -7, -100]]), 9),  # 0 is a label; any number below is skipped
    ]


EXERCISE = Exercise(
    reference=shift_right,
    minutes=2,
    difficulty=2,
    hints=(
        "Take the labels 3, 5, 4. What may the decoder have read when it has to write 5, and what does it read here?",
        "At position t the decoder may read label t − 1. Here it reads label t from the second position on, which is "
        "the answer.",
        "Put the start before the labels and drop the last one: `torch.cat` of a column of `start_id` and "
        "`labels[:, :-1]`, or `torch.roll` and then the first column. The last line is right.",
    ),
    proves="every place reads the label before it, the first one the start, and skipped labels do not remain",
)
