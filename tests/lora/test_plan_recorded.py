"""What was measured of trainings on a CPU (data/results/08b_plan.json) beside what is predicted without any run."""

from __future__ import annotations

import json

import pytest

from helpers.files import RESULTS
from helpers.old.lora import memory_parts, read_shape
from helpers.old.lora.plan import loading_bytes
from tests.benchmarks import sweep_plan

RUNS = json.loads((RESULTS / f"{sweep_plan.NAME}.json").read_text(encoding="utf-8"))["runs"]


def predicted_mb(case: dict) -> float:
    """The training or the loading of the weights, whichever needs more."""
    shape, setting = read_shape("HuggingFaceTB/SmolLM2-135M"), sweep_plan.setting_of(case)
    return max(sum(size for _, size in memory_parts(shape, setting)), loading_bytes(shape, setting)) / 1e6


@pytest.mark.parametrize("run", RUNS, ids=lambda run: " ".join(map(str, run["case"].values())))
def test_a_measured_peak_is_within_15_percent_of_the_prediction(run):
    assert run["peak_mb"] == pytest.approx(predicted_mb(run["case"]), rel=0.15)


def test_the_settings_are_so_different_that_no_constant_would_do():
    assert len(RUNS) >= 6 and {run["case"]["method"] for run in RUNS} == {"lora", "qlora"}
    assert {run["case"]["checkpointing"] for run in RUNS} == {True, False}
    assert {run["case"]["compute"] for run in RUNS} == {"fp32", "bf16"}
    peaks = [run["peak_mb"] for run in RUNS]
    assert max(peaks) > 2 * min(peaks)


def test_what_needs_less_by_the_arithmetic_needed_less():
    order = sorted(RUNS, key=lambda run: predicted_mb(run["case"]))
    for less, more in zip(order, order[1:], strict=False):
        if predicted_mb(more["case"]) > 1.3 * predicted_mb(less["case"]):
            assert more["peak_mb"] > less["peak_mb"]
