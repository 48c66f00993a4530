"""`progress()`: what is done across the course, one row a notebook, as text and as a small table with bars."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import Path

from helpers.display.boxes import emit
from helpers.exercises import progress_file as store
from helpers.exercises.checking import registry
from helpers.exercises.quizzes import PLACEMENT
from helpers.files.paths import ROOT

BAR = 20  # characters of a full bar
HEAD = ("notebook", "minutes", "exercises passed", "tried", "quiz", "predictions")
NOTEBOOKS = ROOT / "notebooks"


@dataclass
class Row:
    """One notebook. `minutes` as its title says; `quiz` is like "4/5". "–" where there is none."""

    notebook: str
    minutes: str = "–"
    passed: int = 0
    total: int = 0
    tried: int = 0
    quiz: str = "–"
    predictions: int = 0


def progress() -> None:
    """Draw a table (notebook, minutes, exercises passed, tried and in all, quiz, predictions), one bar a notebook."""
    data, notice = store.read()
    rows = table(data)
    passed = f"{sum(row.passed for row in rows)} of {sum(row.total for row in rows)} exercises passed."
    after = [passed, *filter(None, [notice])]
    cells = [HEAD, *((r.notebook, r.minutes, _bar(r), r.tried, r.quiz, r.predictions) for r in rows)]
    widths = [max(len(str(cell)) for cell in column) for column in zip(*cells, strict=True)]
    lines = ["  ".join(f"{cell!s:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    style = '<td style="text-align:left;padding:2px 10px">'
    marked = ["".join(f"{style}{html.escape(str(cell))}</td>" for cell in row) for row in cells]
    text = "".join(f"<p>{html.escape(line)}</p>" for line in after)
    emit("\n".join(lines + after), f"<table>{''.join(f'<tr>{row}</tr>' for row in marked)}</table>{text}")


def table(data: dict) -> list[Row]:
    """One row for each notebook that there is, and for whatever else something is recorded of."""
    rows = {file.stem: Row(file.stem, _minutes(file)) for file in sorted(NOTEBOOKS.glob("[0-9]*_*.ipynb"))}
    numbers = {name.split("_")[0]: name for name in rows}

    def row(notebook: str) -> Row:
        name = numbers.get(notebook, notebook)  # a quiz is called by its notebook's number
        return rows.setdefault(name, Row(name))

    for name, notebook in registry().notebooks().items():
        if notebook in rows:
            entry, mine = data["exercises"].get(name, {}), rows[notebook]
            mine.total += 1
            mine.passed += bool(entry.get("passed"))
            mine.tried += bool(entry.get("passed")) or entry.get("tries", 0) > 0
    for key, entry in data["quizzes"].items():
        if not key.endswith(PLACEMENT):  # that one tells where to start, not what was learned
            row(key).quiz = f"{entry.get('score', 0)}/{entry.get('total', 5)}"
    for name, entry in data["predictions"].items():
        here = store.session.current() if name in store.session.guesses else ""
        row(str(entry.get("notebook") or here or "(elsewhere)")).predictions += 1
    return [rows[notebook] for notebook in sorted(rows)]


def _minutes(notebook: Path) -> str:
    with notebook.open(encoding="utf-8") as file:
        found = re.search(r"\*\*(\d+) minutes\*\*", file.read(5000))  # it stands in the first cell
    return found[1] if found else "–"


def _bar(row: Row) -> str:
    filled = round(BAR * row.passed / max(row.total, 1))
    return f"{'█' * filled}{'░' * (BAR - filled)} {row.passed}/{row.total}"
