"""Answers as the text of a cell, and the cell before anybody has written into it."""

from __future__ import annotations

import inspect
import runpy
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType

from helpers.exercises.checking.loading import Loaded, variants
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
    used = [name for name in dict.fromkeys(_names(compiled)) if name in answer.globals and name != answer.name]
    if not used:
        return answer.code
    loaded = f"__import__('helpers.exercises.checking', fromlist=['registry']).registry().load({answer.name!r})"
    lines = [f"_file = {loaded}.answer.globals", *(f"globals().setdefault({name!r}, _file[{name!r}])" for name in used)]
    return "\n".join([*lines, answer.code])


def right_answers(loaded: Loaded) -> tuple[Variant, ...]:
    """Right answers, written differently: those of its file, and those of `right/NOTEBOOK.py` under its name."""
    file = Path(__file__).parent / "right" / f"{loaded.spec.notebook}.py"
    stated = runpy.run_path(str(file)) if file.is_file() else {}
    return (*loaded.right, *variants(loaded.answer, "RIGHT", stated.get(loaded.spec.name, "")))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
