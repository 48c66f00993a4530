"""pmi_choice: for each ticket the label for which it speaks most, whatever the label gets behind no ticket at all."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property


def pmi_choice(scores: Tensor, empty: Tensor) -> list[int]:
    """For each ticket the place of the label with the highest pointwise mutual information.

    scores: (N, L), log p(label | ticket) in nats; empty: (L,), log p(label | no ticket)  →  N numbers from 0 to L − 1
    """
    return (scores - empty).argmax(-1).tolist()


ANSWER = """
def pmi_choice(scores, empty):
    return (scores - empty).argmax(-1).tolist()
"""
NOT_OFF = (
    "what each label gets without a ticket is not taken off, so usual labels win: subtract `empty`, which has a number "
    "of its own for each label."
)
TURNED = "you take the label with the least evidence: take the highest of scores minus empty."
SLIPS = [
    ("scores - empty", "scores", NOT_OFF),
    ("scores - empty", "scores + empty", "you add what a label gets anyway; subtract it."),
    ("scores - empty", "empty - scores", TURNED),
    ("scores - empty", "scores / empty", "a ratio of logarithms is no mutual information; subtract."),
    (
        "scores - empty",
        "scores - scores.mean(0)",
        "you take off the mean of these tickets; `empty` was measured without any ticket.",
    ),
    (
        "scores - empty",
        "scores - scores.mean(-1, keepdim=True)",
        NOT_OFF,
    ),
    (
        "scores - empty",
        "scores - empty.mean()",
        NOT_OFF,
    ),
    (
        "(scores - empty)",
        "(scores.exp() - empty.exp())",
        "you subtract probabilities; the ratio of probabilities is a difference of their logarithms.",
    ),
    (
        "(scores - empty)",
        "(scores.softmax(-1) - empty.softmax(-1))",
        "you subtract probabilities; the ratio of probabilities is a difference of their logarithms.",
    ),
    ("argmax(-1)", "argmax(0)", "your argmax runs over the tickets; each row is one ticket (-1)."),
    ("argmax", "argmin", TURNED),
]
REFUSED = [
    (".tolist()", "", "The kind of the result"),
    (".argmax(-1).tolist()", ".amax(-1).tolist()", "Expected an int"),
]
RIGHT = [
    """
def pmi_choice(scores, empty):
    chosen = []
    for row in scores:
        evidence = [float(score - usual) for score, usual in zip(row, empty)]
        chosen.append(evidence.index(max(evidence)))
    return chosen
""",
    """
def pmi_choice(scores, empty):
    ratio = torch.exp(scores - empty)  # p(label | ticket) / p(label | no ticket)
    return [int(row.argmax()) for row in ratio]
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(*shape: int, scale: float, shift: float = 0.0) -> Tensor:
        return torch.tensor(rng.normal(size=shape) * scale + shift, dtype=torch.float32)

    return [
        (torch.tensor([[-4.0, -9.0], [-3.5, -12.0]]), torch.tensor([-3.0, -11.0])),
        (torch.tensor([[-9.0, -24.0, -21.0], [-10.0, -29.0, -12.0]]), torch.tensor([-10.0, -30.0, -20.0])),
        (drawn(6, 4, scale=3, shift=-20), drawn(4, scale=4, shift=-20)),
        (drawn(5, 9, scale=1, shift=-12), drawn(9, scale=4, shift=-12)),
        (drawn(1, 5, scale=2, shift=-8), drawn(5, scale=2, shift=-8)),
        (drawn(7, 3, scale=2, shift=-6), torch.full((3,), -6.0)),  # no label is favored: the likelihood decides
    ]


EXERCISE = Exercise(
    reference=pmi_choice,
    minutes=2,
    difficulty=1,
    hints=(
        "Which label would win if there were no ticket at all?",
        "Take from each label's score what the same label gets behind no ticket. Then each ticket takes its highest.",
        "`scores` has one row per ticket, and `empty` has one number per label, so PyTorch takes it off every row. "
        "argmax along the last dimension gives a tensor; `.tolist()` makes a list of it.",
    ),
    proves="each label's score without a ticket is taken off, and every ticket chooses for itself",
    properties=[Property("there is one place per ticket", lambda result, scores, *_: len(result) == len(scores))],
)
