"""label_loss: the surprise at all labels, where −100 is no label and 0 is one."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.foundations.probability import IGNORED
from helpers.old.training.seq2seq import label_loss

ANSWER = """
def label_loss(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="sum")
"""
SUM = ', reduction="sum"'
SLIPS = [
    (
        """
def label_loss(logits, labels):
    wanted = labels.clamp(min=0)
    return F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="sum")
""",
        "padding is counted as if token 0 had to be written there.",
    ),
    (SUM, "", "this is the mean; return the sum, so that batches can be added up."),
    (
        [("labels.flatten()", "labels.flatten().clamp(min=0)"), (SUM, "")],
        "padding is counted, and this is the mean, not the sum.",
    ),
    (
        [("logits.flatten", "logits[:, :-1].flatten"), ("labels.flatten()", "labels[:, 1:].flatten()")],
        "the decoder's row is shifted already: logits and labels stand together.",
    ),
    (
        [("labels.flatten()", "labels.flatten().clamp(min=0)"), ("-100", "0")],
        "0 is a label like others, and you skip it; skip −100.",
    ),
    (
        """
def label_loss(logits, labels):
    return sum(F.cross_entropy(row, wanted) for row, wanted in zip(logits, labels))
""",
        "you add up the rows' means; add up all surprises.",
    ),
    (
        """
def label_loss(logits, labels):
    T = (labels != -100).sum(1).min()
    logits, labels = logits[:, :T].flatten(0, 1), labels[:, :T].flatten()
    return F.cross_entropy(logits, labels, ignore_index=-100, reduction="sum")
""",
        "all rows are cut at the shortest one: keep every place, and skip the labels of −100.",
    ),
    ("return F", "return -F", "the sign: surprise is *minus* the logarithm."),
    ('"sum"', '"none"', "one number is asked for: the sum."),
    (
        "logits.flatten",
        "logits.softmax(-1).flatten",
        "`cross_entropy` takes logits: it does the softmax itself.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    ('"sum")', '"sum").detach()', "no gradient reaches them"),
    ('"sum")', '"sum").item()', "yours is a float"),
    ("logits.flatten(0, 1), labels.flatten()", "logits, labels", "It stops with an error"),
]
RIGHT = [
    (", ignore_index=-100", ""),
    """
def label_loss(logits, labels):
    kept = labels != -100
    return F.cross_entropy(logits[kept], labels[kept], reduction="sum")
""",
    """
def label_loss(logits, labels):
    log_p = logits.log_softmax(-1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]
    return -(log_p * (labels >= 0)).sum()
""",
]


def cases(rng: Generator) -> list[tuple]:
    def case(B: int, T: int, V: int, skipped: float) -> tuple:
        logits = torch.tensor(rng.normal(size=(B, T, V)) * 2, dtype=torch.float32)
        labels = torch.tensor(rng.integers(V, size=(B, T)))
        labels[torch.tensor(rng.random((B, T)) < skipped)] = IGNORED
        labels[0, 0] = 0  # 0 is a label too
        return logits, labels

    logits, labels = case(3, 5, 6, 0.4)
    return [
        case(2, 4, 7, 0.4),
        (logits.requires_grad_(), labels),  # as in training
        case(1, 6, 5, 0.3),
        case(3, 3, 11, 0.0),
        case(4, 5, 3, 0.7),
        case(2, 8, 4, 0.5),
        (torch.zeros(1, 3, 5), torch.tensor([[IGNORED, 2, IGNORED]])),
    ]


def padding_counted(logits: Tensor, labels: Tensor) -> Tensor:
    """The loss where padding counts as if token 0 had to be written there."""
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten().clamp(min=0), reduction="sum")


EXERCISE = Exercise(
    reference=label_loss,
    minutes=2,
    difficulty=2,
    hints=(
        "Print `wanted` for a short target beside a long one. What is the model asked to write behind its end?",
        "The first line turns −100 into 0, and 0 is a token: the model is trained to write it. Something has to "
        "tell the loss which places to leave out.",
        "Do not change the labels at all. `F.cross_entropy` has an argument `ignore_index` that names the label "
        "to skip, and −100 is even its default. The sum over all the others stays as it is.",
    ),
    proves="labels of −100 add nothing, label 0 does, and the sum runs over all others",
    properties=[
        Property(
            "it can be trained by",
            lambda result, logits, labels: result.requires_grad or not logits.requires_grad,
            "`.detach()`, `.data` or a new tensor cuts the loss off from the logits: no gradient reaches them.",
            evidence=lambda result, *_: "The logits need a gradient, and your result has none to give.",
        ),
        Property(
            "places with the label −100 add nothing",
            lambda result, logits, labels: (
                torch.allclose(
                    result.detach().reshape(()).float(),
                    F.cross_entropy(logits[labels != IGNORED], labels[labels != IGNORED], reduction="sum"),
                    atol=1e-3,
                )
                or abs(result.item() - padding_counted(logits, labels).item()) > 1e-3
                or bool((labels != IGNORED).all())
            ),
            "padding is counted as if token 0 had to be written there.",
        ),
    ],
)
