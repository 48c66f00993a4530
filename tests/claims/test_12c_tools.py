"""What 12c_tools may say of tools and of the taught model, held against what runs and what was recorded."""

from __future__ import annotations

import ast
import math
import re

import pytest

from helpers.assistants import TOOLS, is_copied, plan_by_rules
from helpers.exercises.checking import registry
from helpers.trials import tool_rules, tool_tasks
from helpers.trials.records import Record
from tests.tools.notebook import ROOT, course, output_texts

RECORD = Record("12b_tools")
ALONE = RECORD.find("taught")["test"]["tasks"]
PLANNED, GIVEN = (RECORD.find("planned", by=by)["test"]["tasks"] for by in ("rules", "task"))
TEST = {task["id"]: task for task in tool_tasks.load_tool_tasks("test")}


@pytest.fixture(scope="module")
def page():
    return course().page("12c_tools")


def outputs(page, name):
    return "\n".join(output_texts(next(cell for cell in page.code if cell.id == name)))


def test_a_tower_of_nines_has_as_many_digits_as_the_text_says(page):
    digits = math.floor(9**9 * math.log10(9)) + 1
    assert f"{digits:,} digits" in page.prose


def test_a_text_is_a_constant_of_a_tree_and_grows_when_multiplied():
    assert isinstance(ast.parse("'ha' * 3", mode="eval").body.left, ast.Constant) and "ha" * 3 == "hahaha"


def test_numbers_are_copied_but_for_small_ones_and_a_hundred(page):
    heard, call = "What do helmets at 89 euros cost?", '{{"name":"calculate","arguments":{{"expression":"{}"}}}}'
    assert is_copied(call.format("12 * 89"), heard) and is_copied(call.format("89 * (100 - 5) / 100"), heard)
    assert not is_copied(call.format("13 * 89"), heard) and not is_copied(call.format("3 * 99"), heard)
    assert "Small numbers up to 12 and 100 are free" in page.prose


def test_the_lessons_come_from_the_places_that_the_text_names(page):
    names = {domain["name"] for domain in tool_tasks.domains()["domains"]}
    assert {"library", "ferry", "clinic"} <= names and "a library, a ferry, a clinic and others" in page.prose


def test_what_was_recorded_are_the_questions_of_test():
    assert {row["id"]: (row["kind"], row["family"]) for row in ALONE} == {
        task["id"]: (task["kind"], task["family"]) for task in TEST.values()
    }
    assert all(row["malformed"] == 0 for row in [*ALONE, *PLANNED])  # held to the form


def test_the_stored_table_is_the_record(page):
    shown = outputs(page, "recorded")
    for kind, score in tool_tasks.scores_by_kind(ALONE).items():
        assert f"{kind:17} {score.right:2} of {score.n} solved" in shown


def test_the_stored_baseline_is_what_rules_solve(page):
    shared = [task for task in TEST.values() if "handbook_search" not in task["plan"]]
    found = tool_rules.solve_by_rules(plan_by_rules, shared, TOOLS[1:])
    assert f"solve {sum(found)} of {len(shared)} test questions" in outputs(page, "baseline")


def test_no_exercise_is_answered_in_the_stored_outputs(page):
    assert all("not attempted" in "\n".join(output_texts(cell)) for cell, _ in page.exercises)
    assert (ROOT / "data/quizzes/12c.json").exists()


def test_what_the_text_says_of_rules_and_model_holds_with_its_intervals(page):
    def interval(line):
        low, high = re.search(
            rf"^{line}: [+-]\d+ points \(95 % CI ([+-]\d+) to ([+-]\d+)\)", shown, re.MULTILINE
        ).groups()
        return int(low), int(high)

    shown = outputs(page, "compared-gain")
    low, high = interval("model alone minus rules")
    assert low < 0 < high  # no difference is shown
    assert interval("rules first, else the model, minus rules")[0] > 0
    assert interval("rules first, else the model, minus the model alone")[0] <= 0
    assert 0.5 < sum(row["solved"] for row in ALONE) / len(ALONE) < 0.65  # a little more than half
    by_rules, by_task = (tool_tasks.scores_by_kind(rows)["three calls"].right for rows in (PLANNED, GIVEN))
    assert tool_tasks.scores_by_kind(ALONE)["three calls"].right < by_rules < by_task


def test_readme_says_what_was_recorded(page):
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    alone, by_rules = (tool_tasks.scores_by_kind(rows)["three calls"] for rows in (ALONE, PLANNED))
    assert f"{alone.right} of {alone.n} test questions that take three calls, and {by_rules.right} if rules" in readme
    title = next(cell for cell in page.code if cell.id == "compared-figure").outputs[0].metadata["image/png"]["alt"]
    both, n, rules, model = re.match(
        r"Rules first, then the model: (\d+) of (\d+); rules (\d+), the model (\d+)", title
    ).groups()
    assert (
        f"of {n} questions of all kinds it solves {model} alone, rules without a model {rules}, both together {both}"
        in readme
    )


def test_the_courses_plan_takes_questions_without_a_tool_to_the_handbook(page):
    plan = registry()["plan_calls"].reference
    asked = {
        split: [t for t in tool_tasks.load_tool_tasks(split) if t["kind"] == "no call"] for split in ("dev", "test")
    }
    right = {split: sum(not plan(task["question"]) for task in tasks) for split, tasks in asked.items()}
    assert len(asked["test"]) == 12 and right["test"] == 3 and right["dev"] >= len(asked["dev"]) - 1
    assert all(plan(t["question"]) in ([], ["handbook_search"]) for t in asked["test"])
    assert "of the twelve test questions that need no tool, it plans three rightly" in page.prose


def test_the_chat_model_gets_no_product_right(page):
    assert "right? 0 products" in outputs(page, "products")
