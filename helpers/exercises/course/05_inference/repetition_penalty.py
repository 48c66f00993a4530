"""repetition_penalty: what was said gets unlikelier, whatever the sign of its score."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property
from helpers.generation.sampling import repetition_penalty

from ._shared import drive_transform, normal

ANSWER = """
def repetition_penalty(r):
    def penalize(logits, ids=None):
        if ids is None:
            return logits
        said = logits.gather(-1, ids)
        new = torch.where(said < 0, said * r, said / r)
        return logits.scatter(-1, ids, new)
    return penalize
"""
NEW = "torch.where(said < 0, said * r, said / r)"
SLIPS = [
    (NEW, "said * r", "you multiply positive logits too, which makes them likelier."),
    (
        "said * r, said / r",
        "said / r, said * r",
        "it is the other way round: divide positive logits, multiply negative ones.",
    ),
    ("said * r, ", "said, ", "negative logits stay as they were: multiply them."),
    (
        "said = ",
        "ids = ids.flatten().expand(len(logits), -1)\n        said = ",
        "the ids of all rows are used for every row.",
    ),
    (
        "said = ",
        "logits = logits.log_softmax(-1)\n        said = ",
        "you scale log-probabilities; scale the logits as they come.",
    ),
    ("said = ", "logits = logits.softmax(-1)\n        said = ", "you scale probabilities; scale the logits."),
    (
        [
            (NEW, "torch.where(logits < 0, logits / r, logits * r)"),
            ("logits.scatter(-1, ids, new)", "new.scatter(-1, ids, said)"),
        ],
        "you raise the scores of tokens that were not said; lower those of tokens that were.",
    ),
    (NEW, "said / r", "you divide negative logits too, which makes them likelier."),
    (
        """
def repetition_penalty(r):
    def penalize(logits, ids=None):
        result = logits.clone()
        for b in range(len(logits) if ids is not None else 0):
            for i in ids[b]:
                result[b, i] *= r if logits[b, i] < 0 else 1 / r
        return result
    return penalize
""",
        "you penalize once for each time it was said; once is enough.",
    ),
    (
        "said = ",
        "ids = ids[:, -1:]\n        said = ",
        "only the last token is penalized; penalize every token that stands in ids.",
    ),
    (
        "said = ",
        "ids = ids[:1].expand(len(logits), -1)\n        said = ",
        "the first row's ids are used for every row.",
    ),
    (
        [
            (NEW, "torch.where(logits < 0, logits * r, logits / r)"),
            ("logits.scatter(-1, ids, new)", "new.scatter(-1, ids, said)"),
        ],
        "you lower the scores of tokens that were not said; lower those of tokens that were.",
    ),
    (NEW, "said - r", "you subtract r; scale by it."),
]
REFUSED = [
    (NEW, "said + r", "At [0, 0], the logit 4 became 6."),
    ("scatter(", "scatter_(", "It changes its input `logits`"),
    ("if ids is None", "if False", "It stops with an error when called as"),
    ("ids=None", "ids", "missing 1 required positional argument"),
]
RIGHT = [
    """
def repetition_penalty(r):
    def penalize(logits, ids=None):
        result = logits.clone()
        for b in range(len(logits) if ids is not None else 0):
            for i in set(ids[b].tolist()):
                result[b, i] *= r if logits[b, i] < 0 else 1 / r
        return result
    return penalize
""",
]


def cases(rng: Generator) -> list[tuple]:
    def ids(*shape: int, below: int) -> Tensor:
        return torch.tensor(rng.integers(below, size=shape))

    return [
        (2.0, torch.tensor([[4.0, -4.0, 1.0, -1.0]]), torch.tensor([[0, 1]])),
        (1.3, normal(rng, 2, 6, scale=3), ids(2, 4, below=6)),
        (1.5, normal(rng, 1, 5, scale=2), torch.tensor([[3, 3, 3, 1]])),  # often said
        (1.2, normal(rng, 2, 5) - 6, torch.tensor([[0, 1], [3, 4]])),  # only negative scores
        (1.0, normal(rng, 1, 4), ids(1, 3, below=4)),
        (1.1, normal(rng, 3, 9, scale=4), ids(3, 12, below=9)),
        (1.8, normal(rng, 2, 5)),  # called without ids
    ]


def raised(result: Tensor, r: float, logits: Tensor, ids: Tensor | None = None) -> str:
    """Where a score rose."""
    row, token = (~(result <= logits + 1e-6)).nonzero()[0].tolist()
    return f"At [{row}, {token}], the logit {logits[row, token]:.6g} became {result[row, token]:.6g}."


EXERCISE = Exercise(
    minutes=3,
    difficulty=2,
    reference=repetition_penalty,
    drive=drive_transform,
    first_call=1,
    hints=(
        "Divide a logit of −2 by 1.3. Is the result more or less likely than before?",
        "Of the tokens that stand in `ids`, divide positive logits by r and multiply negative ones, in each row.",
        "`logits.gather(-1, ids)` reads the scores of what was said, (B, T). `torch.where` on their sign gives the "
        "new ones, and `logits.scatter(-1, ids, new)` puts them back into a copy. Without ids, return the logits.",
    ),
    proves="what was said gets unlikelier, once, whatever its sign, and in its own row only",
    properties=[
        Property(
            "no token gets a higher score",
            lambda result, r, logits, ids=None: bool((result <= logits + 1e-6).all()),
            evidence=raised,
        ),
    ],
)
