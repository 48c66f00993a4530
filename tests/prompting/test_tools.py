"""Calls as models write them, and a calculator."""

from __future__ import annotations

import pytest

from helpers.old.prompting import Call, calculate, parse_calls

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
