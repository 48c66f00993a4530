"""Calibration error and Brier score as metrics: a case by hand, scikit-learn, and input that is refused."""

from __future__ import annotations

import evaluate
import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from helpers.old.metrics import BrierScore, CalibrationError, chance_error, expected_calibration_error


def test_calibration_error_by_hand():
    # bins of width 0.5: two at mean 0.3, one of them right; three at mean 0.9, two right
    asked = {"predictions": [0.2, 0.4, 0.8, 0.9, 1.0], "references": [0, 1, 1, 1, 0]}
    found = CalibrationError(bins=2).compute(**asked)
    assert found["calibration_error"] == pytest.approx(2 / 5 * abs(0.5 - 0.3) + 3 / 5 * abs(2 / 3 - 0.9))
    assert found["by_chance"] == chance_error(asked["predictions"], 2)


def test_brier_equals_scikit_learn():
    rng = np.random.default_rng(0)
    sure, right = rng.random(200), rng.random(200) < 0.6
    asked = {"predictions": sure, "references": right}
    assert BrierScore().compute(**asked)["brier_score"] == pytest.approx(brier_score_loss(right, sure))
    assert BrierScore().each(**asked)["brier_score"] == pytest.approx(((sure - right) ** 2).tolist())
    assert CalibrationError().compute(**asked)["calibration_error"] == expected_calibration_error(sure, right)


def test_whoever_always_says_the_share_is_calibrated_and_tells_nothing_apart():
    asked = {"predictions": [0.7] * 10, "references": [1] * 7 + [0] * 3}
    assert CalibrationError().compute(**asked)["calibration_error"] == pytest.approx(0)
    assert BrierScore().compute(**asked)["brier_score"] == pytest.approx(0.21)


def test_both_combine():
    both = evaluate.combine([CalibrationError(), BrierScore()])
    found = both.compute(predictions=[0.9, 0.2], references=[True, False])
    assert set(found) == {"calibration_error", "by_chance", "brier_score"}


@pytest.mark.parametrize("kind", [CalibrationError, BrierScore])
@pytest.mark.parametrize(
    ("predictions", "references", "said"),
    [
        ([0.5, float("nan")], [1, 0], "NaN is none"),
        ([0.5, 1.2], [1, 0], "from 0 to 1"),
        ([0.5, -0.1], [1, 0], "from 0 to 1"),
        ([0.5], [0.5], "True or False"),
        ([0.5], [float("nan")], "True or False"),
        ([0.5, 0.6], [1], "2 predictions and 1 references"),
        ([], [], "empty"),
        (["sure"], [1], "predictions holds numbers, not 'sure'"),
        ([0.5], ["yes"], "references holds numbers, not 'yes'"),
        ([None], [1], "predictions holds numbers, not None"),
    ],
)
def test_bad_input_is_refused(kind, predictions, references, said):
    with pytest.raises(ValueError, match=said):
        kind().compute(predictions=predictions, references=references)


def test_a_single_answer_has_no_calibration_error():
    with pytest.raises(NotImplementedError, match="use compute"):
        CalibrationError().each(predictions=[0.5], references=[1])
