"""Conversations with tools: what is trained is right, and shares nothing with what is tested."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from helpers.files import DataUnavailable
from helpers.old.prompting import parse_calls, wrong_arguments
from helpers.old.prompting.tools import Step, ToolAnswer
from helpers.old.trials import tool_tasks
from helpers.old.trials.tool_tasks import KINDS, SPLITS, load_tool_tasks, solved, task_groups
from helpers.old.velunda import load_orders, prices

ROWS = {split: load_tool_tasks(split) for split in SPLITS}


@pytest.fixture(scope="module")
def groups():
    return task_groups(60, seed=5)


# What is trained -----------------------------------------------------------------------------------------------------


def test_every_kind_is_trained_and_the_number_of_calls_is_what_it_says(groups):
    tasks = [task for group in groups for task in group.tasks]
    assert {task.kind for task in tasks} == set(KINDS)
    for task in tasks:
        n_calls = 0 if task.kind in ("words", "missing", "off") else task.kind.count(",") + 1
        assert task.n_calls == n_calls, task


def test_every_trained_call_fits_the_schema_of_its_tool(groups):
    for group in groups:
        known = {schema["function"]["name"]: schema for schema in group.schemas}
        for task in group.tasks:
            for message in task.messages[:-1]:
                if message["role"] == "assistant":
                    [call] = parse_calls(message["content"]).calls
                    assert wrong_arguments(call.arguments, known[call.name]) is None


# What is tested ------------------------------------------------------------------------------------------------------


def test_the_splits_have_every_kind_and_share_neither_phrasings_nor_orders():
    assert len(ROWS["dev"]) > 100 and len(ROWS["test"]) == 108
    kinds = Counter(task["kind"] for task in ROWS["test"])
    assert kinds == {"one call": 24, "two calls": 24, "three calls": 24} | dict.fromkeys(
        ("no call", "argument missing", "tool fails"), 12
    )
    bare = {split: {re.sub(r"VE-\d+", "", task["question"]) for task in ROWS[split]} for split in SPLITS}
    numbers = {split: set(re.findall(r"VE-\d+", json.dumps(ROWS[split]))) for split in SPLITS}
    assert not bare["dev"] & bare["test"] and not numbers["dev"] & numbers["test"]


def test_the_expected_answers_follow_from_the_orders_and_the_canon():
    for task in (task for split in SPLITS for task in ROWS[split] if "all" in task):
        said = [float(value) for value in task["all"] if re.fullmatch(r"[\d.]+", value)]
        if task["plan"] == ["order_info"]:
            [order] = [load_orders()[n] for n in re.findall(r"VE-\d+", task["question"])]
            known = [order["status"], order["delivery"], *(item["product"] for item in order["items"])]
            assert set(task["all"]) <= set(known)
        elif task["plan"][-1] == "shop_price":
            assert set(said) <= set(prices().values())
        elif task["plan"][0] == "order_info":
            [order] = [load_orders()[n] for n in re.findall(r"VE-\d+", task["question"])]
            assert said[0] in [item["quantity"] * item["price_eur"] for item in order["items"]]


def done(text, *steps, stopped=False):
    return ToolAnswer(text, [Step(name, {}, "") for name in steps], stopped)


def test_a_task_is_solved_by_what_is_said_and_called():
    price = {"kind": "one call", "plan": ["shop_price"], "all": ["2790"]}
    assert solved(price, done("It costs 2,790 euros.", "shop_price"))
    assert not solved(price, done("It costs 12790 euros.", "shop_price"))
    assert not solved(price, done("It costs 2790 euros.", "shop_price", stopped=True))
    words = {"kind": "no call", "plan": [], "any": ["welcome"]}
    assert solved(words, done("You are welcome.")) and not solved(words, done("You are welcome.", "calculate"))
    fails = {"kind": "tool fails", "plan": ["order_info"], "any": ["sorry"]}
    assert solved(fails, done("Sorry, there is no order VE-99999.", "order_info"))
    assert not solved(fails, done("Sorry, there is no order VE-99999."))
    assert not solved(fails, done("Sorry, it costs 89 euros.", "order_info"))


def test_an_unknown_split_and_a_missing_file_are_told(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="There is no split 'train'"):
        load_tool_tasks("train")
    monkeypatch.setattr(tool_tasks, "FOLDER", tmp_path)
    with pytest.raises(DataUnavailable):
        load_tool_tasks("dev")
