"""collate_targets: labels are padded with −100, and at each place the decoder reads the label before it."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from helpers.exercises.checking.spec import Exercise
from helpers.training.seq2seq import collate_targets

ANSWER = """
def collate_targets(targets, pad_id):
    longest = max(len(row) for row in targets)
    labels = torch.tensor([row + [-100] * (longest - len(row)) for row in targets])
    read = torch.full_like(labels, pad_id)
    read[:, 1:] = labels[:, :-1]
    read[read < 0] = pad_id
    return labels, read
"""
START = "torch.full_like(labels, pad_id)"
MOVE = "    read[:, 1:] = labels[:, :-1]\n"
EMPTY = "    read[read < 0] = pad_id\n"
SLIPS = [
    ("-100", "pad_id", "the labels are filled with `pad_id`, so padding would be learned."),
    ("-100", "0", "the labels are filled with 0, which is a token; the loss skips −100."),
    (
        [("-100", "pad_id"), ("    read = ", "    labels[labels == pad_id] = -100\n    read = ")],
        "you mask by the id of padding: a target may hold it; padding is what is *behind*.",
    ),
    (
        "read < 0",
        "labels < 0",
        "where its own label is −100 the decoder may still read one: what counts is the label *before*.",
    ),
    (
        "row + [-100] * (longest - len(row))",
        "[-100] * (longest - len(row)) + row",
        "padding belongs on the right, behind the end.",
    ),
    (
        [(START, "labels.clone()"), (MOVE, "")],
        "the decoder reads the very label it shall write: move it right.",
    ),
    (
        [("read[:, 1:]", "read[:, :-1]"), ("labels[:, :-1]", "labels[:, 1:]")],
        "this is shifted to the left: the decoder reads what comes *after*.",
    ),
    (
        [(START, "F.pad(labels, (1, 0), value=pad_id)"), (MOVE, "")],
        "the start is put in front, so the last label has to go.",
    ),
    ([(START, "labels.roll(1, 1)"), (MOVE, "")], "the last label has come round to the first place."),
    (START, "torch.zeros_like(labels)", "the start is fixed as 0; use `pad_id`."),
    (EMPTY, "", "−100 is still in what the decoder reads."),
    ("] = pad_id", "] = 0", "where the label is −100 the decoder reads `pad_id`, not 0."),
    ("labels, read", "read, labels", "the labels come first."),
    ("return labels, read", "return labels", "return two tensors: labels and what the decoder reads."),
]
RIGHT = [
    ("read[read < 0] = pad_id", "read = read.masked_fill(read < 0, pad_id)"),
    """
def collate_targets(targets, pad_id):
    labels = pad_sequence([torch.tensor(row) for row in targets], batch_first=True, padding_value=-100)
    read = labels.roll(1, dims=1)
    read[:, 0] = pad_id
    read[read == -100] = pad_id
    return labels, read
""",
]


def cases(rng: Generator) -> list[tuple]:
    def rows(*lengths: int) -> list[list[int]]:
        return [[int(i) for i in rng.integers(2, 50, size=n)] for n in lengths]

    return [
        (rows(4, 2, 5), 1),
        (rows(3), 1),
        (rows(3, 3), 0),
        (rows(1, 4), 7),
        ([[5, 0, 0, 9], [0, 8]], 3),  # 0 is a token like others
        (rows(6, 1, 2, 2), 50),
        ([[9, 4, 3, 8, 3], [7, 3]], 3),  # the padding token as a part of targets: its place tells it from padding
    ]


EXERCISE = Exercise(
    reference=collate_targets,
    minutes=4,
    difficulty=2,
    hints=(
        "Two tensors of one shape. What must the loss skip, and what may the decoder have read before each label?",
        "Fill the labels up with −100 on the right. The decoder's row is the labels moved one place to the right: "
        "first pad_id, then all but the last. An embedding has no row −100, so put pad_id there.",
        "`torch.full((B, longest), -100)`, then `labels[i, :len(row)] = torch.tensor(row)` for each row. For the "
        "other start with `torch.full_like(labels, pad_id)`, copy `labels[:, :-1]` into its columns from 1 on, and "
        "`masked_fill` where it is below 0.",
    ),
    proves="labels are padded with −100 on the right, and the decoder reads the label before, never −100",
)
