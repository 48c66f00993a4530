"""What 18c_rollout and README.md may say of replicas, autoscaling and rollouts, held against data and outputs."""

from __future__ import annotations

import re

import numpy as np
import pytest

from helpers.evaluation import load_suite
from helpers.files import RESULTS, read_json
from helpers.serving import Curve, autoscaling, break_even, erlang_b, open_queue
from helpers.serving.rollout import Guardrail, NotWorse
from helpers.stats import wilson
from tests.tools.notebook import ROOT

RUNS = read_json(RESULTS / "18_load.json")["runs"]
LOAD = {run["case"]["clients"]: run for run in RUNS if run["case"]["server"] == "ours"}
REPLY = 48


CURVE = Curve.measured(list(LOAD), [run["tokens_per_s"] / REPLY for run in LOAD.values()], max_running=32)
LOAD_MOST = CURVE.most


@pytest.fixture(scope="module")
def curve() -> Curve:
    return CURVE


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


def test_the_lower_end_of_the_adapters_interval(printed, prose):
    suite = load_suite("tickets").items
    [run] = [
        run
        for run in read_json(RESULTS / "14_suites.json")["runs"]
        if (run["case"]["suite"], run["case"]["model"]) == ("tickets", "tickets")
    ]
    right = sum(r["answer"] == i.fields for r, i in zip(run["replies"], suite, strict=True))
    low = wilson(right, len(suite))[0]
    assert low == pytest.approx(0.64, abs=0.02)
    few, many = (int(n) for n in re.findall(r"(\d+) pairs", printed["planned"]))
    assert many > 3 * few and "this plan probably keeps the old version" in prose


def rows(text):
    return dict(line.strip().split(": ", 1) for line in text.splitlines() if ": " in line)


def test_what_lets_the_share_grow(printed, prose):
    found = rows(printed["by-evidence"])
    for rule, share in (("by requests", 50), ("by evidence", 5)):
        assert f"at most {share}% of users" in found[rule]
    requests = {rule: int(re.search(r"(\d+) requests$", found[rule])[1]) for rule in ("by requests", "by evidence")}
    assert 0.28 < requests["by evidence"] / requests["by requests"] < 0.4
    assert "about a third as many of their requests meet it" in prose
    assert "{'keep the old version': 10}" in found["by requests"] and "none is stopped in time" in prose


def test_the_factors_of_the_bet(prose):
    for pair, factor in (((True, False), "1.55"), ((True, True), "1.05"), ((False, True), "0.55")):
        bet = NotWorse(0.1)
        bet.update(*pair)
        assert f"{bet.wealth:.2f}" == factor and f"= {factor}" in prose


def test_the_drills(printed, prose):
    text = printed["drills"].strip()
    lines = dict(line.split(": ", 1) for line in text.splitlines() if not line.startswith(" "))
    tens = dict(zip(lines, re.findall(r"ten drills: (.*)", text), strict=True))
    assert lines["the adapter"].startswith("promote") and lines["an equal one"].startswith("keep the old version")
    for name, rail in (("the wrong folder", "invalid replies"), ("too slow", "slow replies")):
        assert lines[name].startswith("roll back") and rail in lines[name]
        assert int(re.search(r"to (\d+) hours", tens[name])[1]) < 24
    assert "The guardrails stopped the wrong folder and the slow version within a day" in prose
    wrong = int(re.search(r"(\d+) requests on the canary", lines["always wrong"])[1])
    assert lines["always wrong"].startswith("roll back") and 85 <= wrong <= 95 and "Some ninety replies" in prose
    for name in ("the wrong folder", "always wrong", "too slow"):
        assert tens[name].startswith("{'roll back': 10}") and "at most 5% of users" in tens[name]


def test_a_bolder_first_stage(printed, prose):
    found = re.findall(r"(\d+) replies in +(\d+) hours", printed["your-stages"])
    (careful, _), (bold, _), (_, late), (_, soon) = (tuple(map(int, row)) for row in found)
    assert 3.5 < bold / careful < 4.5 and "sends about four times as many replies" in prose
    assert 0.4 < soon / late < 0.6 and "the adapter is promoted in half the time" in prose


def test_regular_customers(printed, prose):
    tickets, customers = (int(n) for n in re.findall(r"(\d+) of 60 find", printed["regulars"]))
    assert tickets > 6 > 3 >= customers and "The promise of 5 % is gone if tickets count" in prose
    assert "{'go on': 60}" in printed["regulars"] and "“go on” after 150 hours" in prose


def test_a_guardrail_worked_by_hand(prose):
    guardrail = Guardrail("slow replies")
    won = [guardrail.bad("canary", 0.05) for _ in range(8)]
    assert won == [False] * 7 + [True] and round(guardrail.e_value) == round(1.905**8) == 173
    assert "eight bad events of the canary alone (1.905⁸ = 173)" in prose
    assert (f"{2 / 1.05:.3f}", f"{1 / 1.05:.3f}") == ("1.905", "0.952") and "at most 9 % of all rollouts" in prose


# Capacity ------------------------------------------------------------------------------------------------------------


def test_erlang_by_hand(prose):
    b1, b2 = erlang_b(1.5, 1), erlang_b(1.5, 2)
    chance = 2 * b2 / (2 - 1.5 * (1 - b2))
    assert (round(b1, 3), round(b2, 3), round(chance, 3), round(chance / 0.5, 2)) == (0.6, 0.31, 0.643, 1.29)
    assert "for the same 75 % of the time lets people wait for 3 seconds" in prose
    assert open_queue(0.75, Curve.clerks(1, 1.0)).mean_wait == pytest.approx(3)


def test_the_rate_of_the_400_desks(prose):
    assert f"400 · 20 / 3600 = {400 * 20 / 3600:.1f} requests per second" in prose


def test_nobody_waits_at_70_percent_and_the_wait_explodes_past_80(curve, prose):
    wait = {share: open_queue(share * curve.most, curve).wait_percentile(95) for share in (0.7, 0.8, 0.9)}
    assert wait[0.7] == 0 and wait[0.9] > 5 * wait[0.8] > 0
    assert "Up to 70 %, at least 95 % of the requests do not wait at all, and past 80 % the wait explodes" in prose


def test_formula_and_simulation(printed, prose):
    formula, mean = (
        [float(n) for n in re.findall(pattern, printed["check"])]
        for pattern in (r"formula: mean (\S+)", r"(?:exponential|fixed) +mean (\S+)")
    )
    for expected, pair in zip(formula, (mean[:2], mean[2:]), strict=True):
        assert all(abs(value / expected - 1) < 0.06 for value in pair)
    assert "The means agree within 6 %" in prose
    low, high = map(float, re.findall(r"exponential.*\((\S+) to (\S+)\)", printed["check"])[1])
    assert low < open_queue(0.9 * LOAD_MOST, CURVE).wait_percentile(95) < high
    p95 = [float(n) for n in re.findall(r"wait \+ reply (\S+) s", printed["check"])]
    assert all(1.8 < p95[k] / p95[k + 1] < 2.4 for k in (0, 2)) and "differs by a factor of two" in prose


def test_the_promise_holds_below_half_of_the_capacity(printed, prose):
    assert 43 <= int(re.search(r"up to (\d+)%", printed["kept-until"])[1]) < 50
    assert "here for a little less than half" in prose
    assert "'night': 1, 'noon': 3, 'newsletter': 8" in printed["replicas"]
    two, three = (float(n) for n in re.findall(r"p95 (\S+) s", printed["replicas"]))
    assert two > 10 >= three and "they break the promise. Three keep it" in prose


def day(printed):
    pattern = r"^(\S.*?) +(\d+) +(\d+)% +(\S+) s +(\S+) s"
    return {name: tuple(map(float, row)) for name, *row in re.findall(pattern, printed["scaling"], re.M)}


def test_what_the_text_says_of_a_day(printed, prose):
    found = day(printed)
    kept = {name for name, row in found.items() if max(row[2:]) <= 10}
    assert kept == {"fixed, 6", "timetable", "yours + timetable"} and "Three of the six keep the promise" in prose
    assert min(kept, key=found.get) == "timetable" and found["yours + timetable"][0] < 1.2 * found["timetable"][0]
    assert 40 < found["timetable, not told"][3] < 60 and "the slowest twentieth waits most of a minute" in prose
    assert all(row[1] / 100 < break_even(0.08, LOAD_MOST * REPLY, 0.60) for row in found.values())
    assert "below the break-even of section 5 for all of them" in prose
    assert (autoscaling.Reactive(target=8).interval, autoscaling.Reactive(target=8).startup_seconds) == (15, 60)


# README and release sheet --------------------------------------------------------------------------------------------


def test_what_the_readme_says_of_equal_versions():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "counts outcomes as they come rolls back 12 of 12 versions that are equal to the old one" in readme
    assert "one that waits for them at most two" in readme


def test_what_the_readme_says_of_growing_and_of_servers(printed):
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "reaches half of the users in 10 of 10 simulated rollouts if requests let its share grow" in readme
    assert printed["by-requests"].startswith("ten points worse: ") and "at most 50% of users" in printed["by-requests"]
    found = day(printed)
    assert "servers run at half of their capacity" in readme
    assert 0.35 < found["yours + timetable"][0] / found["fixed, 6"][0] < 0.45
    assert "keep it at 40 % of the machine hours of a fixed number" in readme


def test_the_release_sheet_says_what_was_decided_and_keeps_its_own_promise(page, printed):
    [cell] = [cell for cell in page.code if cell.id == "release"]
    [sheet] = [output.data["text/markdown"] for output in cell.outputs if "text/markdown" in output.get("data", {})]
    assert "| decision | promote |" in sheet and "95 % of the tickets read within 10 s" in sheet
    assert "3 replicas at noon, 8 during a newsletter" in sheet
    assert all(float(seconds) <= 10 for seconds in re.findall(r"(\d+\.\d) s (?:over|during)", sheet))
