"""Can the learner's object be called like the reference, and how does a call read?"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from helpers.display.boxes import shorten
from helpers.exercises.checking.compare import describe, is_array, kind_name
from helpers.exercises.checking.spec import Exercise

FEW = 8  # so many whole numbers are shown rather than their shape
MANY = 3  # so many arrays are told apart by their names rather than by their kind
SPECIAL = ("__init__", "__call__", "__len__", "__getitem__", "__iter__")
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def signature_problem(obj: Any, spec: Exercise) -> str:
    """One sentence about the first thing that keeps `obj` from being called like the reference; empty where none."""
    if isinstance(spec.reference, type):
        if not isinstance(obj, type):
            return f"`{spec.name}` must be a class: start it with `class {spec.name}:`."
        return _class_problem(obj, spec)
    if isinstance(obj, type) or not callable(obj):
        return f"`{spec.name}` must be a function: start it with `def {spec.name}(...):`."
    if inspect.iscoroutinefunction(obj) and not inspect.iscoroutinefunction(spec.reference):
        return f"`{spec.name}` must be a plain function: write `def` instead of `async def`."
    return _parameters_problem(spec.name, spec.reference, obj)


def _class_problem(cls: type, spec: Exercise) -> str:
    for name, wanted in vars(spec.reference).items():
        if name.startswith("_") and name not in SPECIAL:
            continue
        have = getattr(cls, name, None)
        if have is None or (name == "__init__" and have is object.__init__):
            if callable(wanted) or isinstance(wanted, property | staticmethod | classmethod):
                return f"Class `{spec.name}` lacks the method `{name}`."
        elif inspect.isfunction(wanted) and inspect.isfunction(have):
            if problem := _parameters_problem(f"{spec.name}.{name}", wanted, have):
                return problem
    return ""


def _parameters_problem(name: str, wanted: Callable, have: Callable) -> str:
    try:
        ours = list(inspect.signature(wanted).parameters.values())
        theirs = list(inspect.signature(have).parameters.values())
    except (TypeError, ValueError):  # some callables written in C have no signature; calling them will tell
        return ""
    if any(p.kind in _VARIADIC for p in theirs):
        return ""
    by_name = {p.name: p for p in theirs}
    # an option of the course's version need not be offered
    asked = [p for p in ours if p.kind is not p.KEYWORD_ONLY or p.default is p.empty or p.name in by_name]
    want, got = (f"({', '.join(p.name for p in params)})" for params in (asked, theirs))
    problem = f"`{name}` must take {want}; yours takes {got}"
    for i, parameter in enumerate(asked):
        mine = by_name.get(parameter.name)
        if parameter.kind in _VARIADIC:
            return "" if mine else f"{problem}."
        if mine is None or (parameter.kind is not parameter.KEYWORD_ONLY and theirs.index(mine) != i):
            return f"{problem}."
        if parameter.default is not parameter.empty and mine.default is mine.empty:
            default = f"{parameter.name}={parameter.default!r}"
            return f"`{name}`: the argument `{parameter.name}` needs a default value, `{default}`."
    extra = [p.name for p in theirs if p.default is p.empty and p.name not in {q.name for q in ours}]
    return f"{problem}: give `{extra[0]}` a default value or take it out." if extra else ""


def argument_names(spec: Exercise) -> list[str]:
    """The names of what a case holds: arguments of `drive` after its first, else of the reference."""
    if spec.drive is not None:
        return list(inspect.signature(spec.drive).parameters)[1:]
    return list(inspect.signature(spec.reference).parameters)


def call_text(spec: Exercise, case: tuple) -> str:
    """The call as a reader would write it, large arrays by their shape: `weights_bytes(1000, 'bf16')`.

    Where there are several arrays, by their names too: `attend(q: (1, 2, 8), k: (1, 3, 8), v: (1, 3, 8))`; the few
    whole numbers of an index are shown: `which: [0, 1, -1]`. The exercise's own `shown` takes the place of all this.
    """
    if spec.shown is not None:
        return spec.shown(*case)
    written = [_argument(value) for value in case]
    names = list(inspect.signature(spec.reference).parameters)
    if argument_names(spec) == names and sum(map(is_array, case)) >= MANY:
        for i, (name, value) in enumerate(zip(names, case, strict=False)):
            if is_array(value) and value.ndim == 1 and len(value) <= FEW and "int" in str(value.dtype):
                written[i] = f"{name}: {value.tolist()}"
            elif is_array(value):
                dtype = str(value.dtype).removeprefix("torch.")
                written[i] = f"{name}: {'' if dtype == 'float32' else f'{dtype} '}{tuple(value.shape)}"
    calls = [written] if spec.first_call is None else [written[: spec.first_call], written[spec.first_call :]]
    return shorten(spec.name + "".join(f"({', '.join(arguments)})" for arguments in calls), 400)


def _argument(value: Any) -> str:
    if is_array(value):
        return kind_name(value).split(" ", 1)[1]
    if isinstance(value, list | tuple) and _holds_matrix(value):  # its numbers would say nothing in a line
        inside = ", ".join(map(_argument, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    return describe(value, 240)


def _holds_matrix(value: Any) -> bool:
    return any(map(_holds_matrix, value)) if isinstance(value, list | tuple) else is_array(value) and value.ndim >= 2
