"""Answers as the text of a cell, and the cell before anybody has written into it."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

from helpers.exercises.checking.variants import Variant


def stub_source(name: str, reference: Callable | type) -> str:
    """The untouched cell: signature and docstring of the reference, annotations left out, body `...`."""
    if isinstance(reference, type):
        methods = [member for member in vars(reference).values() if inspect.isfunction(member)]
        bodies = [textwrap.indent(stub_source(method.__name__, method), "    ") for method in methods]
        return f"class {name}:\n" + "\n".join(bodies or ["    ..."])
    signature = inspect.signature(reference)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    text = signature.replace(parameters=bare, return_annotation=inspect.Signature.empty)
    return f"def {name}{text}:\n    {inspect.getdoc(reference)!r}\n    ..."


def as_cell(answer: Variant) -> str:
    """The text of an answer for a notebook's cell: what it uses of the exercise's file comes first.

    A name that the notebook has already stays as it is.
    """
    compiled = compile(answer.code, answer.place, "exec", dont_inherit=True)  # a cell evaluates its annotations
    home = answer.globals["__name__"]
    used = [name for name in dict.fromkeys(_names(compiled)) if name in answer.globals and name != answer.name]
    if not used:
        return answer.code
    lines = [f"_home = __import__('importlib').import_module({home!r})"]
    lines += [f"globals().setdefault({name!r}, {_reached(name, answer.globals, home)})" for name in used]
    return "\n".join([*lines, answer.code])


def _reached(name: str, known: dict[str, Any], home: str) -> str:
    """An expression for what `name` means in the exercise's file, or in that of its reference."""
    import sys

    if name in vars(sys.modules[home]):
        return f"_home.{name}"
    return f"_home.EXERCISE.reference.__globals__[{name!r}]"


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
