"""What 18d_capacity and README.md may say of replicas, prices and autoscaling, held against data and outputs."""

from __future__ import annotations

import re

import numpy as np
import pytest

from helpers.files import RESULTS, read_json
from helpers.serving import Curve, autoscaling, break_even, erlang_b, open_queue, simulate_queue
from tests.tools.notebook import ROOT

RUNS = read_json(RESULTS / "18_load.json")["runs"]
LOAD = {run["case"]["clients"]: run for run in RUNS if run["case"]["server"] == "ours"}
REPLY = 48


CURVE = Curve.measured(list(LOAD), [run["tokens_per_s"] / REPLY for run in LOAD.values()], max_running=32)
LOAD_MOST = CURVE.most
NOON = 400 * 20 / 3600


def p95(curve: Curve, rate: float, replicas: int, routing: str, sizes: str = "fixed") -> float:
    run = simulate_queue(curve, rate=rate, replicas=replicas, routing=routing, sizes=sizes, requests=20_000, seed=2)
    return float(np.percentile(run.seconds, 95))


@pytest.fixture(scope="module")
def curve() -> Curve:
    return CURVE


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
    assert (
        open_queue(0.47 * curve.most, curve).waits_longer(0) < 1e-6 and "fewer than one request in a million" in prose
    )
    assert open_queue(0.7 * curve.most, curve).waits_longer(0) < 0.01 and "fewer than 1 % wait for a place" in prose


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


def test_the_rule_of_thumb_breaks_the_promise_while_nobody_waits(printed, prose):
    assert printed["rule"].startswith("2 replicas, 58% utilized")
    wait, reply = (float(n) for n in re.findall(r": (\d+\.\d) s", printed["rule"]))
    assert wait == 0 and 12 < reply < 13 and "18 / 2.22 = 8.1 seconds" in prose
    queue = open_queue(400 * 20 / 3600 / 2, CURVE)
    assert queue.mean_seconds == pytest.approx(8.1, abs=0.1)
    assert 2 * queue.mean_requests == pytest.approx(18, abs=0.5) and "with about nine others on average" in prose
    assert p95(CURVE, NOON, 2, "shortest") == pytest.approx(11, abs=0.5) and "the p95 is about 11 seconds" in prose


def test_two_balancers(printed, prose):
    pattern = r"(by lot|shortest queue): .*'newsletter': (\d+)"
    found = {name: int(n) for name, n in re.findall(pattern, printed["replicas"])}
    assert found == {"by lot": 8, "shortest queue": 6}
    assert "8 if the balancer draws lots, and 6 if it picks the shortest queue" in prose
    assert set(re.findall(r"'noon': (\d)", printed["replicas"])) == {"3"} and "it takes three either way" in prose


def test_a_balancer_in_turn_needs_six_too_and_falls_behind_with_unequal_lengths(prose):
    assert p95(CURVE, 3 * NOON, 6, "in turn") <= 10 < p95(CURVE, 3 * NOON, 5, "in turn")
    turn, shortest = (p95(CURVE, 3 * NOON, 6, routing, "exponential") for routing in ("in turn", "shortest"))
    assert f"its p95 is {turn:.1f} s, and {shortest:.1f} s with the shortest queue" in prose


def test_replies_of_32_tokens_need_fewer(printed, prose):
    assert "171 to read, 32 to write" in printed["tokens"]
    short = Curve.measured(list(LOAD), [run["tokens_per_s"] / 32 for run in LOAD.values()], max_running=32)
    for rate, replicas in ((NOON, 2), (3 * NOON, 4)):
        assert p95(short, rate, replicas, "shortest") <= 10 < p95(short, rate, replicas - 1, "shortest")
    alone, staffed = (break_even(price, short.most, 171 * 0.15 + 32 * 0.60) for price in (0.08, 0.33))
    assert "give 2 replicas at noon and 4 for the newsletter" in prose
    assert f"would be {alone:.0%} for the machine alone and {staffed:.0%} with the people".replace("%", " %") in prose


def test_prices_decide_and_the_text_says_so(printed, prose):
    prompt = int(re.search(r"(\d+) to read", printed["tokens"])[1])
    without, paid, staffed = (int(n) / 100 for n in re.findall(r"utilization of (\d+)%", printed["break-even"]))
    assert without == pytest.approx(break_even(0.08, LOAD_MOST * REPLY, 0.60), abs=0.01)
    assert paid == pytest.approx(break_even(0.08, LOAD_MOST, prompt * 0.15 + REPLY * 0.60), abs=0.01)
    assert 0.45 < paid / without < 0.6 and "The prompts halve the break-even" in prose
    assert 3.8 < staffed / paid < 4.5 and "the people raise it fourfold" in prose
    used = [row[1] / 100 for name, row in day(printed).items() if name in ("timetable", "yours + timetable")]
    assert all(paid < share < staffed for share in used)
    found = day(printed)
    assert found["fixed, 6"][1] / 100 < paid and "six fixed replicas, at 11 %, are below it" in prose
    assert f"together are {found['yours + timetable'][1]:.0f} % utilized" in prose
    assert (
        f"above the {paid * 100:.0f} % from" in prose
        and f"far below the {staffed * 100:.0f} % with the people" in prose
    )
    six, five = (3 * NOON / replicas / LOAD_MOST for replicas in (6, 5))
    assert f"only {six * 100:.0f} % utilized, and five, at {five * 100:.0f} %" in prose
    assert f"this plan runs {found['yours + timetable'][0] / 24:.1f} on average" in prose
    assert {run["weights"] for run in LOAD.values()} == {"float32"} and "the float32 server with prompts of 49" in prose
    assert {round(run["prompt_tokens"] / run["requests"]) for run in LOAD.values()} <= {48, 49, 50}


def test_the_autoscaler_overshoots(printed, prose):
    most = int(re.search(r"up to (\d+) replicas", printed["scaling"])[1])
    assert 25 <= most < 30 and "without the limit to almost thirty" in prose and "*overshoot*" in prose


def day(printed):
    pattern = r"^(\S.*?) +(\d+) +(\d+)% +(\S+) s +(\S+) s"
    return {name: tuple(map(float, row)) for name, *row in re.findall(pattern, printed["scaling"], re.M)}


def test_what_the_text_says_of_a_day(printed, prose):
    found = day(printed)
    kept = {name for name, row in found.items() if max(row[2:]) <= 10}
    assert kept == {"fixed, 6", "timetable", "yours + timetable"} and "Three of the six keep the promise" in prose
    busiest = autoscaling.day_of_traffic(quiet=NOON / 16, busy=NOON, spike=3.0, seed=0)
    run = autoscaling.autoscale(busiest, CURVE, autoscaling.Reactive(target=6, most=10), sizes="fixed")
    share = ((busiest >= 14 * 3600) & (busiest < 14.33 * 3600)).mean()
    assert 0.985 < (run.seconds <= 10).mean() < 0.995 and 0.065 < share < 0.075 and "Only about 7 %" in prose
    assert 5 < open_queue(0.47 * LOAD_MOST, CURVE).mean_requests < 6 and "a replica has 5.5 requests" in prose
    assert min(kept, key=found.get) == "timetable" and found["yours + timetable"][0] < 1.2 * found["timetable"][0]
    assert 50 <= found["timetable, not told"][3] < 60 and "slowest twentieth of its tickets take 50 seconds" in prose
    assert (autoscaling.Reactive(target=8).interval, autoscaling.Reactive(target=8).startup_seconds) == (15, 60)


# README and capacity sheet -------------------------------------------------------------------------------------------


def test_what_the_readme_says_of_servers(printed):
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "two servers planned by the 80 % rule break a promise of 10 seconds" in readme
    assert "8 servers behind a balancer that draws lots and 6 behind one that picks the shortest queue" in readme
    found = day(printed)
    assert 0.35 < found["yours + timetable"][0] / found["fixed, 6"][0] < 0.45
    assert "keep the promise at 40 % of the machine hours of a fixed number" in readme


def test_the_capacity_sheet_keeps_its_own_promise(page):
    [cell] = [cell for cell in page.code if cell.id == "sheet"]
    [sheet] = [output.data["text/markdown"] for output in cell.outputs if "text/markdown" in output.get("data", {})]
    assert (
        "95 % of the tickets read within 10 s, during the newsletter too" in sheet
        and "3 replicas at noon, 6 during a newsletter" in sheet
    )
    found = re.findall(r"(\d+\.\d) s (?:outside|during)", sheet)
    assert len(found) == 2 and all(float(seconds) <= 10 for seconds in found)
