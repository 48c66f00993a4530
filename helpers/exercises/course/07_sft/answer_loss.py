"""answer_loss: the mask moves with the ids: an answer's first token counts, and the one behind its end does not."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

from helpers.exercises.checking.spec import Exercise, Property


def answer_loss(logits: Tensor, ids: Tensor, trained: Tensor) -> Tensor:
    """Mean surprise at the trained tokens, nats.

    logits: (B, T, V), row t scores what follows token t; ids: (B, T); trained: (B, T) bool  →  a number
    """
    log_probs = logits[:, :-1].log_softmax(-1)  # the last row scores what nobody wrote
    surprise = -log_probs.gather(-1, ids[:, 1:, None])[..., 0]  # (B, T - 1)
    kept = trained[:, 1:]
    return (surprise * kept).sum() / kept.sum()


ANSWER = """
def answer_loss(logits, ids, trained):
    log_probs = logits[:, :-1].log_softmax(-1)  # the last row scores what nobody wrote
    surprise = -log_probs.gather(-1, ids[:, 1:, None])[..., 0]
    kept = trained[:, 1:]
    return (surprise * kept).sum() / kept.sum()
"""
MEAN = "(surprise * kept).sum() / kept.sum()"
SLIPS = [
    ("trained[:, 1:]", "trained[:, :-1]", "the mask still stands one place off."),
    (
        "trained[:, 1:]",
        "trained[:, :-1] & trained[:, 1:]",
        "a token counts only where the one before it does: the first is lost.",
    ),
    (MEAN, "surprise.mean()", "every token counts; only the trained ones should."),
    (MEAN, "(surprise * kept).mean()", "you divide by all places; divide by how many count."),
    ("/ kept.sum()", "/ trained.sum()", "you count the first token too, which is given and never asked."),
    (" / kept.sum()", "", "this is the sum; the mean divides by how many count."),
    (
        MEAN,
        "((surprise * kept).sum(1) / kept.sum(1)).mean()",
        "a mean of each row's mean: a token in a short answer counts for more, a row without any gives NaN.",
    ),
    ("ids[:, 1:, None]", "ids[:, :-1, None]", "the ids do not move: each place is held against itself."),
    (
        [
            ("logits[:, :-1]", "logits[:, 1:]"),
            ("ids[:, 1:, None]", "ids[:, :-1, None]"),
            ("trained[:, 1:]", "trained[:, :-1]"),
        ],
        "this is turned around: a token is scored by the logits one row *before* it.",
    ),
    (
        MEAN,
        "((surprise * kept).sum(1) / kept.sum(1)).nan_to_num().mean()",
        "a mean of each row's mean: a token in a short answer counts for more.",
    ),
    ("-log_probs", "log_probs", "the sign: surprise is *minus* the logarithm."),
    (
        [("ids[:, 1:, None]", "ids[:, :-1, None]"), ("trained[:, 1:]", "trained[:, :-1]")],
        "now each place is held against itself; the ids were right where they stood.",
    ),
    (
        "logits[:, :-1]",
        "logits[:, 1:]",
        "these logits score the token behind; the row before scores this one.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    (MEAN, "((surprise * kept).sum() / kept.sum()).detach()", "no gradient reaches them"),
    ("trained[:, 1:]", "trained", "It stops with an error"),
]
RIGHT = [
    (MEAN, "surprise[kept].mean()"),
    """
def answer_loss(logits, ids, trained):
    labels = torch.where(trained, ids, -100)[:, 1:]
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels.flatten(), ignore_index=-100)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def case(rows: int, time: int, trained: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        logits = torch.tensor(3 * rng.normal(size=(rows, time, 7)), dtype=torch.float32)
        return logits, torch.tensor(rng.integers(7, size=(rows, time))), trained

    def spans(time: int, *ends: tuple[int, int]) -> Tensor:
        places = torch.arange(time)
        return torch.stack([(places >= start) & (places < end) for start, end in ends])

    whole = spans(6, (0, 6), (0, 6))  # the first token is given, never asked
    logits, *given = case(2, 6, spans(6, (3, 6), (2, 4)))
    return [
        case(1, 8, spans(8, (4, 7))),
        (logits.requires_grad_(), *given),  # as in training
        case(2, 9, spans(9, (5, 9), (3, 5))),  # unequal answers
        case(2, 6, whole),
        case(3, 7, spans(7, (6, 7), (2, 6), (3, 4))),
        case(1, 5, torch.tensor([[False, True, False, True, True]])),  # two answers
        case(2, 4, spans(4, (2, 4), (0, 0))),  # nothing is trained in the second row
    ]


EXERCISE = Exercise(
    reference=answer_loss,
    minutes=3,
    difficulty=2,
    hints=(
        "`trained` says of each token whether it is trained. Of which tokens is `surprise` the surprise?",
        "`surprise` begins with the second token, since nothing foretells the first. The mask begins with the "
        "first. So the first token of an answer is never trained, and one behind its end is.",
        "Ids and mask have to move together. The surprise belongs to `ids[:, 1:]`, so the mask that goes with it "
        "is cut in the same way: its first column falls away, not its last. The logits are right as they are.",
    ),
    proves="exactly the trained tokens count, from the first of an answer to its end, in rows of any lengths",
    properties=[
        Property(
            "it can be trained by",
            lambda result, logits, *_: result.requires_grad or not logits.requires_grad,
            "`.detach()`, `.data` or a new tensor cuts the loss off from the logits: no gradient reaches them.",
            evidence=lambda result, *_: "The logits need a gradient, and your result has none to give.",
        ),
    ],
)
