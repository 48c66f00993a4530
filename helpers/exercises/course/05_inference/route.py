"""route: the label that a message speaks for, or None where the model is not sure enough."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal


def route(scores: Tensor, usual: Tensor, threshold: float) -> list[int | None]:
    """For each message the index of the label that it speaks for, or None where that is not sure enough.

    scores: (N, L), log p(label | message) in nats; usual: (L,), the mean score of each label over many messages.
    The evidence for a label is its score minus its usual score. The confidence is the largest softmax of the evidence;
    `threshold` or more is sure enough.
    """
    confidences, labels = (scores - usual).softmax(-1).max(-1)
    return [
        label if sure >= threshold else None for sure, label in zip(confidences.tolist(), labels.tolist(), strict=True)
    ]


ANSWER = """
def route(scores, usual, threshold):
    probabilities = (scores - usual).softmax(-1)  # (N, L)
    routed = []
    for row in probabilities:
        label = int(row.argmax())
        if row[label] >= threshold:
            routed.append(label)
        else:
            routed.append(None)
    return routed
"""
SLIPS = [
    ("scores - usual", "scores", "the usual score is not taken off, so frequent sentences win: subtract `usual`."),
    ("scores - usual", "scores + usual", "you add the usual score; subtract it."),
    ("scores - usual", "usual - scores", "you subtract the wrong way round: scores minus usual."),
    ("scores - usual", "scores / usual", "a ratio of logarithms is no evidence; subtract."),
    (
        "(scores - usual).softmax(-1)",
        "scores.softmax(-1) - usual.softmax(-1)",
        "you subtract probabilities; subtract the log-probabilities, then take the softmax.",
    ),
    (
        "scores - usual",
        "scores - scores.mean(0)",
        "you take the mean of these few messages; `usual` was measured over many.",
    ),
    (
        "(scores - usual).softmax(-1)",
        "scores - usual",
        "the evidence is in nats and is no probability yet: take its softmax over the labels.",
    ),
    ("softmax(-1)", "softmax(0)", "your softmax runs over the messages; each row is one message (-1)."),
    ("softmax(-1)", "exp()", "exp of the evidence is no probability; take the softmax over the labels."),
    (">=", ">", "a confidence of exactly `threshold` is enough: `>=`, not `>`."),
    ("row[label] >= threshold", "row[label] < threshold", "the comparison is the wrong way round."),
    (
        "row[label] >= threshold",
        "True",
        "you never give None; compare the confidence with `threshold` (a ratio of probabilities reaches 1 always).",
    ),
    ("argmax", "argmin", "you take the label with the least evidence; take the one with the most."),
    ("routed.append(None)", "pass", "a message that goes to a person still needs its entry, None."),
    ("routed.append(None)", "routed.append(-1)", "-1 would be read as the last label; use None."),
    (
        "int(row.argmax())",
        "int((row >= threshold).float().argmax())",
        "you take the first label that reaches the threshold; another may have more evidence.",
    ),
]
REFUSED = [
    ("return routed", "routed", "Did you forget `return`?"),
    ("return routed", "return torch.tensor([-1 if i is None else i for i in routed])", "The kind of the result"),
]
RIGHT = [
    """
def route(scores, usual, threshold):
    confidences, labels = (scores - usual).softmax(-1).max(-1)
    return [label if sure >= threshold else None for sure, label in zip(confidences.tolist(), labels.tolist())]
""",
    """
def route(scores, usual, threshold):
    evidence = scores - usual
    sure = (evidence.amax(-1) - evidence.logsumexp(-1)).exp()
    return [int(e.argmax()) if s >= threshold else None for e, s in zip(evidence, sure)]
""",
]


def cases(rng: Generator) -> list[tuple]:
    usual = torch.tensor([-10.0, -30.0, -20.0])
    return [
        (torch.tensor([[-9.0, -24.0, -21.0], [-10.0, -29.0, -12.0]]), usual, 0.5),  # the usual decides
        (torch.tensor([[-10.0, -30.0]]), torch.tensor([-10.0, -30.0]), 0.5),  # exactly the threshold
        (torch.tensor([[-11.0, -31.1, -20.9]]), usual, 0.5),  # nothing speaks for any of them
        (torch.tensor([[-10.0, -30.0, -19.5]]), usual, 0.9),
        (normal(rng, 6, 4, scale=3) - 20, normal(rng, 4, scale=3) - 20, 0.6),
        (normal(rng, 4, 4, scale=2) - 20, normal(rng, 4, scale=4) - 20, 0.4),
        (normal(rng, 5, 9, scale=1) - 30, normal(rng, 9, scale=1) - 30, 0.25),
        (normal(rng, 3, 2, scale=1), torch.zeros(2), 0.3),  # both labels may reach it
        (normal(rng, 1, 5, scale=4), normal(rng, 5), 0.0),
    ]


EXERCISE = Exercise(
    reference=route,
    minutes=4,
    difficulty=2,
    hints=(
        "A long sentence has a low log-probability behind every message. With what should its score be compared?",
        "Subtract `usual` from each row of `scores`. A softmax over the labels turns the differences into "
        "probabilities. The largest of a row decides between the label and None.",
        "Each row of the softmax (along -1) belongs to one message. `row.argmax()` is the label, as an int, and "
        "`row.max()` the confidence; append the label if the confidence is at least `threshold`, else None.",
    ),
    proves="evidence is the score minus the usual score, each message alone, and None below the threshold",
    properties=[
        Property("there is one entry per message", lambda result, scores, *_: len(result) == len(scores)),
    ],
)
