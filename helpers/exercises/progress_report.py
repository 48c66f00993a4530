"""`progress()`: what is done across the course, one row a notebook, as text and as a small table with bars."""

from __future__ import annotations

import html
import re
from dataclasses import astuple, dataclass
from pathlib import Path

from helpers.display.boxes import COLORS, emit
from helpers.exercises import progress_file as store
from helpers.exercises.checking import homes
from helpers.exercises.kernel import session
from helpers.exercises.quizzes import PLACEMENT
from helpers.files.paths import ROOT

BAR = 20  # characters of a full bar in the text form
HEAD = ("notebook", "minutes", "exercises passed", "", "tried", "quiz", "predictions")
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
    emit("\n".join([_text(rows), *after]), _html(rows) + "".join(f"<p>{html.escape(line)}</p>" for line in after))


def table(data: dict) -> list[Row]:
    """One row for each notebook that there is, and for whatever else something is recorded of."""
    rows = {file.stem: Row(file.stem, _minutes(file)) for file in sorted(NOTEBOOKS.glob("[0-9]*_*.ipynb"))}
    numbers = {name.split("_")[0]: name for name in rows}

    def row(notebook: str) -> Row:
        name = numbers.get(notebook, notebook)  # a quiz is called by its notebook's number
        return rows.setdefault(name, Row(name))

    for name, notebook in homes().items():
        if notebook in rows:
            entry, mine = data["exercises"].get(name, {}), rows[notebook]
            mine.total += 1
            mine.passed += bool(entry.get("passed"))
            mine.tried += bool(entry.get("passed")) or entry.get("tries", 0) > 0
    for key, entry in data["quizzes"].items():
        if not key.endswith(PLACEMENT):  # that one tells where to start, not what was learned
            row(key).quiz = f"{entry.get('score', 0)}/{entry.get('total', 5)}"
    for name, entry in data["predictions"].items():
        here = session.current() if name in session.guesses else ""
        row(str(entry.get("notebook") or here or "(elsewhere)")).predictions += 1
    return [rows[notebook] for notebook in sorted(rows)]


def _minutes(notebook: Path) -> str:
    with notebook.open(encoding="utf-8") as file:
        found = re.search(r"\*\*(\d+) minutes\*\*", file.read(5000))  # it stands in the first cell
    return found[1] if found else "–"


def _text(rows: list[Row]) -> str:
    width = max([8, *(len(row.notebook) for row in rows)])
    lines = [f"{'notebook':<{width}}  minutes  exercises passed       tried  quiz  predictions"]
    for row in rows:
        filled = round(BAR * row.passed / row.total) if row.total else 0
        bar = f"{'█' * filled}{'░' * (BAR - filled)}  {row.passed}/{row.total}"
        lines.append(
            f"{row.notebook:<{width}}  {row.minutes:>7}  {bar}  {row.tried:>3}  {row.quiz:>4}  {row.predictions:>3}"
        )
    return "\n".join(lines)


def _html(rows: list[Row]) -> str:
    body = [HEAD]
    for row in rows:
        notebook, minutes, passed, total, *rest = astuple(row)
        body.append((html.escape(notebook), minutes, _bar(row), f"{passed}/{total}", *rest))
    lines = ["".join(f'<td style="text-align:left;padding:2px 10px">{cell}</td>' for cell in cells) for cells in body]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _bar(row: Row) -> str:
    """One bar as inline SVG: passed in full color, tried and not passed in a lighter one."""
    width, unit = 160, 160 / max(row.total, 1)
    label, color = f"{row.passed} of {row.total} passed", COLORS["passed"]
    return (
        f'<svg width="{width}" height="12" role="img" aria-label="{label}"><title>{label}</title>'
        f'<rect width="{width}" height="12" rx="3" fill="#8b949e" fill-opacity=".3"/>'
        f'<rect width="{unit * row.tried:g}" height="12" rx="3" fill="{color}" fill-opacity=".4"/>'
        f'<rect width="{unit * row.passed:g}" height="12" rx="3" fill="{color}"/></svg>'
    )
