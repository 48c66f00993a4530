"""function_schema: what a model is told of a function, from its type hints and its docstring."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any, Literal

from numpy.random import Generator

from helpers.exercises.checking.spec import BadInput, Exercise

SCHEMA_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def function_schema(function: Callable) -> dict[str, Any]:
    """The function as a tool in OpenAI's format, its parameters as a JSON schema.

    {"type": "function", "function": {"name": …, "description": the docstring's first line, "parameters": {"type":
    "object", "properties": {name: {"type": …}}, "required": names without a default, "additionalProperties": False}}}
    Hints are str, int, float, bool, or a Literal of texts, which is {"type": "string", "enum": [its texts]}.
    Raises TypeError for any other hint, or none.
    """
    hints, properties, required = typing.get_type_hints(function), {}, []
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints.get(name)
        if typing.get_origin(hint) is Literal:
            properties[name] = {"type": "string", "enum": list(typing.get_args(hint))}
        elif hint in SCHEMA_TYPES:
            properties[name] = {"type": SCHEMA_TYPES[hint]}
        else:
            raise TypeError(f"{name} has no type hint that a JSON schema knows.")
        if parameter.default is inspect.Parameter.empty:
            required.append(name)
    parameters = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    description = inspect.getdoc(function).splitlines()[0]
    return {
        "type": "function",
        "function": {"name": function.__name__, "description": description, "parameters": parameters},
    }


ANSWER = """
def function_schema(function):
    hints = typing.get_type_hints(function)
    parameters = inspect.signature(function).parameters
    properties = {}
    for name in parameters:
        hint = hints.get(name)
        if typing.get_origin(hint) is Literal:
            properties[name] = {"type": "string", "enum": list(typing.get_args(hint))}
        elif hint in SCHEMA_TYPES:
            properties[name] = {"type": SCHEMA_TYPES[hint]}
        else:
            raise TypeError(f"{name} has no hint that fits")
    needed = [name for name in parameters if parameters[name].default is inspect.Parameter.empty]
    about = {
        "name": function.__name__,
        "description": inspect.getdoc(function).splitlines()[0],
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": needed,
            "additionalProperties": False,
        },
    }
    return {"type": "function", "function": about}
"""
NEEDED = "[name for name in parameters if parameters[name].default is inspect.Parameter.empty]"
RETURNED = "the hint of the result stands among the parameters; a tool's schema has parameters only."
SLIPS = [
    (NEEDED, "list(parameters)", "a parameter with a default may be left out, so it is not required."),
    (
        NEEDED,
        "[name for name in parameters if not parameters[name].default]",
        "a default of 0, “” or False is a default, too: compare with inspect.Parameter.empty.",
    ),
    (
        NEEDED,
        "[name for name in parameters if parameters[name].default is not inspect.Parameter.empty]",
        "required are those without a default; yours are those that have one.",
    ),
    ("for name in parameters:", "for name in hints:", RETURNED),
    (
        "inspect.getdoc(function).splitlines()[0]",
        "inspect.getdoc(function)",
        "the description is the docstring's first line; yours is the whole docstring.",
    ),
    (
        "inspect.getdoc(function).splitlines()[0]",
        "function.__name__",
        "the model chooses a tool by its description: take the docstring's first line, not the name.",
    ),
    (
        'return {"type": "function", "function": about}',
        "return about",
        'the whole is wrapped once more: {"type": "function", "function": …}.',
    ),
    (
        '            "additionalProperties": False,\n',
        "",
        'without "additionalProperties": False, the model may invent parameters.',
    ),
    (
        '{"type": "string", "enum": list(typing.get_args(hint))}',
        '{"type": "string"}',
        "a Literal lists its choices as an enum; without it any text passes.",
    ),
    (
        '{"type": "string", "enum": list(typing.get_args(hint))}',
        '{"enum": list(typing.get_args(hint))}',
        'the choices have a type, too: "string".',
    ),
    (
        "SCHEMA_TYPES[hint]}",
        "hint.__name__}",
        'Python\'s names are not those of JSON: str is "string", int "integer", float "number", bool "boolean".',
    ),
]
REFUSED = [
    ('raise TypeError(f"{name} has no hint that fits")', 'properties[name] = {"type": "string"}', "TypeError"),
]
RIGHT = [
    """
def function_schema(function):
    hints, properties, required = typing.get_type_hints(function), {}, []
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints.get(name, None)
        choices = list(typing.get_args(hint)) if typing.get_origin(hint) is Literal else None
        if choices is None and hint not in SCHEMA_TYPES:
            raise TypeError(name)
        properties[name] = {"type": SCHEMA_TYPES.get(hint, "string")} | ({"enum": choices} if choices else {})
        if parameter.default is parameter.empty:
            required += [name]
    inner = dict(type="object", properties=properties, required=required, additionalProperties=False)
    first = function.__doc__.strip().split("\\n")[0]
    return {"type": "function", "function": dict(name=function.__name__, description=first, parameters=inner)}
""",
]


def stock(part: str, shop: str = "Utrecht") -> int:
    """How many pieces of a part a shop has.

    part: its name, as in the catalog
    """
    return len(part + shop)


def ride(kilometers: float, assisted: bool, bike: Literal["Kite", "Otter"] = "Kite") -> str:
    """How long a ride takes."""
    return f"{kilometers} {assisted} {bike}"


def open_today() -> bool:
    """Whether the workshop is open today."""
    return True


def book(day: str, hour: int, minutes: int = 0, urgent: bool = False, note: str = "") -> str:
    """Book a date in the workshop.

    Dates in the past are refused.
    """
    return f"{day} {hour} {minutes} {urgent} {note}"


def size(fit: Literal["S", "M", "L"], inches: int) -> Literal["yes", "no"]:
    """Whether a frame fits."""
    return "yes" if fit and inches else "no"


def loose(anything, number: int) -> int:  # no hint for the first
    """A tool that cannot be described."""
    return number


def picture(pixels: bytes) -> str:
    """What a picture shows."""
    return str(pixels)


def cases(rng: Generator) -> list[tuple]:
    return [(stock,), (ride,), (open_today,), (book,), (size,)]


EXERCISE = Exercise(
    minutes=6,
    difficulty=2,
    reference=function_schema,
    raises=[
        BadInput((loose,), TypeError, "one of its parameters has no type hint"),
        BadInput((picture,), TypeError, "JSON has no bytes"),
    ],
    hints=(
        "Where does Python keep the types and the defaults of a function's parameters?",
        "`inspect.signature(function).parameters` gives names and defaults, `typing.get_type_hints(function)` the "
        "types, that of the result among them, and `JSON_TYPES` translates them.",
        "Go through the parameters, not through the hints, so that the result stays out. A Literal is recognized by "
        "`typing.get_origin`, its choices come from `typing.get_args`. A parameter is required if its default is "
        "`inspect.Parameter.empty`. The docstring without its indentation comes from `inspect.getdoc`.",
    ),
    proves="types, choices, defaults, descriptions arrive, the result stays out, and what JSON cannot say is refused",
)
