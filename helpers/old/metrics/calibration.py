"""Numbers for generated text and for confidence: how varied, how probable, and how far confidence is from the truth.

    distinct_n(replies, 2)                          # share of pairs of neighbors that are different
    text_perplexity(logits, ids)                    # among how many equally likely tokens the model hesitates
    reliability(confidences, correct)               # in bins: how sure it was, how often it was right
    expected_calibration_error(confidences, correct)

What it does not do: compare with a reference text (BLEU, ROUGE), or ask anybody whether a reply is good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

# Text ----------------------------------------------------------------------------------------------------------------


def distinct_n(replies: Sequence[str] | Sequence[int] | Sequence[Sequence[int]] | Tensor, n: int) -> float:
    """Different n-grams, divided by all n-grams, of one reply or of several together (Li et al., 2016).

    replies: one sequence of token ids, several of them, or texts, which are split at spaces. n-grams stand in one
    reply: none spans two  →  a share above 0 and at most 1; 1 means that nothing is said twice. Long replies repeat
    more, so compare replies of one length. Raises ValueError for n below 1 and where no reply has n tokens.

    >>> distinct_n(["go on and go on"], 2)
    0.75
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n is the length of an n-gram, a whole number from 1, not {n}.")
    found = [tuple(row[i : i + n]) for row in _rows(replies) for i in range(len(row) - n + 1)]
    if not found:
        raise ValueError(f"No reply has {n} tokens, so there is no {n}-gram to count.")
    return len(set(found)) / len(found)


def _rows(replies: Sequence | Tensor) -> list[list]:
    if isinstance(replies, Tensor):
        replies = replies.tolist()
    if isinstance(replies, str):
        replies = [replies]
    if len(replies) and isinstance(replies[0], int | np.integer):
        replies = [replies]  # type: ignore[list-item]
    rows = [row.tolist() if isinstance(row, Tensor) else row for row in replies]
    return [row.split() if isinstance(row, str) else list(row) for row in rows]


# Confidence ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bin:
    """Predictions of about one confidence: how many, how sure on average, how often right."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def reliability(confidences: ArrayLike, correct: ArrayLike, bins: int = 10) -> list[Bin]:
    """What a reliability diagram shows: bins of equal width over [0, 1], those without a prediction left out.

    confidences: (N,) in [0, 1]; correct: (N,) booleans. A confidence on an edge belongs to the bin below it, as in
    Guo et al. (2017). Raises ValueError for unequal lengths, no prediction, a confidence outside [0, 1], bins below 1.
    """
    sure, right = _predictions(confidences, correct)
    found = []
    for b, here in enumerate(_members(sure, bins)):
        if len(here):
            found.append(Bin(b / bins, (b + 1) / bins, len(here), float(sure[here].mean()), float(right[here].mean())))
    return found


def expected_calibration_error(confidences: ArrayLike, correct: ArrayLike, bins: int = 10) -> float:
    """Mean distance of a bin's accuracy from its confidence, bins weighted by their predictions (Naeini et al., 2015).

    0 is perfect, and chance alone keeps it above 0 (`chance_error`). Arguments and errors as in `reliability`.
    """
    found = reliability(confidences, correct, bins)
    return sum(b.count * abs(b.accuracy - b.confidence) for b in found) / sum(b.count for b in found)


def chance_error(confidences: ArrayLike, bins: int = 10, *, draws: int = 200) -> float:
    """The calibration error that a perfectly calibrated model would show on so few predictions, on average.

    Each draw lets every prediction come true with the probability that it was given. Errors as in `reliability`.
    """
    sure, _ = _predictions(confidences, np.ones(np.shape(confidences), dtype=bool))
    rng = np.random.default_rng(0)
    return float(np.mean([expected_calibration_error(sure, rng.random(len(sure)) < sure, bins) for _ in range(draws)]))


def _predictions(confidences: ArrayLike, correct: ArrayLike) -> tuple[NDArray, NDArray]:
    sure, right = np.asarray(confidences, dtype=float), np.asarray(correct, dtype=bool)
    if sure.ndim != 1 or sure.shape != right.shape:
        raise ValueError(
            f"Each confidence needs one verdict: shapes {sure.shape} and {right.shape} do not go together."
        )
    if not len(sure):
        raise ValueError("Without a prediction there is nothing to judge.")
    if not ((sure >= 0) & (sure <= 1)).all():  # False for NaN too
        raise ValueError("A confidence is a probability, between 0 and 1.")
    return sure, right


def _members(sure: NDArray, bins: int) -> list[NDArray]:
    if isinstance(bins, bool) or not isinstance(bins, int) or bins < 1:
        raise ValueError(f"bins is a whole number from 1, not {bins}.")
    place = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    return [np.flatnonzero(place == b) for b in range(bins)]
