"""label_score: the log-probability of a label's tokens behind its prompt, from the logits of one forward pass."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise


def label_score(logits: Tensor, ids: Tensor, n: int) -> float:
    """log p(label | prompt) in nats, of a label that is the last n tokens of a text.

    logits: (T, V), where logits[t] predicts the token behind ids[t]; ids: (T,), prompt and label  →  one number
    """
    log_p = logits[:-1].log_softmax(-1)  # (T − 1, V)
    return float(log_p.gather(-1, ids[1:, None])[-n:].sum())


ANSWER = """
def label_score(logits, ids, n):
    log_p = logits.log_softmax(-1)
    total = 0.0
    for t in range(len(ids) - n, len(ids)):
        total += float(log_p[t - 1, ids[t]])
    return total
"""
SLIPS = [
    (
        "log_p[t - 1, ids[t]]",
        "log_p[t, ids[t]]",
        "logits[t] predicts the token *behind* position t, so the token at t is judged by logits[t − 1].",
    ),
    (
        "log_p[t - 1, ids[t]]",
        "log_p[t, ids[t - 1]]",
        "you ask what follows the label for tokens of the prompt: the token at t is judged by logits[t − 1].",
    ),
    ("logits.log_softmax(-1)", "logits", "logits are not log-probabilities yet: take log_softmax over the vocabulary."),
    ("logits.log_softmax(-1)", "logits.softmax(-1)", "you add probabilities; add their logarithms."),
    (
        "logits.log_softmax(-1)",
        "logits.log_softmax(0)",
        "your log_softmax runs over the positions; it belongs over the vocabulary (-1).",
    ),
    (
        "range(len(ids) - n, len(ids))",
        "range(1, len(ids))",
        "the prompt's tokens are counted, too; only the label's n tokens are its score.",
    ),
    (
        "range(len(ids) - n, len(ids))",
        "range(len(ids) - n + 1, len(ids))",
        "the label's first token is missing: it is predicted by the prompt's last one.",
    ),
    (
        "range(len(ids) - n, len(ids))",
        "range(len(ids) - n, len(ids) - 1)",
        "the label's last token is missing.",
    ),
    (
        "range(len(ids) - n, len(ids))",
        "range(len(ids) - n, len(ids) - n + 1)",
        "only the label's first token is counted; the probability of a text is the product over all its tokens.",
    ),
    ("return total", "return total / n", "you take the mean per token; the log-probability of the label is the sum."),
    ("return total", "return -total", "a log-probability is negative; you give the surprise."),
    (
        "return total",
        "return float(torch.tensor(total).exp())",
        "that is the label's probability; its logarithm is asked for, so leave out the exp at the end.",
    ),
    (
        "return total",
        "return total / float(torch.tensor(2.0).log())",
        "your logarithm has base 2, so you count bits; a nat is the unit of the natural logarithm.",
    ),
    (
        "log_p = logits.log_softmax(-1)",
        "log_p = logits[:-1].log_softmax(0)",
        "your log_softmax runs over the positions; it belongs over the vocabulary (-1).",
    ),
    (
        "log_p[t - 1, ids[t]]",
        "log_p[t - 1].max()",
        "you take the likeliest token at each place; take the label's own tokens.",
    ),
]
REFUSED = [("return total", "return log_p", "The kind of the result")]
RIGHT = [
    """
def label_score(logits, ids, n):
    log_p = logits[:-1].log_softmax(-1)
    return log_p.gather(-1, ids[1:, None])[-n:].sum().item()
""",
    """
def label_score(logits, ids, n):
    behind = logits[-n - 1 : -1]
    chosen = behind[torch.arange(n), ids[-n:]]
    return float((chosen - behind.logsumexp(-1)).sum())
""",
    """
def label_score(logits, ids, n):
    return -float(torch.nn.functional.cross_entropy(logits[-n - 1 : -1], ids[-n:], reduction="sum"))
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(T: int, V: int, n: int) -> tuple:
        logits = torch.tensor(rng.normal(size=(T, V)) * 3, dtype=torch.float32)
        return logits, torch.tensor(rng.integers(V, size=T)), n

    return [drawn(5, 7, 2), drawn(4, 5, 1), drawn(9, 12, 8), drawn(6, 3, 3), drawn(2, 6, 1), drawn(12, 40, 4)]


EXERCISE = Exercise(
    reference=label_score,
    minutes=4,
    difficulty=2,
    hints=(
        "Which row of the logits says how probable the label's first token is?",
        "log_softmax over the vocabulary turns logits into log-probabilities. The token at position t is predicted at "
        "position t − 1. Add up those of the label's n tokens.",
        "The label's tokens stand at the positions T − n to T − 1; rows T − n − 1 to T − 2 predict them. Of each of "
        "these rows take the entry whose number is the token's id; the sum is the score.",
    ),
    proves="the score adds the log-probabilities of the label's own tokens, each predicted one position earlier",
    tolerance=1e-4,
)
