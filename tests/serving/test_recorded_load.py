"""What the recorded loads say, as far as it does not turn on how busy the machine was."""

from __future__ import annotations

import json

import pytest

from helpers.serving.choices import load_options
from tests.tools.notebook import ROOT

NAMES = {"this course's server": "ours", "llama.cpp server": "llama.cpp"}  # of the decision table, in the sweep


def recorded(name):
    path = ROOT / "data" / "results" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))["runs"]


def measured(name, server, clients):
    [run] = [run for run in recorded(name) if run["case"] == {"clients": clients, "server": server}]
    return run


@pytest.mark.parametrize("name", ["18_load", "18_peers"])
def test_every_request_was_answered_in_full(name):
    runs = recorded(name)
    longest = max(run["tokens"] / run["answered"] for run in runs)
    for run in runs:
        assert run["requests"] == max(2, run["case"]["clients"])
        assert run["answered"] + sum(run["errors"].values()) == run["requests"]
        if run["case"]["server"] != "ours, one at a time":  # whose sixteenth request waits beyond the server's limit
            assert not run["errors"]
        assert run["tokens"] / run["answered"] > 0.8 * longest  # no server stops earlier than the others


def test_batching_saves_processor_time_and_waiting():
    for clients in (4, 8, 16):
        batched, alone = (measured("18_load", name, clients) for name in ("ours", "ours, one at a time"))
        assert batched["tokens_per_cpu_s"] > 1.5 * alone["tokens_per_cpu_s"]
        assert batched["first_token_s"]["p50"] < alone["first_token_s"]["p50"]


def test_batching_costs_nothing_where_nobody_shares():
    batched, alone = (measured("18_load", name, 1) for name in ("ours", "ours, one at a time"))
    assert batched["tokens_per_cpu_s"] == pytest.approx(alone["tokens_per_cpu_s"], rel=0.15)


def test_a_shared_system_prompt_is_read_once():
    own, shared = recorded("18_prefix")
    assert own["case"] == {"shared": 0.0} and shared["case"] == {"shared": 1.0} and not own["errors"] | shared["errors"]
    assert shared["cached_tokens"] > 0.8 * shared["prompt_tokens"] and own["cached_tokens"] < 0.1 * own["prompt_tokens"]
    assert own["cpu_s"] > 5 * shared["cpu_s"]
    assert own["first_token_s"]["p50"] > 5 * shared["first_token_s"]["p50"]


def test_ours_does_more_per_processor_second_than_the_librarys_server():
    for clients in (1, 8):
        ours = measured("18_peers", "ours", clients)["tokens_per_cpu_s"]
        for peer in ("transformers serve", "transformers serve --continuous-batching"):
            assert ours > measured("18_peers", peer, clients)["tokens_per_cpu_s"]


def test_what_the_decision_table_calls_run_was_measured():
    servers = {run["case"]["server"] for run in recorded("18_peers") if "tokens_per_cpu_s" in run}
    for option in load_options():
        if option.checked == "run":
            assert NAMES.get(option.name, option.name) in servers
