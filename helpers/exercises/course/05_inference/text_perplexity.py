"""text_perplexity: how surprised a model is by a text, token by token, each judged by the row before it."""

from __future__ import annotations

import torch
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.metrics.calibration import text_perplexity

from ._shared import normal

ANSWER = """
def text_perplexity(logits, ids, start=1):
    rows = logits[start - 1 : -1].log_softmax(-1)
    picked = rows.gather(-1, ids[start:, None])[:, 0]
    return (-picked).mean().exp().item()
"""
END = "(-picked).mean().exp().item()"
SLIPS = [
    ("start - 1 : -1", "start:", "row t is used for token t itself; it scores token t + 1."),
    ("(-picked)", "picked", "the minus is missing: a perplexity is at least 1."),
    (".exp()", "", "that is the loss; the perplexity is exp of it."),
    (END, "2 ** (-picked).mean().item()", "you raise 2 to a loss in nats: use exp."),
    ("mean().exp()", "exp().mean()", "you average perplexities; average the logs first."),
    ("mean()", "sum()", "the sum is used where the mean belongs."),
    (
        [("start - 1 : -1", ":-1"), ("start:, None", "1:, None")],
        "`start` is ignored: the prompt is judged too.",
    ),
    ("[start - 1 : -1]", "", "your rows begin at 0, your tokens at `start`: begin at start − 1."),
    ([("start - 1 : -1", "start:-1"), ("start:, None", "start + 1 :, None")], "you begin one token too late."),
    ("rows = ", "start = max(start - 1, 1)\n    rows = ", "you begin one token too early."),
    (
        "(-picked).mean()",
        "(-picked.sum() / len(ids))",
        "you divide by all tokens; divide by those from `start` on.",
    ),
    ("(-picked)", "(-picked[:-1])", "the last token is left out."),
    (".log_softmax(-1)", "", "you read logits as log-probabilities: log-softmax first."),
    (
        "log_softmax(-1)",
        "softmax(-1).log()",
        "a small probability rounds to 0, and its log is −∞: use log-softmax.",
    ),
    (
        END,
        "(1 / picked.exp().prod() ** (1 / len(picked))).item()",
        "the product of so many probabilities rounds to 0: add logs.",
    ),
]
REFUSED = [(".item()", "", "The kind of the result is wrong")]
RIGHT = [
    """
def text_perplexity(logits, ids, start=1):
    loss = torch.nn.functional.cross_entropy(logits[start - 1 : len(ids) - 1], ids[start:])
    return float(loss.exp())
""",
]


def cases(rng: Generator) -> list[tuple]:
    def case(T: int, V: int, start: int, scale: float = 1.0) -> tuple:
        return normal(rng, T, V, scale=scale), torch.tensor(rng.integers(V, size=T)), start

    rare = torch.zeros(9, 4)
    rare[3, 2] = -120.0  # its probability rounds to 0, its log does not
    sure = normal(rng, 400, 6, scale=3)  # so many factors below 1 that their product is 0 in any precision
    return [
        case(5, 7, 1),
        case(9, 4, 3, 2.0),
        case(6, 6, 5, 3.0),  # one token to judge
        (torch.zeros(4, 8), torch.tensor([1, 2, 3, 4]), 1),
        (sure * 4, torch.tensor(rng.integers(6, size=400)), 1),
        case(12, 5, 6, 2.0),
        (normal(rng, 3, 5) + 200, torch.tensor(rng.integers(5, size=3)), 2),
        (rare, torch.full((9,), 2), 1),
    ]


EXERCISE = Exercise(
    minutes=3,
    difficulty=2,
    reference=text_perplexity,
    hints=(
        "Which row of logits speaks about token 1?",
        "Row t scores token t + 1. Take the log-softmax, pick the scores of the tokens that came, average from "
        "`start` on, and take exp of minus that.",
        "`logits[start - 1 : -1].log_softmax(-1)` are the rows for `ids[start:]`. `gather` picks one number a row "
        "(it wants `ids[start:, None]`). Then minus, mean, exp, float.",
    ),
    proves="each token judged by the row before it, from `start` on, and stable over 400 tokens",
)
