"""`progress()`: what is done across the course, as a table and a small chart."""

from __future__ import annotations

import html
from dataclasses import dataclass

from helpers.display.boxes import COLORS, emit
from helpers.exercises import progress_file as store
from helpers.exercises.checking import homes
from helpers.exercises.kernel import session
from helpers.exercises.quizzes import PLACEMENT

BAR = 20  # characters of a full bar in the text form


@dataclass
class Row:
    """One notebook. `quiz` is like "4/5", or "–" before the quiz was tried."""

    notebook: str
    passed: int = 0
    tried: int = 0
    total: int = 0
    quiz: str = "–"
    predictions: int = 0


def progress() -> None:
    """Draw a table (notebook, exercises passed, tried and in all, quiz, predictions) with one bar a notebook."""
    data, notice = store.read()
    rows = table(data)
    emit(_text(rows, notice), _html(rows, notice))


def table(data: dict) -> list[Row]:
    """One row a notebook that has exercises, a quiz or a recorded prediction."""
    rows: dict[str, Row] = {}

    def row(notebook: str) -> Row:
        return rows.setdefault(notebook, Row(notebook))

    for name, notebook in homes().items():
        entry = data["exercises"].get(name, {})
        mine = row(notebook)
        mine.total += 1
        mine.passed += bool(entry.get("passed"))
        mine.tried += bool(entry.get("passed")) or entry.get("tries", 0) > 0
    for key, entry in data["quizzes"].items():
        if key.endswith(PLACEMENT):  # it tells where to start, not what was learned
            continue
        row(_notebook_of(key, list(rows))).quiz = f"{entry.get('score', 0)}/{entry.get('total', 5)}"
    for name, entry in data["predictions"].items():
        here = session.current() if name in session.guesses else ""
        row(_notebook_of(str(entry.get("notebook") or here or "(elsewhere)"), list(rows))).predictions += 1
    return [rows[notebook] for notebook in sorted(rows)]


def _notebook_of(quiz: str, notebooks: list[str]) -> str:
    return next((name for name in notebooks if name.split("_")[0] == quiz), quiz)


def _text(rows: list[Row], notice: str) -> str:
    if not rows:
        return "Nothing recorded yet."
    width = max(len("all"), *(len(row.notebook) for row in rows))
    lines = [f"{'notebook':<{max(width, 8)}}  exercises passed       tried  quiz  predictions"]
    for row in rows:
        filled = round(BAR * row.passed / row.total) if row.total else 0
        bar = "█" * filled + "░" * (BAR - filled)
        figures = f"{row.passed}/{row.total}  {row.tried:>3}  {row.quiz:>4}  {row.predictions:>3}"
        lines.append(f"{row.notebook:<{max(width, 8)}}  {bar}  {figures}")
    passed, total = sum(row.passed for row in rows), sum(row.total for row in rows)
    lines.append(f"{passed} of {total} exercises passed.")
    return "\n".join([*lines, *filter(None, [notice])])


def _html(rows: list[Row], notice: str) -> str:
    if not rows:
        return "<p>Nothing recorded yet.</p>"
    cells = ("notebook", "exercises passed", "", "tried", "quiz", "predictions")
    head = "".join(f'<th style="text-align:left;padding:2px 10px">{cell}</th>' for cell in cells)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="text-align:left;padding:2px 10px">{cell}</td>'
            for cell in (
                html.escape(row.notebook),
                _bar(row),
                f"{row.passed}/{row.total}",
                row.tried,
                row.quiz,
                row.predictions,
            )
        )
        + "</tr>"
        for row in rows
    )
    passed, total = sum(row.passed for row in rows), sum(row.total for row in rows)
    note = f"<p>{html.escape(notice)}</p>" if notice else ""
    return f"<table><tr>{head}</tr>{body}</table><p>{passed} of {total} exercises passed.</p>{note}"


def _bar(row: Row) -> str:
    """One bar as inline SVG: passed in full color, tried and not passed in a lighter one."""
    width, unit = 160, 160 / max(row.total, 1)
    label = f"{row.passed} of {row.total} passed"
    color = COLORS["passed"]
    return (
        f'<svg width="{width}" height="12" role="img" aria-label="{label}"><title>{label}</title>'
        f'<rect width="{width}" height="12" rx="3" fill="#8b949e" fill-opacity=".3"/>'
        f'<rect width="{unit * row.tried:g}" height="12" rx="3" fill="{color}" fill-opacity=".4"/>'
        f'<rect width="{unit * row.passed:g}" height="12" rx="3" fill="{color}"/></svg>'
    )
