"""Tools: what a model is told, what a call gives back, and rules; whatever goes wrong is one sentence."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from helpers import tools


def run(name, arguments):
    return tools.run_call(name, arguments, tools.TOOLS | {"leave": leave, "dump": dump, "inside": inside})


def inside() -> set:
    return TypeAdapter(int).validate_python("secret")


def leave() -> str:
    raise SystemExit("bye")


def dump() -> str:
    return "x" * 10_000_000


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("shop_price", '{"product": "two Shells"}', "89 euros"),
        ("calculate", '{"expression": "-5 + 3"}', "-2"),
        ("weather", "{}", "There is no tool weather: known are shop_price, calculate"),
        ("shop_price", '{"product": 5}', "shop_price failed: product: Input should be a valid string."),
        ("shop_price", '{"product": "Kyte"}', "shop_price failed: There is no price for Kyte."),
        ("order_info", '{"order": "VE-00000"}', "order_info failed: There is no order VE-00000."),
        ("calculate", '{"expression": "1 / 0"}', "calculate failed: It divides by zero."),
        ("calculate", f'{{"expression": "1{" + 1" * 3000}"}}', "calculate failed: This is too long"),
        ("calculate", '{"expression": "9 ** 9"}', "calculate failed: 9 ** 9 is not allowed"),
        ("shop_price", '{"prod', "shop_price failed: arguments: Invalid JSON"),
        ("leave", "{}", "leave failed."),
        ("inside", "{}", "inside failed."),
        ("dump", "{}", "xxx"),
    ],
)
def test_a_call_gives_its_result_or_one_sentence(name, arguments, said):
    assert run(name, arguments).startswith(said) and len(run(name, arguments)) < 2_100


def test_rules_answer_what_their_words_cover():
    answer, steps = tools.answer_by_rules("What do the trailers of VE-35969 cost together?", run)
    assert answer == "That is 2334 euros." and [name for name, *_ in steps] == ["order_info", "shop_price", "calculate"]
    assert tools.plan_by_rules("Thanks, that is everything.") is None


def test_a_question_is_solved_by_its_answer_and_not_by_another():
    for task in tools.tool_questions("dev") + tools.tool_questions("test"):
        said, steps = " ".join(task.get("all", task.get("any", [])[:1])), [(name, "{}", "") for name in task["plan"]]
        assert tools.solved(task, said, steps) and not tools.solved(task, "", steps)


def test_no_question_of_test_has_a_phrasing_or_an_order_of_dev():
    dev, test = tools.tool_questions("dev"), tools.tool_questions("test")
    assert not {task["question"] for task in dev} & {task["question"] for task in test}
    numbers = [{n for task in rows for n in tools.order_numbers(task["question"])} for rows in (dev, test)]
    assert not numbers[0] & numbers[1]
