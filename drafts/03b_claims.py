"""What 03b says in words, held against the recorded runs, the arithmetic and what its cells print."""

from __future__ import annotations

import re

import numpy as np
import pytest

from helpers.files import DATA, RESULTS, read_json
from helpers.pretraining import (
    PUBLISHED,
    count_parameters,
    isoflop_minimum,
    training_flops,
)
from helpers.trials.scaling_runs import LENGTH, SIZES, character_entropy, config_of, make_model, text_data
from tests.tools.notebook import ROOT

RUNS = [{**run, **run["case"]} for run in read_json(RESULTS / "03b_isoflop.json")["runs"]]
COUNTS = {size: count_parameters(make_model(size, 0)) for size in SIZES}
[LARGE] = read_json(RESULTS / "03b_held_out.json")["runs"]


def fitted(**wanted) -> list[dict]:
    return [run for run in RUNS if run["case"] == "fit" and wanted.items() <= run.items()]


# The first section ---------------------------------------------------------------------------------------------------


def test_the_three_runs_of_the_table(prose):
    for size, budget in (("16x1", 4.5e10), ("24x2", 1.35e11), ("48x2", 4e11)):
        [run] = fitted(size=size, budget=budget, seed=0)
        row = f"| {COUNTS[size].total:,} | {run['tokens'] / 1e6:.2f} million | {run['loss']:.2f} |"
        assert row in prose
    ratios = [COUNTS[b].total / COUNTS[a].total for a, b in (("16x1", "24x2"), ("24x2", "48x2"))]
    assert all(3.2 < ratio < 3.8 for ratio in ratios) and "3.5 times as large" in prose


def test_the_live_winner_is_the_recorded_one_with_both_seeds(printed):
    for seed in (0, 1):
        runs = fitted(budget=1.5e10, seed=seed)
        losses = {run["size"]: run["loss"] for run in runs}
        assert min(losses, key=losses.get) == "16x1"
        others = [loss for size, loss in losses.items() if size != "16x1"]
        assert min(others) - losses["16x1"] > 0.03  # far enough for another processor
    live = dict(re.findall(r"^(\d+x\d) .* loss (\d\.\d+) nats", printed["five-live"], re.M))
    recorded = {run["size"]: run["loss"] for run in fitted(budget=1.5e10, seed=0)}
    assert all(abs(float(live[size]) - recorded[size]) < 0.05 for size in recorded)


def test_where_a_loss_begins(prose):
    assert text_data().vocab_size == 96 and f"ln 96 = {np.log(96):.1f}" in prose


# What counts as N ----------------------------------------------------------------------------------------------------


def test_shares_of_the_embedding(prose):
    share = {size: COUNTS[size].embedding / COUNTS[size].total for size in ("8x1", "144x4")}
    assert 0.45 < share["8x1"] < 0.55 and round(100 * share["144x4"]) == 1
    assert "leaves out half of all parameters, in the largest one 1 %" in prose
    shapes = read_json(DATA / "model_shapes.json")["models"]
    small, large = shapes["HuggingFaceTB/SmolLM2-135M"], shapes["meta-llama/Llama-3.1-70B"]
    assert small["vocab_size"] * small["hidden_size"] / 1e6 == pytest.approx(28.3, abs=0.1)
    table = large["vocab_size"] * large["hidden_size"] / (large["parameters"] * 1e9)
    assert 0.01 < table < 2 * table < 0.03 + 1e-3  # the table, and the table with the head
    inside, total = (getattr(COUNTS["144x4"], name) / getattr(COUNTS["8x1"], name) for name in ("inside", "total"))
    assert 1100 < inside < 1250 and 580 < total < 650
    assert "factor of about 1,200 and “all parameters” by a factor of 600" in prose


# IsoFLOP -------------------------------------------------------------------------------------------------------------


def test_every_budget_has_its_best_size_inside(prose):
    total = {size: counts.total for size, counts in COUNTS.items()}
    best = {}
    for budget in sorted({run["budget"] for run in RUNS}):
        group = [run for run in RUNS if run["budget"] == budget and run["case"] != "shuffled"]
        best[budget], _ = isoflop_minimum([total[run["size"]] for run in group], [run["loss"] for run in group])
    assert list(best.values()) == sorted(best.values())
    assert best[1.5e10] == pytest.approx(5_000, rel=0.1) and best[4e11] == pytest.approx(57_000, rel=0.1)
    assert "from about 5,000 parameters for 15 billion operations to about 57,000 for 400 billion" in prose


def test_shuffled_text_gives_every_size_the_same_loss(prose):
    losses = [run["loss"] for run in RUNS if run["case"] == "shuffled"]
    assert len(losses) == 12 and 3.21 < min(losses) and max(losses) < 3.22
    assert "All losses lie between 3.21 and 3.22" in prose
    assert character_entropy(text_data()) == pytest.approx(3.21, abs=0.005)


def test_budgets_are_spent_as_stated():
    for run in RUNS:
        spent = run["tokens"] * training_flops(config_of(run["size"]), LENGTH)
        assert spent == pytest.approx(run["budget"], rel=0.005)


def test_the_three_exponents_do_not_overlap(printed, prose):
    found = re.findall(r"C\^(\d\.\d\d) \(95 % CI (\d\.\d\d)–(\d\.\d\d)\)", printed["exponents"])
    assert len(found) == 3 and "their intervals do not even overlap" in prose
    (_, inside_low, _), (_, all_low, all_high), (_, _, operations_high) = [tuple(map(float, row)) for row in found]
    assert inside_low > all_high and all_low > operations_high


# The law -------------------------------------------------------------------------------------------------------------


def test_ten_times_as_many_parameters_leave_that_share_of_the_second_term(prose):
    assert f"10^−0.2 = {100 * 10**-0.2:.0f} %" in prose


def test_the_held_out_size_is_ten_times_the_largest_fitted_one_and_lies_in_its_interval(printed):
    assert COUNTS["144x4"].total > 10 * max(COUNTS[run["size"]].total for run in fitted())
    line = printed["predictions"].splitlines()[3]
    predicted, low, high = map(float, re.findall(r"\d\.\d{3}", line))
    assert low < LARGE["loss"] < high and abs(predicted - np.mean([low, high])) < 0.05


def test_the_printed_law_of_2022_contradicts_its_own_model(prose):
    advised = [d / n for n, d in (law.best_split(5.76e23) for law in PUBLISHED.values())]
    assert 4.5 < advised[0] / advised[1] < 5.5 and "five times as many tokens per parameter" in prose


# Emergence -----------------------------------------------------------------------------------------------------------


def test_eight_in_a_row(prose):
    [run] = fitted(size="48x2", budget=4e11, seed=0)
    rows = run["right in a row"]
    assert round(rows["1"], 2) == 0.44 and f"that is {100 * 0.44**8:.2f} %" in prose
    assert f"It gets {100 * rows['8']:.1f} %" in prose
    firsts = [min(fitted(budget=budget), key=lambda r: r["loss"]) for budget in (1.5e10, 4.5e10, 1.35e11)]
    assert all(run["right in a row"]["8"] < 0.005 for run in firsts)  # of a hundred questions, none
    assert LARGE["right in a row"]["8"] > 2 * rows["8"]


# The plan ------------------------------------------------------------------------------------------------------------


def test_the_plan_beats_the_largest_and_the_smallest(printed):
    found = dict(
        re.findall(r"^(your plan|the largest|the smallest) .* measured (\d\.\d\d) nats", printed["plan-live"], re.M)
    )
    assert float(found["your plan"]) < min(float(found["the largest"]), float(found["the smallest"])) - 0.05


def test_a_day_of_this_machine_needs_more_text_than_there_is(printed):
    row = next(line for line in printed["budgets-table"].splitlines() if line.startswith("this machine, a day"))
    tokens = float(re.search(r"D = (\S+),", row)[1])
    assert tokens > len(text_data().train)


def test_what_the_readme_says(prose):
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "a law fitted on 42 runs of at most 88 thousand parameters" in readme and len(fitted()) == 42
    assert f"measured {LARGE['loss']:.2f} nats" in readme
