"""The drills of `18_faults`, in a few seconds on a scripted server; they see what goes wrong; and what is recorded."""

from __future__ import annotations

import asyncio
import json
import os

import pytest

from helpers.old.serving import start_server
from tests.benchmarks import drills, sweep_faults
from tests.benchmarks.load_records import Reply
from tests.serving.test_server_process import SCRIPTED, gone
from tests.tools.notebook import ROOT

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGTERM that a process could handle")


@posix
def test_a_server_survives_the_drills():
    with start_server(module=SCRIPTED, max_running=16, max_waiting=8) as server:
        found = asyncio.run(drills.crowd(server, clients=40, seconds=1.0))
        assert found["answered"] + found["refused"] == found["requests"] >= 40 and found["answered"] >= 24
        assert found["crossed"] == found["refused_without_retry_after"] == found["after"]["running"] == 0

        found = asyncio.run(drills.hang_ups(server, clients=40, at_once=20, tokens=1000))
        assert found["left"] == 40 and not found["lost"] and found["answered_afterwards"]
        assert found["left_before_any_text"] > 0 and found["hang_ups_seen"] >= 30

        found = asyncio.run(drills.one_breaks(server, rounds=2, together=4))
        assert found["answered"] == 8 and found["broken_and_named"] == 2 and found["server_runs"]

        found = asyncio.run(drills.stop_under_load(server, clients=20))
        assert found["answered"] == 20 and not found["lost"] and sum(found["late"].values()) == 8
        assert found["exit_status"] == 0 and gone(server.pid)


def reply_to(request, text: str, **options) -> Reply:
    return Reply(request, 0.0, sent=0.0, text=text, arrivals=[1.0] if text else [], **options)


def test_crossed_lost_and_unnamed_replies_are_counted():
    requests = drills.nonce_requests(8)
    asked = [next(requests) for _ in range(6)]
    assert len({request.nonce for request in asked}) == 6 and {len(request.nonce) for request in asked} == {7}
    found = drills.counted(
        [
            reply_to(asked[0], asked[0].nonce),
            reply_to(asked[1], asked[2].nonce, error="wrong nonce"),
            reply_to(asked[2], asked[2].nonce[:3], error="cut off"),
            reply_to(asked[3], asked[3].nonce + "0"),
            reply_to(asked[4], "", error="HTTP 503"),
            reply_to(asked[5], "", error="HTTP 500"),
        ]
    )
    assert (found["requests"], found["answered"], found["refused"]) == (6, 1, 1)
    assert found["lost"] == {"wrong nonce": 1, "cut off": 1, "another text": 1, "HTTP 500": 1}
    assert found["crossed"] == 1 and found["refused_without_retry_after"] == 1
    assert found["first_token_s"]["p50"] == 1.0


# What is recorded ----------------------------------------------------------------------------------------------------


def recorded(drill: str) -> dict:
    runs = json.loads((ROOT / "data" / "results" / "18_faults.json").read_text(encoding="utf-8"))["runs"]
    assert [run["case"] for run in runs] == sweep_faults.CASES
    [run] = [run for run in runs if run["case"] == {"drill": drill}]
    return run


def returned(run: dict) -> None:
    """Nothing runs, waits or owns pages any more."""
    for state in (run["before"], run["after"]):
        assert state["running"] == state["waiting"] == state["pages_used"] == 0


def test_recorded_two_hundred_clients_lost_no_reply_and_got_no_others():
    run = recorded("crowd")
    assert run["clients_answered"] <= 200 < run["requests"] and run["refused"] > 0
    assert run["answered"] + run["refused"] == run["requests"] and run["answered"] >= 32 + 64
    assert not run["lost"] and run["crossed"] == run["refused_without_retry_after"] == 0
    returned(run)


def test_recorded_a_thousand_clients_who_hung_up_left_nothing_behind():
    run = recorded("hang-ups")
    assert run["left"] + run["finished_before_they_left"] == 1000 and run["left"] > 900
    assert run["left_before_any_text"] > 100 and not run["lost"] and run["answered_afterwards"]
    for part in run["after_each_quarter"]:
        assert part["running"] == part["waiting"] == part["pages_used"] == 0 and part["after_s"] < 5
    memory = [part["memory_mb"] for part in run["after_each_quarter"]]
    assert memory[-1] - memory[0] < 0.05 * memory[0], "memory grew from quarter to quarter"


def test_recorded_an_exception_ended_one_request_of_nine_in_each_round():
    run = recorded("exception")
    assert run["broken"] == run["broken_and_named"] == 16 and run["server_runs"]
    assert run["answered"] == run["requests"] == 8 * 16 and run["crossed"] == 0
    returned(run)


def test_recorded_a_server_told_to_stop_finished_what_it_had_and_took_no_more():
    run = recorded("SIGTERM")
    assert run["at_the_signal"]["running"] == 32 and run["at_the_signal"]["waiting"] == 8
    assert run["answered"] == run["requests"] == 40 and not run["lost"] and run["crossed"] == 0
    assert sum(run["late"].values()) == 8 and run["exit_status"] == 0
