"""greedy_f1: BERTScore. Every token takes its most similar partner in the other text."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise
from helpers.old.metrics.embeddings import greedy_match


def greedy_f1(answer: Tensor, reference: Tensor) -> float:
    """BERTScore's F1 of two texts.

    answer: (n, C), reference: (m, C), one vector of length 1 per token. The first and the last row of each belong to
    special tokens: others may choose them as partners, but their own choices do not count.
    """
    weights = []
    for side in (answer, reference):
        counts = torch.ones(len(side))
        counts[[0, -1]] = 0
        weights.append(counts)
    return greedy_match(answer, reference, *weights)[2]


ANSWER = """
def greedy_f1(answer, reference):
    cosine = answer @ reference.T
    precision = cosine.max(dim=1).values[1:-1].mean()
    recall = cosine.max(dim=0).values[1:-1].mean()
    return float(2 * precision * recall / (precision + recall))
"""
WHOLE = ANSWER.split("\n", 2)[2]
SLIPS = [
    (
        WHOLE,
        """    cosine = answer[1:-1] @ reference[1:-1].T
    precision = cosine.max(dim=1).values.mean()
    recall = cosine.max(dim=0).values.mean()
    return float(2 * precision * recall / (precision + recall))
""",
        "the special tokens may be chosen as partners: take the maxima first, and then cut the first and the last.",
    ),
    (
        "cosine = answer @ reference.T",
        "cosine = answer[1:-1] @ reference[1:-1].T",
        "special tokens may be chosen as partners: cut them off after the maximum, not before.",
    ),
    (
        "cosine.max(dim=1).values[1:-1].mean()",
        "cosine.max(dim=1).values.mean()",
        "the choices of the first and the last token count in your precision: leave them out of the mean.",
    ),
    (
        "cosine.max(dim=0).values[1:-1].mean()",
        "cosine.max(dim=0).values.mean()",
        "the choices of the first and the last token count in your recall: leave them out of the mean.",
    ),
    (
        "cosine.max(dim=1).values[1:-1].mean()",
        "cosine.mean(dim=1)[1:-1].mean()",
        "each token takes its best partner, not the mean over all of them.",
    ),
    (
        "float(2 * precision * recall / (precision + recall))",
        "float((precision + recall) / 2)",
        "F1 is the harmonic mean of precision and recall, not their arithmetic mean.",
    ),
    ("float(2 * precision * recall / (precision + recall))", "float(precision)", "that is the precision alone."),
    ("float(2 * precision * recall / (precision + recall))", "float(recall)", "that is the recall alone."),
]
REFUSED = [("cosine = answer @ reference.T", "cosine = answer * reference", "")]
RIGHT = [
    """
def greedy_f1(answer, reference):
    def kept(side, other):
        return sum(float((other @ token).max()) for token in side[1:-1]) / (len(side) - 2)

    precision, recall = kept(answer, reference), kept(reference, answer)
    return 2 / (1 / precision + 1 / recall)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def vectors(n: int, width: int) -> Tensor:
        drawn = torch.tensor(rng.normal(0.8, size=(n, width)), dtype=torch.float32)  # all to one side
        return torch.nn.functional.normalize(drawn, dim=-1)

    same = vectors(5, 6)
    return [
        (same, same),
        *((vectors(n, 6), vectors(m, 6)) for n, m in ((5, 4), (3, 9), (9, 3), (7, 6))),
        (vectors(4, 12), vectors(11, 12)),
    ]


EXERCISE = Exercise(
    reference=greedy_f1,
    minutes=6,
    difficulty=2,
    hints=(
        "What does one product of the two matrices hold, and of what shape is it?",
        "`answer @ reference.T` is (n, m): the largest value of a row is what a token of the answer gets, that of a "
        "column what a token of the reference gets.",
        "Take the maxima with `.max(dim=1).values` and `.max(dim=0).values`, cut both with `[1:-1]`, take the means as "
        "precision and recall, and return 2PR / (P + R).",
    ),
    proves="each token takes its best partner, special tokens only serve as partners, and F1 joins both directions",
)
