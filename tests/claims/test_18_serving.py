"""What 18_serving says in prose, held against what was recorded and printed."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from helpers.files import RESULTS, read_json
from helpers.serving import Settings
from tests.tools.notebook import ROOT

README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
FIELDS = ("intent", "product", "order_number", "urgency", "sentiment")


def recorded(name: str) -> list[dict]:
    return read_json(RESULTS / f"{name}.json")["runs"]


def by_clients(name: str, server: str, value) -> dict[int, float]:
    runs = [run for run in recorded(name) if run["case"]["server"] == server and "tokens_per_s" in run]
    return {run["case"]["clients"]: value(run) for run in runs}


def rates(name: str, server: str) -> dict[int, float]:
    return by_clients(name, server, lambda run: run["tokens_per_s"])


# Weights and steps ---------------------------------------------------------------------------------------------------


def test_the_weights_of_the_chat_model(prose):
    weights = 134_515_008
    assert f"{weights / 1e6:.1f} million weights" in prose and f"{weights * 4 / 1e6:.0f} MB in all" in prose
    assert f"At 10 GB per second this takes {weights * 4 / 10e9 * 1e3:.0f} ms" in prose


def test_the_recorded_load_and_its_steps(prose):
    ours, alone = rates("18_load", "ours"), rates("18_load", "ours, one at a time")
    assert (
        f"goes from {ours[1]:.0f} to {ours[16]:.0f} tokens per second, and with 32 clients it reaches {ours[32]:.0f}"
        in prose
    )
    assert f"One at a time it stays at {min(alone.values()):.0f} to {max(alone.values()):.0f}" in prose
    gaps = by_clients("18_load", "ours", lambda run: run["gap_s"]["p50"])
    assert f"{1e3 * gaps[1]:.0f} ms with one row" in prose and f"{1e3 * gaps[16]:.0f} ms with sixteen rows" in prose
    assert 9.5 < 538e6 / gaps[1] / 1e9 < 10.5, "about 10 GB per second"
    per_row = (gaps[16] - gaps[1]) / 15
    assert 5 <= (gaps[1] - per_row) / per_row <= 10, "between five and ten rows"
    assert gaps[8] == pytest.approx(gaps[1] + 7 * per_row, rel=0.15), "the recorded steps fit the formula"


def test_memory_per_token_and_per_longest_reply(prose):
    per_token = 30 * 2 * 3 * 64 * 4
    assert f"= {per_token:,} bytes per token" in prose
    longest = Settings().max_new_tokens
    assert f"up to {longest:,} tokens here, so each request takes {longest * per_token / 1e6:.0f} MB" in prose
    assert Settings().cache_mb == 256 and 256e6 // (longest * per_token) == 2 and Settings().page_size == 16
    assert Settings().chunk == 64 and "read in pieces of 64 tokens per step" in prose


# Sections 3 to 6 -----------------------------------------------------------------------------------------------------


def test_continuous_batching_needs_the_fewest_steps(printed):
    steps, static, fewest = map(
        int, re.search(r"(\d+) steps instead of (\d+).* are (\d+)", printed["steps-needed"]).groups()
    )
    assert steps == fewest < static


def test_the_prefix_cache_as_recorded(prose):
    cold, warm = (
        run["first_token_s"]["p50"] for run in sorted(recorded("18_prefix"), key=lambda r: r["case"]["shared"])
    )
    assert f"is {cold:.2f} s if each request has a system prompt of its own, and {warm:.2f} s if all have" in prose
    assert all(run["requests"] == 4 for run in recorded("18_prefix")) and "four requests each" in prose


def test_a_name_at_the_front_shares_nothing(printed, prose):
    shared = [int(n) for n in re.findall(r"(\d+) of \d+ tokens", printed["where-name"])]
    assert shared[0] == 0 and shared[1] > 1500
    assert "nothing is shared" in prose


def test_the_size_of_the_adapter(prose):
    from safetensors import safe_open

    with safe_open(ROOT / "data/adapters/tickets/adapter_model.safetensors", "np") as file:
        numbers = sum(np.prod(file.get_slice(name).get_shape()) for name in file.keys())
    assert f"{numbers / 1e6:.1f} million numbers, {100 * numbers / 134_515_008:.1f} % of the model's weights" in prose


def test_the_adapter_fills_in_five_fields(printed):
    line = next(line for line in printed["both-models"].splitlines() if line.startswith("tickets:"))
    assert tuple(json.loads(line.removeprefix("tickets:"))) == FIELDS


# The curve -----------------------------------------------------------------------------------------------------------


def test_what_is_said_of_the_peers(prose):
    ours, llama, vllm = (rates("18_peers", name) for name in ("ours", "llama.cpp", "vLLM"))
    batched = rates("18_peers", "transformers serve --continuous-batching")
    plain = rates("18_peers", "transformers serve")
    assert 9 < min(plain.values()) and max(plain.values()) < 11.5 and "about 10 tokens per second" in prose
    wait = by_clients("18_peers", "transformers serve", lambda run: run["end_to_end_s"]["p50"])[32]
    assert f"with 32 clients, half of the replies take {wait:.0f} s" in prose
    best = [f"{max(found.values()):.0f}" for found in (batched, vllm, ours)]
    assert f"it rises to {best[0]}, **vLLM** to {best[1]} and your server (*ours*, float32) to {best[2]}" in prose
    assert f"writes {llama[1]:.0f} tokens per second for a single client, {llama[1] / ours[1]:.1f} times" in prose
    assert llama[16] == pytest.approx(ours[16], rel=0.05), "with 16 clients the two are equal"
    int4 = rates("18_peers", "ours, int4")
    assert int4[1] > 1.2 * ours[1] and int4[16] < ours[16], "faster with one row, not with sixteen"


def test_the_knee(prose):
    ours = rates("18_peers", "ours")
    assert sorted(ours.values()) == list(ours.values())
    assert f"From 16 to 32 it gains {100 * (ours[32] / ours[16] - 1):.0f} %" in prose
    waits = by_clients("18_peers", "ours", lambda run: run["end_to_end_s"]["p50"])
    assert waits[32] / waits[16] == pytest.approx(2, rel=0.1), "each client waits twice as long"
    other = rates("18_load", "ours")
    assert 1.3 < other[32] / other[16] < 1.4 and "32 clients still gained a third over 16" in prose


def test_whom_the_text_stays_ahead_of(printed, prose):
    kept = dict(re.findall(r"^(.+?) +keeps ahead of +(\d+) readers", printed["promise"], re.MULTILINE))
    assert kept["ours"] == kept["llama.cpp"] == "16" and "you can promise sixteen people" in prose


def test_the_memory_of_the_servers(prose):
    most = {
        name: max(by_clients("18_peers", name, lambda run: run["memory_mb"]).values())
        for name in ("llama.cpp", "ours", "vLLM")
    }
    told = re.search(r"takes (\d\.\d) GB, all counted, where ours takes (\d\.\d) and vLLM (\d\.\d)", prose)
    for said, name in zip(told.groups(), most, strict=True):
        assert abs(float(said) - most[name] / 1000) < 0.07


def test_what_the_readme_says_of_serving():
    ours, llama = rates("18_peers", "ours"), rates("18_peers", "llama.cpp")
    assert (
        f"writes {ours[1]:.0f} tokens per second for one client and {ours[16]:.0f} for sixteen, as many as llama.cpp, "
        f"which writes {llama[1]:.0f} for one (recorded)" in README
    )
