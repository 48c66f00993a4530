"""Plans by rules: right for the questions they were written for, silent where they know nothing."""

from __future__ import annotations

import pytest

from helpers.old.assistants import TOOLS
from helpers.old.assistants.tool_plans import plan_by_rules
from helpers.old.trials.tool_tasks import load_tool_tasks

DEV = load_tool_tasks("dev")


@pytest.mark.parametrize(
    ("question", "plan"),
    [
        ("When does VE-48213 come?", ["order_info"]),
        ("What is the lock in VE-48213 worth?", ["order_info", "shop_price"]),
        ("What do the helmets in VE-48213 cost together?", ["order_info", "shop_price", "calculate"]),
        ("How much is a Kite 400?", ["shop_price"]),
        ("What do 3 Kite 400 cost?", ["shop_price", "calculate"]),
        ("What do a chain and a pedal cost?", ["shop_price", "shop_price"]),
        ("By how much is a Kite 500 dearer than a Kite 400?", ["shop_price", "shop_price", "calculate"]),
        ("What is 12 * 7?", ["calculate"]),
    ],
)
def test_order_numbers_names_and_words_for_amounts_make_the_plan(question, plan):
    assert plan_by_rules(question) == plan


@pytest.mark.parametrize(
    "question", ["How do I book a test ride?", "What does it cost?", "Thank you!", "Is the Kite good?"]
)
def test_what_the_rules_do_not_know_is_left_to_the_model(question):
    assert plan_by_rules(question) is None


def test_numbers_and_words_in_names_do_not_count():
    assert plan_by_rules("What does the charger 4 A cost?") == ["shop_price"]
    assert plan_by_rules("Prices for a pair of brake pads and a Kite 500?") == ["shop_price", "shop_price"]


def test_most_of_the_chains_they_were_written_for_are_planned_rightly():
    chains = [task for task in DEV if task["kind"] in ("two calls", "three calls")]
    right = [plan_by_rules(task["question"]) == task["plan"] for task in chains]
    assert sum(right) / len(right) > 0.9
    assert not any(plan_by_rules(task["question"]) for task in DEV if not task["plan"])


def test_every_planned_tool_exists():
    names = {tool.__name__ for tool in TOOLS}
    assert {name for task in DEV for name in plan_by_rules(task["question"]) or ()} <= names
