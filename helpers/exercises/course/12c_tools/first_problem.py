"""first_problem: what keeps the arguments of a call from fitting the schema of its tool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise

ACCEPTED = {"string": str, "integer": int, "number": (int, float), "boolean": bool}


def first_problem(arguments: Mapping[str, Any], parameters: Mapping[str, Any]) -> tuple[str, str] | None:
    """The first argument that does not fit, and what is wrong with it; None if all of them fit.

    parameters: {"properties": {name: {"type": "string", perhaps "enum": [choices]}, …}, "required": [names]}
    First (name, "missing") for a required one that is not there. Then, in the order of the call: (name, "unknown")
    if the schema has no such name, (name, "type") for a value of another type, (name, "choice") for none of the enum.
    Types: string, integer, number (whole or not), boolean. True and False are booleans and nothing else.
    """
    for name in parameters["required"]:
        if name not in arguments:
            return name, "missing"
    for name, value in arguments.items():
        if name not in parameters["properties"]:
            return name, "unknown"
        told = parameters["properties"][name]
        fits = isinstance(value, ACCEPTED[told["type"]])
        if isinstance(value, bool) and told["type"] != "boolean":
            fits = False
        if not fits:
            return name, "type"
        if "enum" in told and value not in told["enum"]:
            return name, "choice"
    return None


ANSWER = """
def first_problem(arguments, parameters):
    known = parameters["properties"]
    for name in parameters["required"]:
        if name not in arguments:
            return name, "missing"
    for name, value in arguments.items():
        if name not in known:
            return name, "unknown"
        wanted = known[name]["type"]
        right_type = isinstance(value, ACCEPTED[wanted]) and (wanted == "boolean" or not isinstance(value, bool))
        if not right_type:
            return name, "type"
        if value not in known[name].get("enum", [value]):
            return name, "choice"
    return None
"""
TYPE = 'isinstance(value, ACCEPTED[wanted]) and (wanted == "boolean" or not isinstance(value, bool))'
REQUIRED = 'for name in parameters["required"]:\n        if name not in arguments:\n            return name, "missing"'
UNKNOWN = 'if name not in known:\n            return name, "unknown"'
SLIPS = [
    (
        TYPE,
        "isinstance(value, ACCEPTED[wanted])",
        "True is an int for Python, so it passes as an integer; in JSON it is a boolean and nothing else.",
    ),
    (
        TYPE,
        "type(value) is {'string': str, 'integer': int, 'number': float, 'boolean': bool}[wanted]",
        "a whole number is a number, too: 3 fits where a number is wanted.",
    ),
    (TYPE, "True", "types are not looked at: 500 would reach a tool that expects a text."),
    (
        'for name in parameters["required"]:',
        "for name in known:",
        "an argument that is not required may be left out; ask for those in `required` only.",
    ),
    (
        "if name not in arguments:",
        "if not arguments.get(name):",
        "a value of 0, “” or False is there, though it counts as false: ask whether the call has the name.",
    ),
    (
        "if name not in arguments:",
        "if arguments.get(name) is None:",
        "None is a value, too, of the wrong type; “missing” is for a name that the call does not have.",
    ),
    (REQUIRED, "pass", "nobody asks for what is missing: the tool would raise a TypeError instead."),
    (
        UNKNOWN,
        "if name not in known:\n            continue",
        "an unknown argument passes; the tool would raise a TypeError, and the model would not learn which ones exist.",
    ),
    (
        'known[name].get("enum", [value])',
        "[value]",
        "the choices are not looked at: a value that the enum does not list passes.",
    ),
    ('return name, "missing"', 'return name, "unknown"', "what is required and not there is “missing”."),
    (
        f"{REQUIRED}\n    for name, value in arguments.items():\n        {UNKNOWN}",
        'for name in arguments:\n        if name not in known:\n            return name, "unknown"\n    '
        + REQUIRED
        + "\n    for name, value in arguments.items():",
        "first what is missing, then what is unknown: the docstring says the order.",
    ),
    (
        "for name, value in arguments.items():",
        "for name, value in sorted(arguments.items(), key=lambda pair: pair[0]):",
        "go through the call in its own order, as it was written.",
    ),
]
REFUSED = [("    return None\n", '    return "", ""\n', "Expected")]
RIGHT = [
    """
def first_problem(arguments, parameters):
    missing = [name for name in parameters["required"] if name not in arguments]
    if missing:
        return missing[0], "missing"
    for name, value in arguments.items():
        told = parameters["properties"].get(name)
        if told is None:
            return name, "unknown"
        allowed = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)}[told["type"]]
        if type(value) not in allowed:
            return name, "type"
        if "enum" in told and value not in told["enum"]:
            return name, "choice"
""",
]


def cases(rng: Generator) -> list[tuple]:
    parameters = {
        "type": "object",
        "properties": {
            "product": {"type": "string"},
            "pieces": {"type": "integer"},
            "discount": {"type": "number"},
            "gift": {"type": "boolean"},
            "currency": {"type": "string", "enum": ["EUR", "CHF"]},
        },
        "required": ["product", "pieces"],
        "additionalProperties": False,
    }
    nothing = {"type": "object", "properties": {}, "required": []}
    wrapped = {"type": "object", "properties": {"gift": {"type": "boolean"}}, "required": ["gift"]}
    pieces = int(rng.integers(1, 9))
    good = {"product": "Kite 500", "pieces": pieces}
    calls = [
        good,
        good | {"discount": 12.5, "gift": True, "currency": "CHF"},
        good | {"discount": 10},  # a whole number is a number
        {"pieces": pieces},
        {"product": "Kite 500", "gift": True},
        {"product": "Kite 500", "pieces": 0},  # 0 counts as false, and is there
        {"product": "", "pieces": pieces},
        {"product": None, "pieces": pieces},  # there, and no text
        {"gift": "yes", "product": "Kite 500"},  # missing comes before type
        {"color": "red", "pieces": pieces},  # missing comes before unknown
        good | {"color": "red"},
        {"product": 500, "pieces": pieces},
        {"product": "Kite 500", "pieces": str(pieces)},
        {"product": "Kite 500", "pieces": True},  # True is no integer
        good | {"discount": False},
        good | {"gift": 1},
        good | {"currency": "USD"},
        good | {"currency": None},
        good | {"gift": "yes", "color": "red"},  # in the order of the call
        good | {"color": "red", "gift": "yes"},
        good | {"pieces": 2.5},
        good | {"gift": None, "color": "red"},
    ]
    others = [({}, nothing), ({"product": "Kite"}, nothing), ({"gift": False}, wrapped), ({}, wrapped)]
    return [(call, parameters) for call in calls] + others


EXERCISE = Exercise(
    minutes=5,
    difficulty=2,
    reference=first_problem,
    hints=(
        "Which problem can you see without going through the arguments of the call?",
        "Two loops, one behind the other: over `required`, then over the call. `PYTHON_TYPES` translates a JSON type "
        "into what `isinstance` wants. What does `isinstance(True, int)` say?",
        "The first loop gives “missing” for a name that the call does not have, whatever the values are. In the "
        "second, ask three things of each pair, in this order: is the name among the properties, is the value of its "
        "type (a bool only where a boolean is wanted), and, where there is an enum, is the value in it. Return at the "
        "first no; behind both loops there is no problem.",
    ),
    proves="missing, unknown, wrongly typed and not allowed arguments are told apart, and True is no integer",
)
