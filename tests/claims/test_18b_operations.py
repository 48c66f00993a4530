"""What 18b_operations may say of broken servers, limits, queues and long prompts, held against data and outputs."""

from __future__ import annotations

import ast
import asyncio
import json
import re

import numpy as np
import pytest
import yaml

from helpers.exercises.checking import registry
from helpers.files import RESULTS, read_json
from helpers.serving import Settings
from helpers.serving.watch import FAST, Watch

CHUNKS = {run["case"]["chunk"]: run for run in read_json(RESULTS / "18_chunk.json")["runs"]}
FIRST = "first_token_of_the_long_one_s"
take = registry()["take"].reference


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
    assert f"at 2,048, six people stand still for {pause[2048]:.0f} seconds" in prose
    assert f"At 64 they pause for {pause[64]:.1f} seconds" in prose
    assert f"after {first[64]:.0f} seconds instead of {first[2048]:.0f}" in prose
    assert pause[16] < pause[64] and f"but now the long prompt needs {first[16]:.0f}." in prose


def test_ten_short_waits_and_a_long_one(prose):
    waits = [0.1] * 10 + [9.0]
    assert f"The *mean* is {np.mean(waits):.1f} seconds" in prose


def test_the_mended_server_pauses_shorter(printed):
    before, after = (float(re.search(r"longest (\d+\.\d) s", printed[name])[1]) for name in ("pauses", "mended"))
    assert after < before
    [(fell, to)] = re.findall(r"fell from (\d+\.\d) to (\d+\.\d) s", printed["mended"])
    assert (float(fell), float(to)) == (before, after)
    assert all(re.search(r"\d+\.\d% of them longer than 1 s", printed[name]) for name in ("pauses", "mended"))


def test_the_alert_names_a_metric_and_a_bucket_that_exist(page):
    [rule] = re.findall(r"```yaml\n(.*?)```", page.prose, re.DOTALL)
    [alert] = yaml.safe_load(rule)["groups"][0]["rules"]
    watch = Watch(Settings(), lambda: None)
    text = watch.metrics().decode()
    assert 1.0 in [float(edge) for edge in FAST]
    for name in re.findall(r"llm_\w+", alert["expr"]):
        assert name in text
    assert 'llm_between_tokens_seconds_bucket{le="1.0"}' in text


# The runbook ---------------------------------------------------------------------------------------------------------


def test_every_line_of_the_runbook_was_tried(printed, page):
    [cell] = [cell for cell in page.code if cell.id == "runbook"]
    [table] = [output.data["text/markdown"] for output in cell.outputs if "text/markdown" in output.get("data", {})]
    rows = {
        row[0]: row[1:] for row in ([part.strip() for part in line.split("|")[1:-1]] for line in table.splitlines())
    }
    events = ("kill -9", "SIGTERM", "full queue", "a long prompt", "20 hang-ups")
    assert list(rows)[2:] == list(events) and all(rows[event][1] != "not tried" for event in events)
    assert rows["SIGTERM"][1] == "12 of 12 running replies finished, exit status 0"
    assert rows["20 hang-ups"][1] == "0 slots and 0 pages still taken"
    before, after = (float(re.search(r"(\d+\.\d) s", rows["a long prompt"][k])[1]) for k in (0, 1))
    assert after < before and f"fell from {before} to {after} s" in printed["mended"]
    [late] = re.findall(r"waits (\d+) s \(simulated\)", rows["full queue"][0])
    assert f"the last tenth waits {late} s" in printed["curve"]
    assert "exit: 0" in printed["runbook"]


# The appendix --------------------------------------------------------------------------------------------------------


@pytest.fixture
def own(page, tmp_path, monkeypatch):
    """The names that the appendix's cells define in an empty folder; the last cell's own run is left out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    names = {}
    for cell in page.code:
        if cell.id in ("own-client", "own-ask", "own-run"):
            exec(cell.source.split("\n\n\nown_rows")[0], names)
    return names


def test_a_line_that_a_kill_tore_is_asked_again_and_no_other(own):
    assert asyncio.run(own["own_batch"]()) == (6, 0)
    journal = own["OWN_JOURNAL"]
    whole = journal.read_text(encoding="utf-8")
    journal.write_text(whole[:-10], encoding="utf-8")
    asked = []

    async def reply(client, question):
        asked.append(question)
        return "stop", "again"

    torn = json.loads(whole.splitlines()[-1])["text"].removeprefix("ECHO ")
    own["own_reply"] = reply
    assert asyncio.run(own["own_batch"]()) == (6, 5)
    assert asked == [torn] and asyncio.run(own["own_batch"]()) == (6, 6)


@pytest.mark.parametrize(("status", "tries"), [(401, 1), (429, 5), (503, 5)])
def test_the_appendix_asks_again_only_where_that_may_help(own, status, tries, monkeypatch):
    asked = []

    async def at_once(seconds):
        pass

    async def reply(client, question):
        asked.append(question)
        error = own["APIError"]("refused", request=None, body=None)
        error.status_code = status
        raise error

    monkeypatch.setattr(asyncio, "sleep", at_once)
    own["own_reply"] = reply
    assert asyncio.run(own["own_batch"]()) == (6, 0)
    assert len(asked) == 6 * tries
    assert asyncio.run(own["own_batch"]()) == (6, 0)  # a failed row is no finished one
