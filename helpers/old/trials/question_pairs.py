"""Pairs of questions for a semantic cache: the same in other words, and nearly the same words with another answer.

    pairs = load_pairs("dev")
    cosines = pair_cosines(pairs, embedder())
    at(0.9, cosines, [pair.same for pair in pairs])      # Hits(served=…, wrong=…): shares at this threshold

A cache that knows `question` is asked `other`. A pair that asks the same should be a hit; one that asks something else
is a false hit if it is served the old answer.

What it does not do: say how often each kind of pair is asked. A service has to count that itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from helpers.files.safe_files import DataUnavailable, numbered_lines
from helpers.velunda.handbook import QUESTIONS, SPLITS

PAIRS = QUESTIONS.parent / "question_pairs.jsonl"


@dataclass(frozen=True)
class Pair:
    """A question of the handbook, another one, and whether the first one's answer answers both."""

    question: str
    other: str
    same: bool
    split: str


@dataclass(frozen=True)
class Hits:
    """A cache at one threshold. served: the share of pairs that ask the same and are a hit; wrong: the share of pairs
    that ask something else and are a hit all the same; precision: of all hits here, the share that is right."""

    served: float
    wrong: float
    precision: float


def load_pairs(split: str | None = None, path: Path = PAIRS) -> list[Pair]:
    """The pairs of "dev" or "test", or all; a pair has the split of its question.

    Raises ValueError for another split, DataUnavailable, in one sentence, for a file or line that does not fit.
    """
    if split is not None and split not in SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    known = {row["id"]: row["question"] for _, row in numbered_lines(QUESTIONS)}
    pairs = []
    for n, row in numbered_lines(path):
        fits = isinstance(row.get("other"), str) and isinstance(row.get("same"), bool) and row.get("split") in SPLITS
        if not fits or row.get("question") not in known:
            raise DataUnavailable(
                f"{Path(path).name}, line {n}, needs the id of a question, another one, whether they are the same, and "
                "a split: correct it."
            )
        pairs.append(Pair(known[row["question"]], row["other"], row["same"], row["split"]))
    return [pair for pair in pairs if split in (None, pair.split)]


def at(threshold: float, cosines: ArrayLike, same: ArrayLike) -> Hits:
    """What a cache would do with these pairs at a threshold: cosines (n,), same (n,) booleans, some of each.

    Raises ValueError for unequal lengths and where one of the two kinds is missing. A cache without hits makes no wrong
    one: its precision is 1.
    """
    near, alike = np.asarray(cosines, dtype=float) >= threshold, np.asarray(same, dtype=bool)
    if near.shape != alike.shape or near.ndim != 1 or alike.all() or not alike.any():
        raise ValueError("Each cosine needs one verdict, and both kinds of pairs are needed to count hits.")
    precision = float(alike[near].mean()) if near.any() else 1.0
    return Hits(float(near[alike].mean()), float(near[~alike].mean()), precision)
