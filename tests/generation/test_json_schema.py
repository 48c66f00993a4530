"""Schemas as grammars: what is written is valid, what cannot be written is said, and every text comes to its end."""

from __future__ import annotations

import itertools
import json
import re
from datetime import date

import jsonschema
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.models import fetch
from helpers.old.assistants.tickets import allowed_values
from helpers.old.generation import AnswerForm, GrammarError, Limits, automaton, form_schema, json_grammar, schema_node
from helpers.old.generation.regular import START
from helpers.old.velunda import load_tickets
from tests.generation.random_schemas import random_text, schemas

QUICK = settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(fetch("chat"), local_files_only=True)


def matches(schema, text, **options):
    return automaton(schema_node(schema, **options)).matches(text)


@QUICK
@given(schemas(), st.integers(0, 2**31), st.sampled_from([0, 0, 3, 30]))
def test_whatever_a_model_would_say_the_text_is_valid_in_any_room(tokenizer, schema, seed, more):
    grammar = json_grammar(tokenizer, schema)
    text = random_text(grammar, torch.Generator().manual_seed(seed), grammar.shortest + more)
    jsonschema.validate(json.loads(text), schema, format_checker=jsonschema.FormatChecker())


def test_texts_without_a_limit_of_room_end_too(tokenizer):
    schema = {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}}
    grammar = json_grammar(tokenizer, schema, limits=Limits(characters=12, items=3))
    for seed in range(3):
        found = json.loads(random_text(grammar, torch.Generator().manual_seed(seed), 10_000))
        assert len(found) <= 3 and all(len(one["a"]) <= 12 for one in found)


def test_strings_and_arrays_without_any_limit_are_as_long_as_the_room_allows():
    schema = {"type": "array", "items": {"type": "string"}}
    endless = Limits(characters=None, items=None)
    long = json.dumps(["x" * 500] * 100, separators=(",", ":"))
    assert matches(schema, long, limits=endless) and not matches(schema, long)
    assert not matches({"type": "string", "maxLength": 3}, '"abcd"', limits=endless)
    assert not matches({"type": "array", "items": {"const": 1}, "minItems": 2}, "[1]", limits=endless)
    assert matches({"type": "array", "items": {"const": 1}, "minItems": 2}, "[1,1,1]", limits=endless)


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ({"type": "integer"}, ["0", "-7", "123456789012345"], ["-0", "01", "1.0", "1e3", "1234567890123456", ""]),
        ({"type": "number"}, ["0", "0.5", "-0.25", "12.50", "-3"], ["00.5", ".5", "1.", "1e3", "0.1234567", "-"]),
        ({"type": "string", "maxLength": 3}, ['"é\\n"', '""', '"\\"\\\\a"'], ['"abcd"', "abc", '"\n"', '"\\u0041"']),
        ({"type": "string", "pattern": "^a.b$"}, ['"a b"', '"a\\"b"'], ['"ab"', '"a\\nb"', '"xa b"']),
        ({"type": "string", "pattern": "b", "maxLength": 3}, ['"b"', '"xbx"'], ['"x"', '"xxbx"']),
        ({"type": "string", "format": "uuid"}, ['"0e37df36-f698-11e6-8dd4-cb9ced3df976"'], ['"0e37df36"']),
        ({"type": "string", "format": "ipv4"}, ['"192.168.0.1"', '"0.0.0.255"'], ['"256.1.1.1"', '"01.1.1.1"']),
        ({"type": ["boolean", "null"]}, ["true", "false", "null"], ["True", "nul", '"null"']),
        ({"enum": ["a", 1, None], "type": ["string", "null"]}, ['"a"', "null"], ["1"]),
        ({"const": {"b": [1, "é"], "a": 2}}, ['{"b":[1,"é"],"a":2}'], ['{"a":2,"b":[1,"é"]}', '{"b": [1,"é"],"a":2}']),
        ({"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 3, "maximum": 4}]}, ["null", "3", "4"], ["2"]),
        ({"type": "array", "items": {"const": 1}, "maxItems": 2}, ["[]", "[1]", "[1,1]"], ["[1,1,1]", "[1,]", "[,1]"]),
        ({"type": "array", "items": {"const": 1}, "minItems": 2, "maxItems": 2}, ["[1,1]"], ["[]", "[1]"]),
        ({"type": "array", "items": {"const": 1}, "maxItems": 0}, ["[]"], ["[1]"]),
        ({"type": "object"}, ["{}"], ["", '{"a":1}']),
    ],
)
def test_each_keyword_allows_what_it_should(schema, right, wrong):
    machine = automaton(schema_node(schema))
    for text in right:
        assert machine.matches(text), text
        jsonschema.validate(json.loads(text), schema)
    assert not [text for text in wrong if machine.matches(text)]


def test_optional_properties_come_and_go_with_their_commas_in_the_given_order():
    schema = {"type": "object", "properties": {name: {"const": 1} for name in "abc"}, "required": ["b"]}
    machine = automaton(schema_node(schema))
    wanted = [{"b"}, {"a", "b"}, {"b", "c"}, {"a", "b", "c"}]
    texts = [json.dumps({name: 1 for name in "abc" if name in keys}, separators=(",", ":")) for keys in wanted]
    assert all(machine.matches(text) for text in texts)
    assert not any(
        machine.matches(t) for t in ("{}", '{"a":1}', '{"b":1,}', '{,"b":1}', '{"b":1,"a":1}', '{"b":1"c":1}')
    )


def test_separators_are_written_as_they_are_given():
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"const": [1, 2]}}}, "required": ["a"]}
    text = json.dumps({"a": [[1, 2], [1, 2]]})
    assert matches(schema, text, separators=(", ", ": ")) and not matches(schema, text)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(-300, 300), st.integers(0, 400), st.booleans())
def test_whole_numbers_between_bounds_are_exactly_those(low, width, open_ends):
    high = low + width
    names = ("exclusiveMinimum", "exclusiveMaximum") if open_ends else ("minimum", "maximum")
    schema = {"type": "integer", names[0]: low - open_ends, names[1]: high + open_ends}
    machine = automaton(schema_node(schema))
    assert [n for n in range(low - 20, high + 21) if machine.matches(str(n))] == list(range(low, high + 1))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(-300, 300), st.integers(2, 100), st.booleans())
def test_decimals_between_bounds_are_exactly_those(low, width, open_ends):
    low, high = low / 100, (low + width) / 100
    names = ("exclusiveMinimum", "exclusiveMaximum") if open_ends else ("minimum", "maximum")
    schema = {"type": "number", names[0]: low, names[1]: high}
    machine = automaton(schema_node(schema, Limits(behind_point=2)))
    for hundredths in range(round(100 * low) - 15, round(100 * high) + 16):
        text = f"{'-' * (hundredths < 0)}{abs(hundredths) // 100}.{abs(hundredths) % 100:02}"
        inside = low < float(text) < high if open_ends else low <= float(text) <= high
        assert machine.matches(text) == inside, (schema, text)


def test_only_days_that_exist_are_dates():
    machine = automaton(schema_node({"type": "string", "format": "date"}))
    for year in (0, 1, 99, 1900, 2000, 2023, 2024, 9999):
        for month in range(14):
            for day in range(33):
                text = f"{year:04}-{month:02}-{day:02}"
                try:
                    exists = bool(date.fromisoformat(text))
                except ValueError:
                    exists = False
                assert machine.matches(f'"{text}"') == exists, text


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (True, "a schema is an object"),
        ({}, "'type' is missing"),
        ({"type": "strin"}, "no type 'strin'"),
        ({"type": "number", "multipleOf": 2}, "'multipleOf' is not supported"),
        ({"oneOf": [{"type": "null"}]}, "'oneOf' is not supported"),
        ({"enum": ["a"], "minLength": 2}, "'minLength' is not supported beside enum"),
        ({"type": "string", "minimum": 2}, "'minimum' is not supported"),
        ({"type": "string", "format": "email"}, "format 'email'"),
        ({"type": "string", "pattern": "a(?=b)"}, "a lookahead"),
        ({"type": "array"}, "'items'"),
        ({"type": "array", "items": {"type": "null"}, "uniqueItems": True}, "'uniqueItems' is not supported"),
        ({"type": "object", "additionalProperties": True}, "except as false"),
        ({"$ref": "#/$defs/x"}, "leads nowhere"),
        ({"$defs": {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}}}, "$ref": "#/$defs/t"}, "recursion"),
        ({"type": "string", "maxLength": -1}, "a count, not -1"),
        ({"type": "integer", "minimum": "3"}, "minimum is a number"),
        ({"enum": [float("nan")]}, "no JSON"),
    ],
)
def test_what_is_not_supported_is_named_with_its_place(schema, said):
    for nested, place in ((schema, r"At \$"), ({"type": "object", "properties": {"p": schema}}, r"At \$\.p")):
        if isinstance(schema, dict) and "$ref" in schema and nested is not schema:
            nested["$defs"] = schema.get("$defs", {})
        with pytest.raises(GrammarError, match=said) as refused:
            schema_node(nested)
        assert "\n" not in str(refused.value)
        assert re.match(place, str(refused.value))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 5, "maxLength": 3},
        {"type": "integer", "minimum": 5, "maximum": 4},
        {"type": "integer", "exclusiveMinimum": 5, "exclusiveMaximum": 6},
        {"type": "number", "minimum": 1e12},
        {"type": "string", "pattern": "^a$", "minLength": 2},
        {"enum": [1], "type": "string"},
        {"enum": []},
        {"anyOf": []},
        {"type": "object", "required": ["a"]},
        {"type": "array", "items": {"type": "null"}, "minItems": 3, "maxItems": 2},
    ],
)
def test_a_schema_with_no_way_out_is_an_error(schema):
    with pytest.raises(GrammarError, match="no value is possible|not among properties"):
        schema_node(schema)


def test_nesting_deeper_than_the_limit_is_an_error():
    schema = {"type": "null"}
    for _ in range(7):
        schema = {"type": "array", "items": schema}
    with pytest.raises(GrammarError, match="more than 6 levels"):
        schema_node(schema)


def test_the_form_of_a_ticket_and_its_schema_are_the_same_language(tokenizer):
    for ticket in load_tickets("dev")[::24]:
        values = allowed_values(ticket["text"])
        form, grammar = AnswerForm(tokenizer, values), json_grammar(tokenizer, form_schema(values))
        choices = list(itertools.product(*values.values()))
        for choice in choices[:: max(1, len(choices) // 5)]:
            answer = dict(zip(values, choice, strict=True))
            said: list[int] = []
            for token in [*tokenizer(json.dumps(answer, separators=(",", ":")))["input_ids"], tokenizer.eos_token_id]:
                assert token in form.allowed(said) and token in grammar.allowed(grammar.read(said))
                said.append(token)
        assert _count(grammar.machine) == len(choices)  # the form's texts, and no further ones


def _count(machine) -> int:
    """How many texts a language without loops has."""
    known: dict[int, int] = {}

    def count(state: int) -> int:
        if state not in known:
            following = [machine.read(state, bytes([byte])) for byte in machine.next_bytes(state)]
            known[state] = int(machine.accepts[state]) + sum(map(count, following))
        return known[state]

    return count(START)
