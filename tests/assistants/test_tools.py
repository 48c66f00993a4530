"""The caller of tools: what the model is told, the form it is held to, Velunda's tools, and plans made by code."""

from __future__ import annotations

import re
from typing import Literal

import pytest

from helpers.old.assistants import (
    ToolCaller,
    call_text,
    order_lookup,
    price_lookup,
    reply_pattern,
    tool_chat,
    tool_line,
)
from helpers.old.assistants.tools import TOOLS, is_copied
from helpers.old.prompting import calculate, parse_calls, tool_schema
from helpers.old.velunda import load_orders
from tests.training.test_chats import tokenizer  # noqa: F401
from tests.training.test_libraries import tiny  # noqa: F401


def fare(passenger: str, season: Literal["summer", "winter"], n: int = 1, guide: bool | None = None) -> float:
    """Fare in euros.

    passenger: adult or child
    """


SCHEMA = tool_schema(fare)


# What the model is told, and may say ---------------------------------------------------------------------------------


def test_a_tool_is_told_in_one_line_and_results_are_turns_of_the_user():
    assert tool_line(SCHEMA) == "fare(passenger, season=summer|winter, n, guide): Fare in euros"
    call = call_text("fare", {"passenger": "adult", "season": "summer"})
    asked = [{"role": "user", "content": "What?<|im_end|>"}, {"role": "assistant", "content": call}]
    chat = tool_chat([*asked, {"role": "tool", "name": "fare", "content": "26"}], [SCHEMA])
    assert [turn["role"] for turn in chat] == ["system", "user", "assistant", "user"]
    assert chat[3]["content"] == "Result: 26" and "<|" not in chat[1]["content"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"passenger": "adult", "season": "winter"},
        {"passenger": "a {dog}", "season": "summer", "n": -2, "guide": None},
        {"passenger": "x", "season": "summer", "guide": True},
    ],
)
def test_every_call_that_fits_the_schema_is_in_the_form(arguments):
    call = call_text("fare", arguments)
    assert re.fullmatch(reply_pattern([SCHEMA]), call)
    assert parse_calls(call).calls == [("fare", arguments)]


@pytest.mark.parametrize(
    "reply",
    [
        '{"name":"fares","arguments":{"passenger":"x","season":"summer"}}',
        '{"name":"fare","arguments":{"passenger":"x","season":"spring"}}',
        '{"name":"fare","arguments":{"passenger":"x"}}',
        '{"name":"fare","arguments":{"passenger":"","season":"summer"}}',
        '{"name":"fare","arguments":{"passenger":"x","season":"summer","n":"2"}}',
        '{"name":"fare","arguments":{"passenger":"x","season":"summer"}',
    ],
)
def test_a_malformed_call_is_not_in_the_form(reply):
    assert not re.fullmatch(reply_pattern([SCHEMA]), reply)


def test_words_are_in_the_form_unless_a_call_is_wanted():
    assert re.fullmatch(reply_pattern([SCHEMA]), "It costs 26 euros.")
    assert not re.fullmatch(reply_pattern([SCHEMA], words=False), "It costs 26 euros.")
    assert re.fullmatch(reply_pattern([], words=False), "It costs 26 euros.")


def test_an_argument_that_the_model_cannot_write_is_named():
    def add(numbers: list[int]) -> int: ...

    with pytest.raises(ValueError, match="'numbers' of add is an array"):
        reply_pattern([tool_schema(add)])


# Velunda's tools -----------------------------------------------------------------------------------------------------


def test_an_order_is_found_as_customers_write_its_number():
    number, order = next(iter(load_orders().items()))
    told = order_lookup(number)
    assert told["status"] == order["status"] and list(told) == ["items", "status", "delivery"]
    assert all(f"{item['quantity']} x {item['product']}" in told["items"] for item in order["items"])
    assert order_lookup(number.lower().replace("-", " ")) == order_lookup(number[3:]) == told


def test_what_is_not_there_is_said_by_the_tools():
    with pytest.raises(LookupError, match="There is no order VE-99999."):
        order_lookup("VE-99999")
    with pytest.raises(LookupError, match="There is no price for Falcon 900."):
        price_lookup("Falcon 900")
    assert price_lookup("the Kite 500") == "2790 euros"


def test_every_tool_has_a_schema_that_the_model_can_be_told():
    lines = [tool_line(tool_schema(tool)) for tool in TOOLS]
    assert [line.split("(")[0] for line in lines] == ["handbook_search", "shop_price", "calculate", "order_info"]
    assert all(len(line) < 100 for line in lines) and reply_pattern([tool_schema(tool) for tool in TOOLS])


# The loop, with a scripted model -------------------------------------------------------------------------------------


class Scripted(ToolCaller):
    """Says what a rule makes of a conversation."""

    def __init__(self, rule, **options):
        super().__init__(None, None, [price_lookup, calculate], **options)
        self.rule = rule

    def replies(self, conversations, batch=12):
        return [self.rule([message["content"] for message in messages]) for messages, _ in conversations]


def twice_the_price(said):
    """Looks up what the question names, doubles it, and says it."""
    if len(said) == 1:
        return call_text("price_lookup", {"product": said[0]})
    if len(said) == 3 and said[2].endswith("euros"):
        return call_text("calculate", {"expression": f"2 * {said[2].split()[0]}"})
    return said[-1]


def test_bad_input_is_told_in_one_sentence():
    with pytest.raises(ValueError, match="The question is empty"):
        Scripted(twice_the_price)("  ")
    with pytest.raises(ValueError, match="leave held=True"):
        Scripted(twice_the_price, held=False, plan=lambda question: [])


# Copied texts --------------------------------------------------------------------------------------------------------

KNOWN = "What do 3 Kite 500 and a set of spokes cost?\n89 euros"


@pytest.mark.parametrize(
    ("value", "copied"),
    [
        ("Kite 500", True),
        ("kite", True),
        ("set of spoke", True),
        ("3 * 89", True),
        ("89 * 90 / 100", False),
        ("Kit", False),
        ("sparkle", False),
        ("500 * 7000", False),
    ],
)
def test_a_text_in_a_call_stands_in_what_was_said(value, copied):
    assert is_copied(call_text("price_lookup", {"product": value}), KNOWN) is copied


@pytest.mark.parametrize(
    ("expression", "copied"),
    [("3 * 89", True), ("2 * 89", False), ("89 * (100 - 3) / 100", True), ("8 * 9", False), ("43600", False)],
)
def test_numbers_of_a_calculation_were_said_in_figures_or_words(expression, copied):
    known = "Three lamps and 89 euros, order VE-43607."
    assert is_copied(call_text("calculate", {"expression": expression}), known) is copied
