"""The declarative table of answers: for every exercise, plausible wrong ones with what must be said, and right ones.

A topic module holds `ROWS = [Row(name, wrong=[Wrong(code, "part of the message"), …], right=[code, …]), …]`. Code is
the source of the definition without `@exercise`; it imports what it needs inside the body, so that it runs in any cell.
"""

from __future__ import annotations

import importlib
import pkgutil
import textwrap
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Wrong:
    """A plausible wrong answer and a part of the message that must refuse it."""

    code: str
    message: str


@dataclass(frozen=True)
class Row:
    """Answers to one exercise."""

    name: str
    wrong: list[Wrong]
    right: list[str]


def rows() -> dict[str, Row]:
    """Every row by the exercise's name; a name that has two rows is a ValueError."""
    found: dict[str, Row] = {}
    for module in pkgutil.iter_modules(__path__):
        for row in getattr(importlib.import_module(f"{__name__}.{module.name}"), "ROWS", []):
            if row.name in found:
                raise ValueError(f"exercise {row.name!r} has two rows")
            found[row.name] = row
    return found


def define(name: str, code: str) -> Any:
    """Run the source of a definition in an empty namespace and return what it defines."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(textwrap.dedent(code), f"<answer {name}>", "exec"), namespace)
    return namespace[name]
