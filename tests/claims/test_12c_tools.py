"""What 12c_tools may say of tools and of the taught model, held against what runs and what was recorded."""

from __future__ import annotations

import ast
import math

import pytest

from helpers.assistants import TOOLS, is_copied, plan_by_rules
from helpers.trials import tool_rules, tool_tasks
from helpers.trials.records import Record
from tests.tools.notebook import ROOT, course, output_texts

RECORD = Record("12b_tools")
ALONE = RECORD.find("taught")["test"]["tasks"]
PLANNED = RECORD.find("planned")["test"]["tasks"]
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
    assert all(len(group.schemas) == 4 for group in tool_tasks.task_groups(10, size=2, seed=1))


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
