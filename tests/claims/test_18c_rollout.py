"""What 18c_rollout and README.md may say of rollouts, held against data and outputs."""

from __future__ import annotations

import re

import numpy as np
import pytest
from helpers.evaluation import load_suite
from helpers.serving.rollout import Guardrail, NotWorse

from helpers.files import RESULTS, read_json
from helpers.stats import wilson
from tests.tools.notebook import ROOT

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


# README and release sheet --------------------------------------------------------------------------------------------


def test_what_the_readme_says_of_equal_versions():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "counts outcomes as they come rolls back 12 of 12 versions that are equal to the old one" in readme
    assert "one that waits for them at most two" in readme


def test_what_the_readme_says_of_growing(printed):
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "reaches half of the users in 10 of 10 simulated rollouts if requests let its share grow" in readme
    assert printed["by-requests"].startswith("ten points worse: ") and "at most 50% of users" in printed["by-requests"]


def sheet(page):
    [cell] = [cell for cell in page.code if cell.id == "release"]
    [found] = [output.data["text/markdown"] for output in cell.outputs if "text/markdown" in output.get("data", {})]
    return found


def test_the_release_sheet_shows_the_median_drill(page, printed):
    found = sheet(page)
    assert "| decision | promote |" in found and "53% to 73% right on the suite" in found
    hours = int(re.search(r"\| time \| (\d+) hours", found)[1])
    median = int(re.search(r"the adapter +release +\d+ replies in +(\d+) hours", printed["your-stages"])[1])
    assert abs(hours / median - 1) < 0.1, "the sheet's drill is not the one with the median time"


def test_a_stopped_test_overstates_the_gain(printed, prose):
    put_in = int(re.search(r"a lead of (\d+) points", printed["lead"])[1])
    shown = [int(n) for n in re.search(r"\[(.*)\]", printed["lead"])[1].split(", ")]
    assert len(shown) >= 8 and np.median(shown) > put_in and "**overstates the gain** on average" in prose
    assert min(shown[:3]) >= max(shown[3:]) and "The drills that were decided first show the largest leads" in prose


def test_smoke_test_shadow_and_canary_come_in_this_order(prose):
    places = [prose.index(word) for word in ("**smoke test**", "**shadowing**", "this is what the **canary** is for")]
    assert places == sorted(places)
