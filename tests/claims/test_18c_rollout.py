"""What 18c_rollout and README.md may say of replicas, autoscaling and rollouts, held against data and outputs."""

from __future__ import annotations

import re

import numpy as np
import pytest

from helpers.evaluation import load_suite
from helpers.files import RESULTS, read_json
from helpers.serving import Curve, autoscaling, closed_queue, erlang_b, open_queue, replicas_for
from helpers.serving.rollout import Guardrail
from tests.tools.notebook import ROOT

RUNS = read_json(RESULTS / "18_load.json")["runs"]
LOAD = {run["case"]["clients"]: run for run in RUNS if run["case"]["server"] == "ours"}
REPLY = 200


@pytest.fixture(scope="module")
def curve() -> Curve:
    return Curve.measured(list(LOAD), [run["tokens_per_s"] / REPLY for run in LOAD.values()], max_running=32)


# Young outcomes ------------------------------------------------------------------------------------------------------


def test_ten_tickets_after_two_hours(prose):
    corrected, closed = 4 * (1 - np.exp(-2 / 2)), 6 * (1 - np.exp(-2 / 24))
    assert f"63 % have come (1 − exp(−2/2)), which makes {corrected:.1f}" in prose
    assert f"8 % have come (1 − exp(−2/24)), which makes {closed:.1f}" in prose
    assert f"read {closed / (closed + corrected):.0%}".replace("%", " %") in prose
    assert f"{np.exp(-72 / 24):.0%}".replace("%", " %") + " of the closings are still missing" in prose


def test_equal_versions_are_rolled_back_or_not(printed, prose):
    assert printed["equal"].splitlines()[0].startswith("{'roll back': 12} after ")
    waited = printed["equal-mended"].splitlines()[0]
    assert int((re.search(r"'roll back': (\d+)", waited) or [0, 0])[1]) <= 2
    assert "All twelve are thrown out" in prose


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
    text = printed["drills"].partition("<div")[0].strip()
    lines = dict(line.split(": ", 1) for line in text.splitlines() if not line.startswith(" "))
    tens = dict(zip(lines, re.findall(r"ten drills: (.*)", text), strict=True))
    assert lines["the adapter"].startswith("promote") and lines["an equal one"].startswith("keep the old version")
    for name, rail in (("the wrong folder", "invalid replies"), ("too slow", "slow replies")):
        assert lines[name].startswith("roll back") and rail in lines[name]
        assert int(re.search(r"to (\d+) hours", tens[name])[1]) < 24
    assert "The guardrails stopped the wrong folder and the slow version within a day" in prose
    wrong = int(re.search(r"(\d+) requests on the canary", lines["always wrong"])[1])
    assert lines["always wrong"].startswith("roll back") and 55 <= wrong <= 65 and "Some sixty replies" in prose
    for name in ("the wrong folder", "always wrong", "too slow"):
        assert tens[name].startswith("{'roll back': 10}") and "at most 5% of users" in tens[name]


def test_a_guardrail_worked_by_hand(prose):
    guardrail = Guardrail("slow replies")
    won = [guardrail.bad("canary", 0.05) for _ in range(8)]
    assert won == [False] * 7 + [True] and round(guardrail.e_value) == 173
    assert "eight bad events of the canary alone (1.90⁸ = 173)" in prose
    assert f"only {np.exp(-3):.0%}".replace("%", " %") + " of the closings are still to come (exp(−3))" in prose


# Capacity ------------------------------------------------------------------------------------------------------------


def test_erlang_by_hand(prose):
    b1, b2 = erlang_b(1.5, 1), erlang_b(1.5, 2)
    chance = 2 * b2 / (2 - 1.5 * (1 - b2))
    assert (round(b1, 3), round(b2, 3), round(chance, 3), round(chance / 0.5, 2)) == (0.6, 0.31, 0.643, 1.29)
    assert "for the same 75 % of the time lets people wait for 3 seconds" in prose
    assert open_queue(0.75, Curve.clerks(1, 1.0)).mean_wait == pytest.approx(3)


def test_what_a_reply_takes_alone_and_at_80_percent(curve, prose):
    alone, busy = 1 / curve.rates[0], open_queue(0.8 * curve.most, curve)
    assert f"takes {alone:.0f} seconds without company and {busy.mean_seconds:.0f} seconds at 80 %" in prose
    assert open_queue(0.7 * curve.most, curve).wait_percentile(95) == 0


def test_the_second_promise_takes_more_than_twice_as_many_replicas(curve, printed, prose):
    few, many = (int(n) for n in re.findall(r"(\d+) replicas", printed["replicas"]))
    assert many > 2 * few and "more than twice as many" in prose
    assert "a reply takes a minute on them" in prose
    assert 50 < closed_queue(-(-500 // few), 30, curve).mean_seconds < 70


def test_at_most_seven_agents_of_a_replica_can_wait(curve, printed, prose):
    plan = replicas_for(users=500, think_seconds=30, curve=curve, wait_seconds=1.0)
    assert plan.users - 32 == 7 and f"up to {plan.users} users each, 91% utilized" in printed["replicas"]
    assert (
        f"With {plan.users} users and 32 places, at most 7 can wait" in prose
        and "Why does nobody wait at 91 %" in prose
    )


def test_what_the_text_says_of_a_day(printed, prose):
    pattern = (
        r"^(fixed|timetable|timetable, not told|yours, target 8|yours, target 12) +(\d+) +(\d+) s +(\d+) s, (\S+)%"
    )
    rows = {name: tuple(map(float, numbers)) for name, *numbers in re.findall(pattern, printed["scaling"], re.M)}
    hours, newsletter = ({name: row[k] for name, row in rows.items()} for k in (0, 2))
    assert len(rows) == 5
    for name in ("timetable", "yours, target 8", "yours, target 12"):
        assert 0.65 < 1 - hours[name] / hours["fixed"] < 0.75
    assert "save about 70 % of its replica-hours" in prose
    assert min(newsletter, key=newsletter.get) == "yours, target 8" and min(newsletter.values()) > 30
    assert hours["yours, target 12"] == pytest.approx(hours["timetable"], rel=0.05)
    assert newsletter["yours, target 8"] < newsletter["yours, target 12"] < newsletter["fixed"]
    assert autoscaling.Reactive(target=8).most > 8
    assert (autoscaling.Reactive(target=8).interval, autoscaling.Reactive(target=8).startup_seconds) == (15, 60)


# README and release sheet --------------------------------------------------------------------------------------------


def test_what_the_readme_says_of_equal_versions():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "counts outcomes as they come rolls back 12 of 12 versions that are equal to the old one" in readme
    assert "one that waits for them at most two" in readme


def test_what_the_readme_says_of_servers(printed):
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    few, many = re.findall(r"(\d+) replicas", printed["replicas"])
    assert f"With 500 users, one promise takes {few} servers and another {many}" in readme
    hours = {
        name: int(re.search(rf"^{name} +(\d+) ", printed["scaling"], re.M)[1]) for name in ("fixed", "yours, target 8")
    }
    assert 0.3 < hours["yours, target 8"] / hours["fixed"] < 0.36
    assert "needs a third of the machine hours of a fixed number" in readme


def test_the_release_sheet_says_what_was_decided(page, printed):
    [cell] = [cell for cell in page.code if cell.id == "release"]
    [sheet] = [output.data["text/markdown"] for output in cell.outputs if "text/markdown" in output.get("data", {})]
    assert "| decision | promote |" in sheet
    [(count, users)] = re.findall(r"(\d+) replicas with up to (\d+) agents each", sheet)
    assert f"{count} replicas with up to {users} users each" in printed["replicas"]
