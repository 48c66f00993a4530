"""Has the learner written anything yet? Answered from bytecode, so that it works in every kind of cell and file.

A stub is a docstring and nothing else, `...`, `pass`, `return None` or `raise NotImplementedError`. A debug exercise is
untouched while its code is instruction for instruction the planted one (comments, docstring and annotations aside).
"""

from __future__ import annotations

import bisect
import dataclasses
import dis
import inspect
from types import CodeType, FunctionType
from typing import Any

_NO_STEP = {"CACHE", "NOP", "EXTENDED_ARG", "PRECALL", "PUSH_NULL"}
_SKIP = _NO_STEP | {"RESUME", "COPY_FREE_VARS", "MAKE_CELL", "NOT_TAKEN"}
_RAISES = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_CONST", "CALL", "RAISE_VARARGS"}


def not_attempted(obj: Any, planted: Any = None) -> bool:
    """True for a stub, and for code equal to `planted`."""
    if isinstance(obj, type):
        given = methods(planted) if isinstance(planted, type) else {}
        return all(is_stub(code) or same_code(code, given.get(name)) for name, code in methods(obj).items())
    code = code_of(obj)
    return code is not None and (is_stub(code) or same_code(code, code_of(planted)))


def code_of(obj: Any) -> CodeType | None:
    """The code object of a function, of the function inside a decorator or of a property's getter; else None."""
    if isinstance(obj, staticmethod | classmethod):
        obj = obj.__func__
    if isinstance(obj, property):
        obj = obj.fget
    obj = inspect.unwrap(obj) if callable(obj) else obj
    return obj.__code__ if isinstance(obj, FunctionType) else None


def methods(cls: type) -> dict[str, CodeType]:
    """Code of the methods that the class body itself defines; those that `@dataclass` writes are left out."""
    written = ("<string>", dataclasses.__file__) if dataclasses.is_dataclass(cls) else ()
    found = {name: code for name, value in vars(cls).items() if (code := code_of(value)) is not None}
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


def same_code(one: CodeType, other: CodeType | None) -> bool:
    """True where both do the same, instruction for instruction; docstrings, comments and line numbers do not count."""
    return other is not None and fingerprint(one) == fingerprint(other)


def fingerprint(code: CodeType) -> tuple:
    """The instructions with what they refer to by name or value, nested functions included.

    A call of `module.function` is compiled in one way where the same file imports the module, and in another in a
    notebook's cell, which does not: the two count as equal, so a jump counts by the instruction that it leads to.
    """
    steps = [step for step in dis.get_instructions(code) if step.opname not in _NO_STEP]
    offsets = [step.offset for step in steps]

    def argument(step: dis.Instruction) -> Any:
        if step.opcode in dis.hasjrel or step.opcode in dis.hasjabs:
            return bisect.bisect_left(offsets, step.argval)
        value = step.argval
        return fingerprint(value) if isinstance(value, CodeType) else (type(value).__name__, repr(value))

    told = tuple(("LOAD_ATTR" if step.opname == "LOAD_METHOD" else step.opname, argument(step)) for step in steps)
    return (code.co_argcount, code.co_kwonlyargcount, code.co_varnames[: code.co_argcount], told)
