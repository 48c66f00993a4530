"""What the recorded loads say, as far as it does not turn on how busy the machine was."""

from __future__ import annotations

import json

import pytest

from helpers.old.serving.choices import load_options
from tests.tools.notebook import ROOT

NAMES = {"this course's server": "ours", "llama.cpp server": "llama.cpp"}  # of the decision table, in the sweep


def recorded(name):
    path = ROOT / "data" / "results" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))["runs"]


def measured(name, server, clients):
    [run] = [run for run in recorded(name) if run["case"] == {"clients": clients, "server": server}]
    return run


@pytest.mark.parametrize(("name", "least"), [("18_load", 8), ("18_peers", 4)])
def test_every_request_was_answered_in_full(name, least):
    runs = recorded(name)
    longest = max(run["tokens"] / run["answered"] for run in runs)
    for run in runs:
        assert run["requests"] == run["answered"] == max(least, run["case"]["clients"])
        assert not run["errors"]
        assert run["tokens"] / run["answered"] > 0.8 * longest  # no server stops earlier than the others


def test_batching_multiplies_what_a_server_writes():
    for clients, factor in ((4, 2), (8, 3), (16, 4), (32, 5)):
        batched, alone = (measured("18_load", name, clients) for name in ("ours", "ours, one at a time"))
        assert batched["tokens_per_s"] > factor * alone["tokens_per_s"]
        assert batched["first_token_s"]["p50"] < alone["first_token_s"]["p50"]


def test_batching_costs_nothing_where_nobody_shares():
    batched, alone = (measured("18_load", name, 1) for name in ("ours", "ours, one at a time"))
    assert batched["tokens_per_s"] > 0.95 * alone["tokens_per_s"]


def test_the_load_generator_takes_little_of_the_cores():
    for run in recorded("18_load") + recorded("18_peers"):
        assert run["client_cores"] < 0.1


def test_a_shared_system_prompt_is_read_once():
    own, shared = recorded("18_prefix")
    assert own["case"] == {"shared": 0.0} and shared["case"] == {"shared": 1.0} and not own["errors"] | shared["errors"]
    assert shared["cached_tokens"] > 0.8 * shared["prompt_tokens"] and own["cached_tokens"] < 0.1 * own["prompt_tokens"]
    assert own["first_token_s"]["p50"] > 5 * shared["first_token_s"]["p50"]


def test_ours_writes_more_than_the_librarys_server_and_vllm():
    for clients in (1, 4, 8, 16, 32):
        ours = measured("18_peers", "ours", clients)["tokens_per_s"]
        for peer in ("transformers serve", "transformers serve --continuous-batching", "vLLM"):
            assert ours > measured("18_peers", peer, clients)["tokens_per_s"]


def test_llama_cpp_is_ahead_until_sixteen_share_it():
    for clients, ahead in ((1, True), (4, True), (8, True), (32, False)):
        ours, theirs = (measured("18_peers", name, clients)["tokens_per_s"] for name in ("ours", "llama.cpp"))
        assert (theirs > ours) == ahead


def test_what_the_decision_table_calls_run_was_measured():
    servers = {run["case"]["server"] for run in recorded("18_peers") if "tokens_per_cpu_s" in run}
    for option in load_options():
        if option.checked == "run":
            assert NAMES.get(option.name, option.name) in servers
