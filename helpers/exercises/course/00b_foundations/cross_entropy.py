"""cross_entropy: minus the mean log-probability of the targets, those that are ignored left out."""

from __future__ import annotations

import math

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.foundations.probability import IGNORED, cross_entropy

from ._shared import normal

ANSWER = """
def cross_entropy(logits, targets, ignore_index=-100):
    kept = targets != ignore_index  # (N,)
    logits, targets = logits[kept], targets[kept]
    log_p = torch.log_softmax(logits, dim=-1)  # log(softmax) gives log(0) for an unlikely target
    chosen = log_p[torch.arange(len(targets)), targets]
    return -chosen.mean()
"""
LOG_P = "torch.log_softmax(logits, dim=-1)"
NOT_NEGATIVE = "log-probabilities are negative: the loss is minus their mean."
OUT_OF_RANGE = "an exp or a log has left fp32's range: log_softmax and logsumexp stay inside."
SLIPS = [
    (LOG_P, "torch.softmax(logits, dim=-1).log()", "log(softmax) is log(0) for a very unlikely target."),
    (LOG_P, "logits - logits.exp().sum(dim=-1, keepdim=True).log()", OUT_OF_RANGE),
    ("-chosen", "chosen", NOT_NEGATIVE),
    (".mean()", ".sum()", "this is the sum; take the mean over the targets that count."),
    (".mean()", ".sum() / len(kept)", "you divide by all targets, the ignored ones included."),
    (".mean()", ".mean() / math.log(2)", "this is in bits; use the natural logarithm, nats."),
    ("!= ignore_index", "!= -100", "only −100 is left out; leave out what equals `ignore_index`."),
    (LOG_P, "logits", "you take the logit itself; it must be normalized first (log_softmax)."),
    (LOG_P, "torch.softmax(logits, dim=-1)", "you take the probability; the loss is minus its logarithm."),
    (
        "logits[kept], targets[kept]",
        "logits, targets",
        "−100 marks a target to leave out, and you use it as an index: drop those rows first.",
    ),
    (LOG_P, "torch.log_softmax(logits, dim=0)", "you normalize over the rows; each row's V classes belong together."),
    (
        "log_p[torch.arange(len(targets)), targets]",
        "log_p[:, targets]",
        "`[:, targets]` takes all targets in every row; pair each row with its own by torch.arange(N).",
    ),
    (
        [(LOG_P, "torch.softmax(logits, dim=-1)"), ("-chosen.mean()", "-chosen.mean().log()")],
        "you take the logarithm of the mean; take the mean of the logarithms, so that a surprise counts in full.",
    ),
]
REFUSED = [
    (".mean()", "", "The shape of the result is wrong"),
]
RIGHT = [
    """
def cross_entropy(logits, targets, ignore_index=-100):
    return torch.nn.functional.cross_entropy(logits, targets, ignore_index=ignore_index)
""",
    """
def cross_entropy(logits, targets, ignore_index=-100):
    losses = []
    for row, target in zip(logits, targets.tolist()):
        if target != ignore_index:
            losses.append(row.logsumexp(0) - row[target])
    return sum(losses) / len(losses)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def targets(n: int, classes: int) -> Tensor:
        return torch.tensor(rng.integers(classes, size=n))

    padded, other = targets(6, 4), targets(5, 3)
    padded[[1, 4]] = IGNORED
    other[other == 0] = 1
    other[2] = 0
    return [
        (normal(rng, 3, 5), targets(3, 5), IGNORED),
        (normal(rng, 6, 4, scale=2), padded, IGNORED),
        (normal(rng, 5, 3), other, 0),  # padded with another number
        (torch.tensor([[0.0, 200.0, 0.0], [1.0, 2.0, 3.0]]), torch.tensor([0, 1]), IGNORED),
        (normal(rng, 4, 2) + 300, targets(4, 2), IGNORED),
        (normal(rng, 1, 7), targets(1, 7), IGNORED),
        (torch.zeros(2, 9), torch.tensor([8, 0]), IGNORED),
    ]


EXERCISE = Exercise(
    reference=cross_entropy,
    minutes=5,
    difficulty=2,
    hints=(
        "Which of the V log-probabilities in a row do you need?",
        "First drop the rows whose target is `ignore_index`. For the others take the log-probability at the "
        "target; the loss is minus their mean.",
        "`torch.log_softmax(logits, -1)` is safe where log(softmax) gives log(0). Keep the rows of both "
        "where `targets != ignore_index`; of the n rows left, `[torch.arange(n), targets]` picks one entry each. "
        "Take minus the mean.",
    ),
    proves="equals −log p(target) on average, skips ignored targets, and stays finite at a logit of 200",
    properties=[
        Property(
            "the loss is not negative",
            lambda result, *_: bool(result >= 0) or bool(result.isnan()),
            NOT_NEGATIVE,
        ),
        Property("the loss is finite", lambda result, *_: bool(result.isfinite()), OUT_OF_RANGE),
    ],
)
