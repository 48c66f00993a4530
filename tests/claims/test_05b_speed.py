"""What 05b_speed says of caches and of torch.compile, held against the model's sizes and what was recorded."""

from __future__ import annotations

import json
import statistics

import pytest

from helpers.memory import ARCHITECTURES
from helpers.trials.ladder import recorded
from tests.tools.notebook import ROOT, course


@pytest.fixture(scope="module")
def prose() -> str:
    return " ".join(course().page("05b_speed").prose.split())


def test_the_cache_of_one_position_and_of_long_conversations(prose):
    model = ARCHITECTURES["SmolLM2-135M"]
    one = 2 * model.layers * model.kv_heads * model.head_dim * 4  # bytes in float32
    assert f"2 (keys and values) × {model.layers} layers × {model.kv_heads} key/value heads" in prose
    assert f"× {model.head_dim} numbers × 4 bytes = {one / 1e3:.0f} kB" in prose
    assert f"8,000 tokens takes {8000 * one / 1e6:.0f} MB" in prose
    sixteen = 16 * 8000 * one
    assert f"16 conversations at once take {sixteen / 1e9:.1f} GB, ten times as much as the weights" in prose
    assert 10 <= sixteen / (4 * model.n_parameters) < 12


def test_what_a_compiler_gained_is_what_was_recorded(prose):
    record = json.loads((ROOT / "data/results/05b_compile.json").read_text(encoding="utf-8"))
    (run,) = record["runs"]
    rates = run["tokens_per_s"]
    assert len({len(found) for found in rates.values()}) == 1 and len(rates["compiled"]) >= 3  # in turns
    for name, found in rates.items():
        ratios = [ours / theirs for ours, theirs in zip(found, rates["as it is"], strict=True)]
        assert run["times"][name] == pytest.approx(statistics.median(ratios), abs=0.02)
    assert run["first_seconds"]["compiled"] > 30  # "the first call takes longer than …"
    assert all(run["same_text"].values())


def test_work_for_all_cores_was_recorded_at_about_twice_the_library(prose):
    assert "made one reply about twice as fast as the library's" in prose
    times = {run["case"]: run.get("times") for run in recorded()["runs"]}
    assert 1.8 <= times["fewer operations"] <= 2.2
