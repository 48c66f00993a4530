"""What a model is told of a function, from its type hints and its docstring."""

import inspect
import typing
from typing import Literal

JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
MINUTES, DOTS = 8, 2
PROVES = "types, choices and defaults arrive, the result stays out, and what JSON cannot say is refused"


def function_schema(function):
    hints, parameters = typing.get_type_hints(function), inspect.signature(function).parameters
    properties = {}
    for name in parameters:
        hint = hints.get(name)
        if typing.get_origin(hint) is Literal:
            properties[name] = {"type": "string", "enum": list(typing.get_args(hint))}
        elif hint in JSON_TYPES:
            properties[name] = {"type": JSON_TYPES[hint]}
        else:
            raise TypeError(f"{name} has no hint that fits.")
    required = [name for name in parameters if parameters[name].default is inspect.Parameter.empty]
    described = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    description = inspect.getdoc(function).splitlines()[0]
    about = {"name": function.__name__, "description": description, "parameters": described}
    return {"type": "function", "function": about}


HINTS = """
Where does Python keep the types and the defaults of a function's parameters?
`inspect.signature(function).parameters` gives names and defaults, `typing.get_type_hints(function)` the types, that of
    the result among them, and `JSON_TYPES` translates them.
Go through the parameters, not through the hints, so that the result stays out. A Literal is recognized by
    `typing.get_origin`, its choices come from `typing.get_args`. A parameter is required if its default is
    `inspect.Parameter.empty`. The docstring without its indentation comes from `inspect.getdoc`.
"""
SLIPS = """
[name for name in parameters if parameters[name].default is inspect.Parameter.empty] => list(parameters)
    a parameter with a default may be left out, so it is not required.
parameters[name].default is inspect.Parameter.empty => not parameters[name].default
    a default of 0, “” or False is a default, too: compare with inspect.Parameter.empty.
parameters[name].default is inspect.Parameter.empty => parameters[name].default is not inspect.Parameter.empty
    required are those without a default; yours are those that have one.
for name in parameters: => for name in hints:
    the hint of the result stands among the parameters; a tool's schema has parameters only.
inspect.getdoc(function).splitlines()[0] => inspect.getdoc(function)
    the description is the docstring's first line; yours is the whole docstring.
inspect.getdoc(function).splitlines()[0] => function.__name__
    the model chooses a tool by its description: take the docstring's first line, not the name.
return {"type": "function", "function": about} => return about
    the whole is wrapped once more: {"type": "function", "function": …}.
, "additionalProperties": False =>
    without "additionalProperties": False, the model may invent parameters.
{"type": "string", "enum": list(typing.get_args(hint))} => {"type": "string"}
    a Literal lists its choices as an enum; without it any text passes.
{"type": "string", "enum": list(typing.get_args(hint))} => {"enum": list(typing.get_args(hint))}
    the choices have a type, too: "string".
JSON_TYPES[hint]} => hint.__name__}
    Python's names are not those of JSON: str is "string", int "integer", float "number", bool "boolean".
"""
REFUSED = """
raise TypeError(f"{name} has no hint that fits.") => properties[name] = {"type": "string"}
    TypeError
"""


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


def loose(anything, number: int) -> int:  # no hint for the first
    """A tool that cannot be described."""
    return number


def picture(pixels: bytes) -> str:
    """What a picture shows."""
    return str(pixels)


RAISES = [
    ((loose,), TypeError, "one of its parameters has no type hint"),
    ((picture,), TypeError, "JSON has no bytes"),
]


def cases(rng):
    return [(stock,), (ride,), (open_today,), (book,)]
