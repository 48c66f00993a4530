"""Tools: schemas from functions, calls as models write them, and a loop that survives whatever a tool does."""

from __future__ import annotations

import json
import re
import threading
from typing import Annotated, Literal, Optional

import pytest

from helpers.old.prompting import calculate, parse_calls, run_call, run_tools, tool_schema, wrong_arguments
from helpers.old.prompting.tools import Call


def rent(boat: str, hours: int = 1, kind: Literal["row", "sail"] = "row", crew: list[str] | None = None) -> float:
    """What renting a boat
    costs.

    boat: its name, such as Ida
    hours: whole hours
    """
    return 4.5 * hours


TOOLS = {"rent": rent, "calculate": calculate}


# Schemas -------------------------------------------------------------------------------------------------------------


def test_a_schema_has_openais_form():
    assert tool_schema(rent) == {
        "type": "function",
        "function": {
            "name": "rent",
            "description": "What renting a boat costs.",
            "parameters": {
                "type": "object",
                "properties": {
                    "boat": {"type": "string", "description": "its name, such as Ida"},
                    "hours": {"type": "integer", "description": "whole hours"},
                    "kind": {"type": "string", "enum": ["row", "sail"]},
                    "crew": {"type": ["array", "null"], "items": {"type": "string"}},
                },
                "required": ["boat"],
                "additionalProperties": False,
            },
        },
    }


def test_a_choice_or_none_may_be_none():
    def find(kind: Optional[Literal[1, 2]]) -> str: ...  # noqa: UP045

    assert tool_schema(find)["function"]["parameters"]["properties"]["kind"] == {
        "type": ["integer", "null"],
        "enum": [1, 2, None],
    }


def test_a_hint_that_has_no_schema_is_named():
    def find(where: dict[str, int]) -> str: ...

    with pytest.raises(TypeError, match=r"'where' of find has the hint dict\[str, int\]"):
        tool_schema(find)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "rent needs the argument 'boat'."),
        ({"boat": "Ida", "colour": "red"}, "rent has no argument 'colour': it takes boat, hours, kind, crew."),
        ({"boat": 7}, "The argument 'boat' of rent must be string, not 7."),
        ({"boat": "Ida", "hours": "2"}, "The argument 'hours' of rent must be integer, not \"2\"."),
        ({"boat": "Ida", "hours": True}, "The argument 'hours' of rent must be integer, not true."),
        ({"boat": "Ida", "kind": "steam"}, 'The argument \'kind\' of rent must be one of "row", "sail", not "steam".'),
        ({"boat": "Ida", "crew": [1]}, "The argument 'crew' of rent must be array of string or null, not [1]."),
    ],
)
def test_an_argument_that_does_not_fit_is_named(arguments, said):
    assert wrong_arguments(arguments, tool_schema(rent)) == said


# Calls ---------------------------------------------------------------------------------------------------------------

RIGHT = {"boat": "Ida", "hours": 2}


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "rent", "arguments": {"boat": "Ida", "hours": 2}}',
        'I look it up: {"name": "rent", "arguments": {"boat": "Ida", "hours": 2,},} One moment.',
        "{'name': 'rent', 'arguments': {'boat': 'Ida', 'hours': 2}}",
        '```json\n{"name": "rent",\n "parameters": {"boat": "Ida", "hours": 2}}\n```',
        '<tool_call>{"name": "rent", "arguments": {"boat": "Ida", "hours": 2}}</tool_call>',
        '{"type": "function", "function": {"name": "rent", "arguments": "{\\"boat\\": \\"Ida\\", \\"hours\\": 2}"}}',
        '{"tool_calls": [{"function": {"name": "rent", "arguments": "{\\"boat\\":\\"Ida\\",\\"hours\\":2}"}}]}',
        'In a set {a, b} I don\'t look. {"tool": "rent", "args": {"boat": "Ida", "hours": 2}}',
    ],
)
def test_calls_are_read_as_models_write_them(text):
    assert parse_calls(text) == ([Call("rent", RIGHT)], None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"name": "rent", "arguments": {"boat": "Ida"}', "breaks off"),
        ('{"name": "rent", "arguments": {"name": "Ida"}', "breaks off"),
        ('{"name": "rent" "arguments": {}}', "not valid JSON (Expecting ',' delimiter at character 17)"),
        ('{"arguments": {"boat": "Ida"}}', 'has no "name"'),
        ('{"name": "rent", "arguments": ["Ida"]}', 'The "arguments" of rent must be an object'),
        ("<tool_call>rent</tool_call>", "There is no call"),
    ],
)
def test_what_cannot_be_read_is_said(text, said):
    calls, problem = parse_calls(text)
    assert not calls and said in problem


# The loop ------------------------------------------------------------------------------------------------------------


def scripted(*replies):
    """A model that says these things in turn, and keeps what it was given."""
    left, given = list(replies), []

    def reply(messages, schemas):
        given.append([dict(message) for message in messages])
        return left.pop(0)

    return reply, given


def call(name, **arguments):
    return json.dumps({"name": name, "arguments": arguments})


def test_the_loop_gives_back_each_result_and_ends_with_the_answer():
    reply, given = scripted(call("rent", boat="Ida", hours=2), call("calculate", expression="9.0 * 3"), "27 euros.")
    done = run_tools(reply, [rent, calculate], "Three times two hours?")
    assert done.text == "27 euros." and not done.stopped
    assert [(step.name, step.result) for step in done.steps] == [("rent", "9.0"), ("calculate", "27")]
    assert [message["content"] for message in given[-1] if message["role"] == "tool"] == ["9.0", "27"]
    assert str(done).splitlines()[0] == "1. rent(boat='Ida', hours=2) → 9.0"


def test_the_loop_stops_at_its_limit():
    reply, given = scripted(*[call("calculate", expression="1")] * 9)
    done = run_tools(reply, [calculate], "?", max_steps=3)
    assert done.stopped and len(done.steps) == 3 and "3 steps" in done.text


def test_a_call_that_cannot_be_read_is_told_and_counts_as_a_step():
    reply, given = scripted('{"name": "rent"', "I cannot.")
    done = run_tools(reply, [rent], "?")
    assert done.text == "I cannot." and done.steps[0].failed and "breaks off" in given[1][-1]["content"]


def test_an_unknown_tool_and_a_wrong_argument_are_told():
    assert run_call(Call("sail", {}), TOOLS).result == "There is no tool 'sail': known are rent, calculate."
    step = run_call(Call("rent", {"boat": 3}), TOOLS)
    assert step.failed and step.result == "The argument 'boat' of rent must be string, not 3."


def test_a_tool_that_raises_is_told():
    def open_door(number: int) -> str:
        raise KeyError

    def leave() -> str:
        raise SystemExit("bye")

    tools = {"open_door": open_door, "leave": leave}
    assert run_call(Call("open_door", {"number": 1}), tools).result == "open_door failed: KeyError"
    assert run_call(Call("leave", {}), tools).result == "leave failed: bye"


def test_a_tool_that_hangs_is_left_behind():
    never = threading.Event()

    def wait() -> str:
        never.wait(10)
        return "late"

    step = run_call(Call("wait", {}), {"wait": wait}, seconds=0.05)
    never.set()
    assert step.failed and step.result == "wait gave no result within 0.05 seconds."


# The calculator ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "value"),
    [("3 * (89 + 10)", 297), ("2490 − 10 % 4", 2488), ("3 × 1.1", 3.3), ("-2 ** 2", -4), ("7 ÷ 2", 3.5), ("6/2", 3)],
)
def test_arithmetic_is_worked_out(expression, value):
    assert calculate(expression) == value
    assert isinstance(calculate(expression), type(value))


@pytest.mark.parametrize(
    "expression",
    [
        *("9**9**9**9", "10**65", "(10**15)**64", "1e15**64", "1e999", "1/0", "0**-1", "(-8)**0.5"),
        *("2 apples", "", "True + 1", "'a' * 9", "__import__('os').getcwd()", "(lambda: 1)()", "[1][0]", "abs(1)", "x"),
        *("1 if 1 else 2", "(" * 100 + "1", "1+" * 150 + "1", "1\x00"),
    ],
)
def test_everything_else_is_refused_in_one_sentence(expression):
    with pytest.raises(ValueError, match=r"\.$"):
        calculate(expression)


def booking(number: Annotated[str, re.compile(r"B-[0-9]{3}")]) -> str:
    """What was booked."""
    return number


def test_a_text_of_one_form_is_told_in_the_schema_and_checked():
    schema = tool_schema(booking)
    assert schema["function"]["parameters"]["properties"]["number"] == {"type": "string", "pattern": "^(?:B-[0-9]{3})$"}
    assert wrong_arguments({"number": "B-123"}, schema) is None
    assert wrong_arguments({"number": "B-1234"}, schema) == (
        "The argument 'number' of booking must be string of the form ^(?:B-[0-9]{3})$, not \"B-1234\"."
    )
