"""What 18b_operations and README.md may say of limits, queues, replicas and rollouts, held against data and outputs."""

from __future__ import annotations

import ast
import asyncio
import json
import re

import numpy as np
import pytest
import yaml

from helpers.evaluation import load_suite
from helpers.exercises.checking import registry
from helpers.files import RESULTS, read_json
from helpers.serving import Curve, Settings, autoscaling, closed_queue, erlang_b, open_queue, replicas_for
from helpers.serving.rollout import Guardrail
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


def test_at_most_seven_agents_of_a_replica_can_wait(curve, printed, prose):
    plan = replicas_for(users=500, think_seconds=30, curve=curve, wait_seconds=1.0)
    assert plan.users - 32 == 7 and f"up to {plan.users} users each, 91% utilized" in printed["replicas"]
    assert (
        f"With {plan.users} users and 32 slots, at most 7 can wait" in prose and "Why does nobody wait at 91 %" in prose
    )


def test_what_the_text_says_of_a_day(printed, prose):
    rows = {
        name: [float(n) for n in re.findall(r"(\d+(?:\.\d+)?)(?= s| {5,}|%|$)", rest)]
        for name, rest in re.findall(
            r"^(fixed|by the clock|clock, no newsletter|reactive) +(.*)$", printed["scaling"], re.M
        )
    }
    hours, newsletter = ({name: row[k] for name, row in rows.items()} for k in (0, 2))
    for name in ("by the clock", "reactive"):
        assert 0.65 < 1 - hours[name] / hours["fixed"] < 0.75
    assert "save about 70 % of its replica-hours" in prose
    assert min(newsletter, key=newsletter.get) == "reactive" and min(newsletter.values()) > 30
    assert autoscaling.Reactive(target=8).most > 8


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


def test_the_drills(printed, prose):
    text = printed["drills"].strip()
    lines = dict(line.split(": ", 1) for line in text.splitlines() if not line.startswith(" "))
    tens = dict(zip(lines, re.findall(r"ten drills: (.*)", text), strict=True))
    assert lines["the adapter"].startswith("promote") and lines["an equal one"].startswith("keep the old version")
    for name, rail in (("the wrong folder", "invalid replies"), ("too slow", "slow replies")):
        assert lines[name].startswith("roll back") and rail in lines[name]
        assert int(re.search(r"to (\d+) hours", tens[name])[1]) < 24
    assert "stopped by guardrails within a day" in prose
    wrong = int(re.search(r"(\d+) requests on the canary", lines["always wrong"])[1])
    assert lines["always wrong"].startswith("roll back") and 55 <= wrong <= 65 and "Some sixty tickets" in prose
    for name in ("the wrong folder", "always wrong", "too slow"):
        assert tens[name].startswith("{'roll back': 10}") and "at most 5% of users" in tens[name]


def test_a_guardrail_worked_by_hand(prose):
    guardrail = Guardrail("slow replies")
    won = [guardrail.bad("canary", 0.05) for _ in range(8)]
    assert won == [False] * 7 + [True] and round(guardrail.e_value) == 173
    assert "eight of the canary alone (1.90⁸ = 173)" in prose
    assert f"exp(−3) = {np.exp(-3):.0%}".replace("%", " %") in prose


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
