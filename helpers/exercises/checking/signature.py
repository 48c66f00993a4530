"""Has the learner written anything yet, can it be called like the reference, and how does a call read?

A stub is a docstring and nothing else, `...`, `pass`, `return None` or `raise NotImplementedError`. A debug exercise is
untouched while its code is instruction for instruction the planted one (comments, docstring and annotations aside).
Both are answered from bytecode, so that it works in every kind of cell and file.
"""

from __future__ import annotations

import bisect
import dataclasses
import dis
import inspect
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from helpers.display.boxes import shorten
from helpers.exercises.checking.compare import describe, is_array, kind_name
from helpers.exercises.checking.spec import Exercise

FEW = 8  # so many whole numbers are shown rather than their shape
MANY = 3  # so many arrays are told apart by their names rather than by their kind
SPECIAL = ("__init__", "__call__", "__len__", "__getitem__", "__iter__")
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_NO_STEP = {"CACHE", "NOP", "EXTENDED_ARG", "PRECALL", "PUSH_NULL"}
_SKIP = _NO_STEP | {"RESUME", "COPY_FREE_VARS", "MAKE_CELL", "NOT_TAKEN"}
_RAISES = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_CONST", "CALL", "RAISE_VARARGS"}


def not_attempted(obj: Any, planted: Any = None) -> bool:
    """True for a stub, and for code equal to `planted`."""
    if isinstance(obj, type):
        given = methods(planted) if isinstance(planted, type) else {}
        return all(
            is_stub(code) or fingerprint(code) == fingerprint(given.get(name)) for name, code in methods(obj).items()
        )
    code = code_of(obj)
    return code is not None and (is_stub(code) or fingerprint(code) == fingerprint(code_of(planted)))


def code_of(obj: Any) -> CodeType | None:
    """The code object of a function, of the function inside a decorator or of a property's getter; else None."""
    obj = getattr(obj, "__func__", getattr(obj, "fget", obj))  # of a static or class method; of a property
    obj = inspect.unwrap(obj) if callable(obj) else obj
    return obj.__code__ if isinstance(obj, FunctionType) else None


def methods(cls: type) -> dict[str, CodeType]:
    """Code of the methods that the class body itself defines; those that `@dataclass` writes are left out."""
    found = {name: code for name, value in vars(cls).items() if (code := code_of(value)) is not None}
    written = ("<string>", dataclasses.__file__) if dataclasses.is_dataclass(cls) else ()
    return {name: code for name, code in found.items() if code.co_filename not in written}


def is_stub(code: CodeType) -> bool:
    """True where the body does nothing but return None (or ...), or raise NotImplementedError."""
    if code.co_flags & inspect.CO_GENERATOR:
        return False
    steps = [step for step in dis.get_instructions(code) if step.opname not in _SKIP]
    named = [step.argval for step in steps if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")]
    if named:
        only_raises = steps[-1].opname == "RAISE_VARARGS" and all(step.opname in _RAISES for step in steps)
        return named[0] == "NotImplementedError" and only_raises
    return all(
        (step.opname in ("LOAD_CONST", "RETURN_CONST") and step.argval in (None, ...))
        or step.opname in ("RETURN_VALUE", "POP_TOP")
        for step in steps
    )


def fingerprint(code: CodeType | None) -> tuple:
    """The instructions with what they refer to by name or value, nested functions included.

    A call of `module.function` is compiled in one way where the same file imports the module, and in another in a
    notebook's cell, which does not: the two count as equal, so a jump counts by the instruction that it leads to.
    """
    if code is None:
        return ()
    steps = [step for step in dis.get_instructions(code) if step.opname not in _NO_STEP]
    offsets = [step.offset for step in steps]

    def argument(step: dis.Instruction) -> Any:
        if step.opcode in dis.hasjrel or step.opcode in dis.hasjabs:
            return bisect.bisect_left(offsets, step.argval)
        value = step.argval
        return fingerprint(value) if isinstance(value, CodeType) else (type(value).__name__, repr(value))

    told = tuple(("LOAD_ATTR" if step.opname == "LOAD_METHOD" else step.opname, argument(step)) for step in steps)
    return (code.co_argcount, code.co_kwonlyargcount, code.co_varnames[: code.co_argcount], told)


def signature_problem(obj: Any, spec: Exercise) -> str:
    """One sentence about the first thing that keeps `obj` from being called like the reference; empty where none."""
    if isinstance(spec.reference, type):
        if isinstance(obj, type):
            return _class_problem(obj, spec)
        return f"`{spec.name}` must be a class: start it with `class {spec.name}:`."
    if isinstance(obj, type) or not callable(obj):
        return f"`{spec.name}` must be a function: start it with `def {spec.name}(...):`."
    if inspect.iscoroutinefunction(obj) and not inspect.iscoroutinefunction(spec.reference):
        return f"`{spec.name}` must be a plain function: write `def` instead of `async def`."
    return _parameters_problem(spec.name, spec.reference, obj)


def _class_problem(cls: type, spec: Exercise) -> str:
    for name, wanted in vars(spec.reference).items():
        have = getattr(cls, name, None)
        if not inspect.isfunction(wanted) or name.startswith("_") and name not in SPECIAL:
            continue
        if have is None or have is object.__init__:
            return f"Class `{spec.name}` lacks the method `{name}`."
        if inspect.isfunction(have) and (problem := _parameters_problem(f"{spec.name}.{name}", wanted, have)):
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
    names = list(inspect.signature(spec.drive or spec.reference).parameters)
    return names[1:] if spec.drive else names


def call_text(spec: Exercise, case: tuple) -> str:
    """The call as a reader would write it, large arrays by their shape: `weights_bytes(1000, 'bf16')`.

    Several arrays stand there by name, too: `attend(q: (1, 2, 8), k: (1, 3, 8), v: (1, 3, 8))`, and the few whole
    numbers of an index as they are: `which: [0, 1, -1]`.
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
