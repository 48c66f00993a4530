"""Schemas by chance, and texts by chance within their grammars: for the tests, and in number for the sweep."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

from helpers.old.generation import TokenGrammar
from helpers.old.generation.token_grammar import ENDED

PATTERNS = [
    "^VE-[0-9]{5}$",
    "foo",
    "^[a-z]+( [a-z]+)*$",
    r'^"?\w*\\?$',
    "^(yes|no)$|^$",
    r"[^\x00-\x1f]é",
    r"\d\.\d\d$",
]
WORDS = ["return", "repair", "Kite", 'é "quoted"', "line\nbreak", "", "null", "12"]
VALUES = st.one_of(
    st.sampled_from(WORDS), st.integers(-999, 999), st.booleans(), st.none(), st.just(0.5), st.just({"a": [1, None]})
)


@st.composite
def bounded(draw: Any) -> dict[str, Any]:
    """An integer or number, with bounds or without."""
    low = draw(st.one_of(st.integers(-2000, 2000), st.floats(-50, 50).map(lambda x: round(x, 3))))
    schema: dict[str, Any] = {"type": draw(st.sampled_from(["integer", "number"]))}
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = low
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = low + draw(st.integers(2, 5000))
    return schema


@st.composite
def strings(draw: Any) -> dict[str, Any]:
    """A string with lengths, a pattern, a format, or none of them."""
    kind = draw(st.sampled_from(["plain", "long", "pattern", "format"]))
    if kind == "pattern":
        return {"type": "string", "pattern": draw(st.sampled_from(PATTERNS)), "maxLength": draw(st.integers(8, 20))}
    if kind == "format":
        return {"type": "string", "format": draw(st.sampled_from(["date", "uuid", "ipv4"]))}
    if kind == "plain":
        return {"type": draw(st.sampled_from(["string", ["string", "null"]])), "maxLength": draw(st.integers(0, 24))}
    low = draw(st.integers(0, 9))
    return {"type": "string", "minLength": low, "maxLength": low + draw(st.integers(0, 9))}


LEAVES = st.one_of(
    strings(),
    bounded(),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": ["integer", "boolean"]}]),
    st.lists(VALUES, min_size=1, max_size=5).map(lambda values: {"enum": values}),
    VALUES.map(lambda value: {"const": value}),
)


@st.composite
def objects(draw: Any, inner: Any) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(["id", "name", "näme", 'na"me', "x y", "tags"]), max_size=4, unique=True))
    required = [name for name in names if draw(st.booleans())]
    return {
        "type": "object",
        "properties": {name: draw(inner) for name in names},
        "required": required,
        "additionalProperties": False,
    }


@st.composite
def arrays(draw: Any, inner: Any) -> dict[str, Any]:
    low = draw(st.integers(0, 2))
    return {"type": "array", "items": draw(inner), "minItems": low, "maxItems": low + draw(st.integers(0, 2))}


NESTED = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        objects(inner), arrays(inner), st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"anyOf": parts})
    ),
    max_leaves=5,
)


@st.composite
def schemas(draw: Any) -> dict[str, Any]:
    """A schema that the grammar supports: nested up to a few levels, sometimes with a named part."""
    schema = draw(st.one_of(objects(NESTED), NESTED))
    if schema.get("properties") and draw(st.integers(0, 3)) == 0:
        name = next(iter(schema["properties"]))
        schema["$defs"] = {"part": schema["properties"][name]}
        schema["properties"] = {**schema["properties"], name: {"$ref": "#/$defs/part"}}
    return schema


def random_said(grammar: TokenGrammar, generator: torch.Generator, room: int) -> list[int]:
    """At most `room` tokens, the end included; each is the likeliest by logits that are noise."""
    said: list[int] = []
    state = grammar.start
    while state != ENDED:
        assert len(said) < room, "The text is longer than its room."
        logits = torch.rand(grammar.tree.size, generator=generator)
        token = int(logits.masked_fill(~grammar.mask(state, room - len(said)), -torch.inf).argmax())
        said.append(token)
        state = grammar.step(state, token)
    return said


def random_text(grammar: TokenGrammar, generator: torch.Generator, room: int) -> str:
    """The text of `random_said`."""
    return grammar.text(random_said(grammar, generator, room)).decode()
