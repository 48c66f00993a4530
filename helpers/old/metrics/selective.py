"""When to say "I do not know": confidence, the risk of answering above it, and a threshold chosen on dev.

    curve = risk_coverage(confidences, correct)           # answer the surest share of questions: how many are wrong?
    threshold = calibrate_threshold(confidences, correct, max_risk=0.2)          # on dev, never on test
    risk_bound(wrong=2, given=30)                         # 0.168: up to here the true share may well be
    calibrate_threshold(confidences, correct, max_risk=0.2, confidence=0.9)      # the bound keeps the promise, too

Nothing is learned here but one number, so a few dozen questions are enough to learn it, and to learn it badly: report
what it does on questions that did not choose it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class RiskCoverage:
    """The curve (El-Yaniv and Wiener, 2010): point i answers what has a confidence of `thresholds[i]` or more.

    thresholds (n,) fall, coverage (n,) rises: the share that is answered; risk (n,): the share of those that is wrong.
    """

    thresholds: NDArray
    coverage: NDArray
    risk: NDArray


def risk_coverage(confidences: ArrayLike, correct: ArrayLike) -> RiskCoverage:
    """Risk and coverage at every threshold that makes a difference.

    confidences: (N,) finite numbers, larger is surer; correct: (N,) booleans; for a question that cannot be answered,
    any answer is wrong. Raises ValueError for unequal lengths, no question, and a confidence that is no number.
    """
    sure, right = np.asarray(confidences, dtype=float), np.asarray(correct, dtype=bool)
    if sure.ndim != 1 or sure.shape != right.shape or not len(sure):
        raise ValueError(f"Each confidence needs one verdict, at least one: not {sure.shape} and {right.shape}.")
    if not np.isfinite(sure).all():
        raise ValueError("A confidence is a finite number, not NaN or infinite.")
    order = np.argsort(-sure, kind="stable")
    sure, wrong = sure[order], ~right[order]
    last = np.append(sure[1:] != sure[:-1], True)  # questions of equal confidence are answered together
    answered = np.arange(1, len(sure) + 1)[last]
    return RiskCoverage(sure[last], answered / len(sure), wrong.cumsum()[last] / answered)


def risk_bound(wrong: ArrayLike, given: ArrayLike, confidence: float = 0.9) -> ArrayLike:
    """The largest share of wrong answers that can still be believed after `wrong` of `given` answers were wrong.

    With a larger true share, so few wrong ones would turn up with a probability below 1 − confidence. Arrays broadcast;
    all wrong, or none given: 1. Raises ValueError for counts that cannot be and a confidence outside (0, 1).

    C. J. Clopper and E. S. Pearson (1934), one-sided. Matches the upper end of
    `scipy.stats.binomtest(wrong, given, alternative="less").proportion_ci(confidence)`.
    """
    from scipy.stats import beta

    wrong, given = np.asarray(wrong), np.asarray(given)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence lies between 0 and 1, as in 0.9, not {confidence}.")
    if not ((0 <= wrong) & (wrong <= given)).all():
        raise ValueError("Of the answers given, none to all can be wrong.")
    bound = np.where(wrong < given, beta.ppf(confidence, wrong + 1, np.maximum(given - wrong, 1)), 1.0)
    return bound if bound.ndim else float(bound)


def calibrate_threshold(
    confidences: ArrayLike, correct: ArrayLike, max_risk: float, confidence: float | None = None
) -> float:
    """The lowest threshold whose risk on these questions is at most `max_risk`; infinity, never answer, if none is.

    Lowest: of all that keep the promise, the one that answers most. confidence: not the risk itself but its
    `risk_bound` must be at most `max_risk`. Raises ValueError as `risk_coverage` and `risk_bound`, and for a max_risk
    outside [0, 1].
    """
    if not 0 <= max_risk <= 1:
        raise ValueError(f"max_risk is a share of answers, between 0 and 1, not {max_risk}.")
    curve = risk_coverage(confidences, correct)
    risk = curve.risk
    if confidence is not None:
        given = np.round(curve.coverage * np.size(correct))
        risk = risk_bound(np.round(risk * given), given, confidence)
    kept = curve.thresholds[risk <= max_risk]
    return float(kept.min()) if len(kept) else math.inf
