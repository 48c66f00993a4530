"""Is a stated confidence right as often as it says? Calibration error and Brier score as metrics of `evaluate`.

    CalibrationError().compute(predictions=confidences, references=correct)   # {"calibration_error": 0.12, …}
    BrierScore().compute(predictions=confidences, references=correct)         # {"brier_score": 0.18}

predictions are confidences from 0 to 1 and references say whether each answer was right (True and False, or 1 and 0).
The diagram behind the number is `helpers.old.metrics.reliability`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from datasets import Value

from helpers.old.metrics.base import Metric, equally_long, rows
from helpers.old.metrics.calibration import chance_error, expected_calibration_error


class _Confidence(Metric):
    """Confidences against what turned out."""

    COLUMNS = {"predictions": Value("float64"), "references": Value("float64")}

    def checked(self, predictions: Any, references: Any) -> dict[str, list]:
        sure = _numbers("predictions", predictions)
        right = _numbers("references", references)
        if not all(0 <= value <= 1 for value in sure):
            raise ValueError("predictions are confidences from 0 to 1, and NaN is none: leave such an answer out.")
        if not all(value in (0, 1) for value in right):
            raise ValueError("references say whether an answer was right: True or False, 1 or 0.")
        return equally_long({"predictions": sure, "references": right})


class CalibrationError(_Confidence):
    """Expected calibration error (Naeini et al., 2015; Guo et al., 2017): how far confidence is from accuracy, by bins.

    compute → calibration_error: 0 to 1, the mean distance of a bin's accuracy from its mean confidence, weighted by its
    size; by_chance: what a perfectly calibrated model of these confidences would get on so few answers, on average.
    A set has it, not a single answer, so there is no `each`.

    What it cannot see: whether confidence tells right from wrong. Whoever always says 0.7 and is right in 70 % of cases
    has 0. It grows with the number of bins and shrinks with the number of answers: compare with by_chance.
    """

    PAPER = "Guo et al., 2017, On calibration of modern neural networks. ICML."

    def __init__(self, bins: int = 10, **options: Any) -> None:
        self.bins = bins
        super().__init__(**options)

    def _compute(self, predictions: list[float], references: list[float]) -> dict[str, float]:
        return {
            "calibration_error": expected_calibration_error(predictions, np.array(references) == 1, self.bins),
            "by_chance": chance_error(predictions, self.bins),
        }


class BrierScore(_Confidence):
    """Brier score (Brier, 1950): the mean squared distance of confidence from what turned out (1 right, 0 wrong).

    compute → brier_score: 0 to 1, lower is better; 0.25 is what "0.5" always gets; each → of single answers. It equals
    `sklearn.metrics.brier_score_loss`. Unlike the calibration error it falls only if confidence is right and tells
    right from wrong.

    What it cannot see: which of the two is amiss; and where nearly all answers are right, saying "0.99" always is
    nearly perfect. Compare with always saying the share of right answers.
    """

    PAPER = "Brier, 1950, Verification of forecasts expressed in terms of probability. Monthly Weather Review 78."

    def _each(self, predictions: list[float], references: list[float]) -> dict[str, list[float]]:
        return {"brier_score": [(sure - right) ** 2 for sure, right in zip(predictions, references, strict=True)]}


def _numbers(column: str, values: Any) -> list[float]:
    found = rows(column, values)
    try:
        return [float(value) for value in found]
    except (TypeError, ValueError):
        raise ValueError(f"{column} holds numbers, not {next(v for v in found if not _is_number(v))!r:.60}.") from None


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
