"""What 05b_speed says of the cache and of work for all cores, held against the model's sizes and what was recorded."""

from __future__ import annotations

import pytest
from helpers.memory import ARCHITECTURES
from helpers.trials.ladder import recorded

from tests.tools.notebook import course


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
    assert f"16 conversations at once take {sixteen / 1e9:.1f} GB, eleven times as much as the weights" in prose
    assert round(sixteen / (4 * model.n_parameters)) == 11


def test_work_for_all_cores_was_recorded_at_about_twice_the_library(prose):
    assert "made one reply about twice as fast as the library's" in prose
    times = {run["case"]: run.get("times") for run in recorded()["runs"]}
    assert 1.8 <= times["fewer operations"] <= 2.2


def test_what_the_limits_leave_out_of_a_large_batch(prose):
    model = ARCHITECTURES["SmolLM2-135M"]
    one, weights = 2 * model.layers * model.kv_heads * model.head_dim * 4, 4 * model.n_parameters
    short, long = 32 * 100 * one, 32 * 2000 * one
    assert f"fetches {short / 1e6:.0f} MB, {short / weights:.0%} on top".replace("%", " %") in prose
    assert f"it would fetch {long / 1e9:.1f} GB, more than five times the weights" in prose
    assert 5 < long / weights < 6
    assert f"256 tokens that is {256 * one / 1e6:.0f} MB beside {weights / 1e6:.0f} MB" in prose
    assert f"which is {8000 * one / weights:.0%} on top".replace("%", " %") in prose
