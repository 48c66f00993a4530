"""The baseline without a model: rules write the calls, and templates the answers."""

from __future__ import annotations

import json

import pytest

from helpers.old.assistants import TOOLS, plan_by_rules
from helpers.old.prompting import run_tools
from helpers.old.trials.tool_rules import product_by_rules, reply_by_rules, solve_by_rules
from helpers.old.trials.tool_tasks import load_tool_tasks
from helpers.old.velunda import load_orders, prices

REPLY = reply_by_rules(plan_by_rules)


def asked(question):
    return run_tools(REPLY, TOOLS, question)


@pytest.mark.parametrize(
    ("question", "expression"),
    [
        ("What do three Beacons cost?", f"3 * {prices()['Beacon']}"),
        ("What do 4 Kite 500 cost?", f"4 * {prices()['Kite 500']}"),
        ("How much is a Shell with 10 percent off?", f"{prices()['Shell']} * (100 - 10) / 100"),
        ("What do a Shell and a Beacon cost together?", f"{prices()['Shell']} + {prices()['Beacon']}"),
        ("How much more does a Beacon cost than a chain?", f"{prices()['Beacon']} - {prices()['chain']}"),
        ("How much cheaper is a chain than a Beacon?", f"{prices()['Beacon']} - {prices()['chain']}"),
        ("What is 12 * 7?", "12 * 7"),
    ],
)
def test_rules_find_what_to_work_out(question, expression):
    last = asked(question).steps[-1]
    assert (last.name, last.arguments["expression"]) == ("calculate", expression)


def test_several_pieces_of_an_order_are_worked_out():
    number, order = next((number, order) for number, order in load_orders().items() if len(order["items"]) == 1)
    [item] = order["items"]
    done = asked(f"What do the things in {number} cost together?")
    assert f"{item['quantity'] * prices()[item['product']]} euros" in done.text


def test_the_item_that_shares_most_words_with_the_question_is_meant():
    told = [json.dumps({"items": "4 x Beacon light set, 3 x Perch child seat"})]
    assert product_by_rules("What do the child seats cost?", told) == "Perch child seat"
    assert product_by_rules("What do the lights cost?", told) == "Beacon light set"


def test_what_fails_is_told_and_no_number_is_made_up():
    done = asked("When does VE-10001 come?")
    assert done.steps[0].failed and done.text.startswith("Sorry, There is no order")


def test_nothing_is_called_where_the_plan_is_empty_or_none():
    for reply in (reply_by_rules(lambda question: []), reply_by_rules(lambda question: None)):
        assert not run_tools(reply, TOOLS, "What does my order cost?").steps


def test_rules_solve_chains_of_dev_but_no_general_question():
    tasks = [task for task in load_tool_tasks("dev") if task["kind"] in ("two calls", "three calls")]
    assert sum(solve_by_rules(plan_by_rules, tasks, TOOLS[1:])) / len(tasks) > 0.7
    general = [{"kind": "no call", "question": "What is the opposite of hot?", "plan": [], "any": ["cold"]}]
    assert solve_by_rules(plan_by_rules, general) == [False]
