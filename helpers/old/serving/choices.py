"""What else serves a language model, and when to take it: `data/serving/options.json`, as a table.

    for option in load_options():
        print(option.name, "-", option.take_when)
    choices_table(["vLLM", "a hosted API"])            # the same as a table for a notebook, dated, "read" where not run

What it does not do: choose. Measure the two that are left with your own load (`tests/benchmarks/load.py`).
"""

from __future__ import annotations

import datetime
import html
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from helpers.files.paths import DATA
from helpers.files.safe_files import read_json, unavailable

FILE = DATA / "serving" / "options.json"
CHECKED = ("run", "read")
COLUMNS = {"name": "what", "take_when": "take it when", "leave_when": "leave it when", "checked": "checked"}


@dataclass(frozen=True)
class ServingOption:
    """One way to serve a model."""

    name: str
    what: str
    take_when: str
    leave_when: str
    runs_on: str
    beyond_one_machine: str
    openai_api: bool | None  # None: it serves nothing by itself
    license: str
    start: str  # the command that starts it
    checked: str  # "run": under load for this course; "read": its documentation
    date: datetime.date
    source: str


def load_options(path: Path = FILE) -> list[ServingOption]:
    """All options in the order of the file. Raises DataUnavailable where it is missing or damaged."""
    try:
        names = [field.name for field in fields(ServingOption) if field.name != "date"]
        options = [
            ServingOption(**{name: row[name] for name in names}, date=datetime.date.fromisoformat(row["date"]))
            for row in read_json(path)["options"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise unavailable(path, damaged=True) from error
    if any(option.checked not in CHECKED for option in options):
        raise unavailable(path, damaged=True)
    return options


def choices_table(names: Sequence[str] | None = None) -> str:
    """These options (or all) as an HTML table, one row each; the last column says whether it was run or read, and when.

    Raises ValueError for a name that no option has.
    """
    options = {option.name: option for option in load_options()}
    if unknown := set(names or ()) - options.keys():
        raise ValueError(f"No option is called {min(unknown)!r}; there are {', '.join(options)}.")
    head = "".join(f"<th>{label}</th>" for label in COLUMNS.values())
    rows = []
    for option in options.values() if names is None else map(options.get, names):
        cells = [html.escape(str(getattr(option, name))) for name in COLUMNS]
        cells[-1] += f", {option.date.isoformat()}"
        rows.append("<tr>" + "".join(f"<td style='text-align: left'>{cell}</td>" for cell in cells) + "</tr>")
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"
