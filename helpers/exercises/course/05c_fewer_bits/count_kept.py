"""count_kept: how many drafted tokens greedy decoding may keep."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise


def count_kept(draft: Tensor, best: Tensor) -> int:
    """How many drafted tokens are kept: those before the first one that the model would not have written.

    draft: (k,) ids, k may be 0. best: (k + 1,), the model's own choice at each drafted place and behind them.
    """
    same = best[: len(draft)] == draft
    return int(same.cumprod(0).sum())


ALL_OR_NONE = "drafts before the first wrong one are kept, even if a later one is wrong."
NO_FALSE = "where every draft is right, there is no wrong one to be found: then all k are kept."
EMPTY = "k may be 0, and an empty draft has no smallest or largest; and where every draft is right, all k are kept."
SLIPS = [
    (
        "same.cumprod(0).sum()",
        "same.sum()",
        "you also count right drafts *behind* a wrong one; the model would have read another text by then.",
    ),
    ("same.cumprod(0).sum()", "len(draft) * bool(same.all())", ALL_OR_NONE),
    ("same.cumprod(0).sum()", "same.int().argmin() if len(draft) else 0", NO_FALSE),
    ("same.cumprod(0).sum()", "same.int().argmin()", EMPTY),
    ("same.cumprod(0).sum()", "(~same).int().argmax()", EMPTY),
    (
        "best[: len(draft)]",
        "best[1:]",
        "you compare with the choice one place further on: `best[0]` stands where the first draft stands.",
    ),
    (
        "same.cumprod(0).sum()",
        "same.cumprod(0).sum() + 1",
        "the model's own token is not a draft: one too many.",
    ),
    ("same.cumprod(0).sum()", "(~same).sum()", "that counts the wrong ones."),
    ("same.cumprod(0).sum()", "(~same).int().argmax() if len(draft) else 0", NO_FALSE),
]
PLANTED = SLIPS[0]
REFUSED = [("int(same.cumprod(0).sum())", "same.cumprod(0).sum()", "Expected an int")]
RIGHT = [
    """
def count_kept(draft, best):
    n = 0
    for mine, its in zip(draft.tolist(), best.tolist()):
        if mine != its:
            break
        n += 1
    return n
""",
    """
def count_kept(draft, best):
    wrong = (best[:-1] != draft).nonzero()
    return int(wrong[0]) if len(wrong) else len(draft)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def pair(k: int, wrong: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        best = torch.tensor(rng.permutation(50)[: k + 1])  # no two alike: a shifted comparison finds nothing
        draft = best[:k].clone()
        draft[list(wrong)] += 100
        return draft, best

    return [
        pair(5, (2,)),  # right ones follow the wrong one
        pair(4, ()),
        pair(6, (0,)),
        pair(3, (2,)),
        pair(0, ()),
        pair(8, (3, 6)),
        pair(1, (0,)),
        pair(2, (0, 1)),
    ]


EXERCISE = Exercise(
    reference=count_kept,
    minutes=3,
    difficulty=2,
    hints=(
        "The model chose 7, 4, 9 and 5, and the draft says 7, 8, 9. Which drafts may stay?",
        "Behind a wrong draft, the model's choices belong to a text that will never be written. A right draft "
        "counts only if all before it are right.",
        "Let 1 stand for a right draft and 0 for a wrong one. A running product stays 1 until the first 0 and is 0 "
        "from there on: `same.cumprod(0)` turns 1, 0, 1, 1 into 1, 0, 0, 0. Its sum is what you want.",
    ),
    proves="drafts count up to the first wrong one, whether it is the first, one in the middle, or none",
)
