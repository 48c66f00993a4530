"""What 18b_operations and README.md may say of limits, queues, replicas and rollouts, held against data and outputs."""

from __future__ import annotations

import ast
import json
import re

import numpy as np
import pytest
import yaml

from helpers.evaluation import load_suite
from helpers.exercises.checking import registry
from helpers.files import RESULTS, read_json
from helpers.serving import Curve, Settings, closed_queue, erlang_b, open_queue
from helpers.serving.watch import FAST, Watch
from tests.tools.notebook import ROOT

RUNS = read_json(RESULTS / "18_load.json")["runs"]
LOAD = {run["case"]["clients"]: run for run in RUNS if run["case"]["server"] == "ours"}
CHUNKS = {run["case"]["chunk"]: run for run in read_json(RESULTS / "18_chunk.json")["runs"]}
REPLY = 200
FIRST = "first_token_of_the_long_one_s"
take = registry()["take"].reference


@pytest.fixture(scope="module")
def curve() -> Curve:
    return Curve.measured(list(LOAD), [run["tokens_per_s"] / REPLY for run in LOAD.values()], max_running=32)


# A broken server -----------------------------------------------------------------------------------------------------


def test_twelve_customers_and_one_careless_program(printed, prose):
    assert "12" in printed["noticed"].splitlines()[-1]
    assert "characters, no error" in printed["noticed"] and printed["noticed"].count("APIConnectionError") == 3
    assert "12 of 12 answered" in printed["recovered"]
    assert "12 of 12 running replies finished, exit status 0" in printed["drained"]
    assert "each of the twelve gets an `APIConnectionError`" in prose


# Limits and queues ---------------------------------------------------------------------------------------------------


def test_what_the_limits_said(printed):
    lines = printed["refused"].splitlines()
    assert lines[0].startswith("guess: 401 AuthenticationError")
    assert (
        printed["refused"].count("anna: answered") == 5
        and "anna: 429 RateLimitError, Retry-After: " in printed["refused"]
    )


def test_the_example_of_the_token_bucket(prose):
    assert (
        "With a rate of 2 and a capacity of 5, somebody who sends ten requests at once gets 5; half a second" in prose
    )
    level, admitted = 5.0, 0
    for elapsed in [0.0] * 10 + [0.5, 0.0]:
        level, wait = take(level, elapsed, 2, 5)
        admitted += wait == 0
    assert admitted == 6


def test_keys_are_not_stored_and_logs_hold_no_text(printed):
    assert "'sha256': '" in printed["keys"]
    line = ast.literal_eval(printed["log-line"].strip())
    assert line["request_id"] == "case-4711" and line["cost"] > 0 and not {"prompt", "messages", "reply"} & line.keys()


def test_a_bounded_queue_refuses_what_is_too_much_and_waits_seconds(printed):
    found = re.findall(r"(\d+)% refused; the last tenth waits (\d+) s", printed["curve"])
    (none, long), (some, short) = ((int(share), int(seconds)) for share, seconds in found)
    assert none == 0 and 10 < some < 25 and short < 25 < 300 < long


# One long prompt -----------------------------------------------------------------------------------------------------


def test_the_recorded_knob():
    assert set(CHUNKS) >= {16, 64, 2048} and all(run["prompt_tokens"] > 1200 for run in CHUNKS.values())
    assert CHUNKS[2048]["longest_step_s"] > 8 * CHUNKS[64]["longest_step_s"]
    assert Settings().chunk == 64


def test_what_the_text_says_of_three_chunks(prose):
    pause, first = ({chunk: run[name] for chunk, run in CHUNKS.items()} for name in ("longest_step_s", FIRST))
    assert f"At 2,048, six people stand still for {pause[2048]:.0f} seconds" in prose
    assert f"At 64 they pause for {pause[64]:.1f} seconds" in prose
    assert f"after {first[64]:.0f} seconds instead of {first[2048]:.0f}" in prose
    assert pause[16] < pause[64] and f"but now the long prompt needs {first[16]:.0f}." in prose


def test_ten_short_waits_and_a_long_one(prose):
    waits = [0.1] * 10 + [9.0]
    assert f"The *mean* is {np.mean(waits):.1f} seconds" in prose


def test_the_alert_names_a_metric_and_a_bucket_that_exist(page):
    [rule] = re.findall(r"```yaml\n(.*?)```", page.prose, re.DOTALL)
    [alert] = yaml.safe_load(rule)["groups"][0]["rules"]
    watch = Watch(Settings(), lambda: None)
    text = watch.metrics().decode()
    assert 1.0 in [float(edge) for edge in FAST]
    for name in re.findall(r"llm_\w+", alert["expr"]):
        assert name in text
    assert 'llm_between_tokens_seconds_bucket{le="1.0"}' in text


# Capacity ------------------------------------------------------------------------------------------------------------


def test_erlang_by_hand(prose):
    b1, b2 = erlang_b(1.5, 1), erlang_b(1.5, 2)
    chance = 2 * b2 / (2 - 1.5 * (1 - b2))
    assert (round(b1, 3), round(b2, 3), round(chance, 3), round(chance / 0.5, 2)) == (0.6, 0.31, 0.643, 1.29)
    assert "one clerk lets people wait for 3 seconds" in prose
    assert open_queue(0.75, Curve.clerks(1, 1.0)).mean_wait == pytest.approx(3)


def test_what_a_reply_takes_alone_and_at_80_percent(curve, prose):
    alone, busy = 1 / curve.rates[0], open_queue(0.8 * curve.most, curve)
    assert f"takes {alone:.0f} seconds without company and {busy.mean_seconds:.0f} seconds at 80 %" in prose
    assert open_queue(0.7 * curve.most, curve).wait_percentile(95) == 0


def test_the_second_promise_takes_more_than_twice_as_many_replicas(curve, printed, prose):
    few, many = (int(n) for n in re.findall(r"(\d+) replicas", printed["replicas"]))
    assert many > 2 * few and "more than twice as many" in prose
    assert "on which a reply takes a minute" in prose
    assert 50 < closed_queue(-(-500 // few), 30, curve).mean_seconds < 70


# A new version -------------------------------------------------------------------------------------------------------


def test_what_the_suite_says_of_both_versions(printed):
    suite = load_suite("tickets").items
    runs = [run for run in read_json(RESULTS / "14_suites.json")["runs"] if run["case"]["suite"] == "tickets"]
    shares = {
        run["case"]["model"]: np.mean([r["answer"] == i.fields for r, i in zip(run["replies"], suite, strict=True)])
        for run in runs
    }
    assert len(suite) == 154
    assert f"rules {shares['tickets-rules']:.0%} right, adapter {shares['tickets']:.0%}" in printed["planned"]


def test_the_drills_and_the_hundred_tickets(printed, prose):
    lines = dict(line.split(": ", 1) for line in printed["drills"].strip().splitlines())
    assert lines["the adapter"].startswith("promote") and lines["an equal one"].startswith("keep the old version")
    wrong = int(re.search(r"(\d+) requests on the canary", lines["the wrong folder"])[1])
    assert (
        lines["the wrong folder"].startswith("roll back") and 80 <= wrong <= 120 and "About a hundred tickets" in prose
    )
    assert lines["too slow"].startswith("roll back") and "slow replies" in lines["too slow"]


def test_the_runbook_names_every_event(printed, page):
    [cell] = [cell for cell in page.code if cell.id == "runbook"]
    shown = json.dumps(cell.outputs, ensure_ascii=False)
    for event in ("kill -9", "SIGTERM", "full queue", "20 hang-ups", "rollout, the wrong folder"):
        assert event in shown


def test_what_the_readme_says_of_equal_versions(printed):
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    as_they_come, after_the_window = printed["equal"].splitlines()[:2]
    assert as_they_come == "counts what is there {'roll back': 12}"
    assert int((re.search(r"'roll back': (\d+)", after_the_window) or [0, 0])[1]) <= 2
    assert "counts outcomes as they come rolls back 12 of 12 versions that are equal to the old one" in readme
    assert "one that waits for them at most two" in readme
