"""What a learner has done, kept in one small JSON file on their own machine; and what this kernel knows until it ends.

The file lies in the platform's data folder; `HANDS_ON_PROGRESS` names another.

    {"version": 1,
     "exercises": {"weights_bytes": {"notebook": "00_welcome", "status": "passed", "passed": true, "tries": 2,
                                     "hints": 1}},
     "predictions": {"memory": {"notebook": "00_welcome", "guess": 540}},
     "quizzes": {"00": {"answers": {"memory": "b"}, "score": 1, "total": 5}}}
"""

from __future__ import annotations

import html
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from helpers.display.boxes import emit
from helpers.exercises.checking import registry
from helpers.files.paths import ROOT
from helpers.files.store import Store

EMPTY: dict = {"version": 1, "exercises": {}, "predictions": {}, "quizzes": {}}
NOTEBOOKS = ROOT / "notebooks"
HEAD = ("notebook", "minutes", "exercises passed", "tried", "quiz", "predictions")
BAR = 20  # characters of a full bar


@dataclass
class Session:
    """State of one kernel: the guesses made, and the notebook ("00_welcome"), empty until an exercise or quiz tells."""

    guesses: dict[str, Any] = field(default_factory=dict)
    notebook: str = ""

    def current(self) -> str:
        """The notebook's name, from Jupyter where it says so, else from what has run; "" where nobody knows."""
        name = Path(os.environ.get("JPY_SESSION_NAME", "")).stem
        return name if re.match(r"\d\d[a-z]?_", name) else self.notebook


session = Session()


def path() -> Path:
    """Where the progress file is, or would be."""
    override = os.environ.get("HANDS_ON_PROGRESS")
    return Path(override).expanduser() if override else user_data_path("hands-on-llms") / "progress.json"


@cache
def store_at(file: Path) -> Store:
    """The store in `file`, the same one as long as the kernel runs."""
    return Store(file, "Progress", EMPTY, "set HANDS_ON_PROGRESS to a file that can")


def read() -> tuple[dict, str]:
    """The recorded progress, and one sentence if something was wrong with the file."""
    return store_at(path()).read()


def update(change: Callable[[dict], Any]) -> str:
    """Apply `change` to the recorded progress and save it; returns one sentence if something was wrong, else ""."""
    return store_at(path()).update(change)


def record_exercise(name: str, notebook: str, status: str, guesses: Iterable[str] = ()) -> str:
    """Note the verdict of one run; an exercise once passed stays passed.

    `guesses` are this kernel's predictions: those made before it was known which notebook this is are placed now.
    """

    def change(data: dict) -> None:
        entry = data["exercises"].setdefault(name, {"passed": False, "tries": 0, "hints": 0})
        entry.update(notebook=notebook, status=status, passed=entry["passed"] or status == "passed")
        entry["tries"] += status != "not attempted"
        for guess in guesses:
            if guess in data["predictions"] and not data["predictions"][guess]["notebook"]:
                data["predictions"][guess]["notebook"] = notebook

    return update(change)


def progress() -> None:
    """Draw a table: one row a notebook, with a bar of its exercises passed, those tried, quiz and predictions."""
    data, notice = read()
    rows = [HEAD, *table(data)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    total, passed = registry().notebooks(), data["exercises"]
    done = sum(name in total and entry["passed"] for name, entry in passed.items())
    text = "\n".join([*lines, f"{done} of {len(total)} exercises passed.", *filter(None, [notice])])
    emit(text, f'<pre style="line-height:1.4">{html.escape(text)}</pre>')


def table(data: dict) -> list[tuple[str, ...]]:
    """The rows below HEAD; "–" where a notebook has none."""
    files = {file.stem: file for file in sorted(NOTEBOOKS.glob("[0-9]*_*.ipynb"))}
    exercises = [(home, data["exercises"].get(name, {})) for name, home in registry().notebooks().items()]
    guessed = Counter(entry["notebook"] for entry in data["predictions"].values())
    rows = []
    for notebook, file in files.items():
        entries = [entry for home, entry in exercises if home == notebook]
        passed = sum(entry.get("passed", False) for entry in entries)
        tried = sum(entry.get("tries", 0) > 0 for entry in entries)
        minutes = re.search(r"\*\*(\d+) minutes\*\*", file.read_text(encoding="utf-8")[:5000])  # in the first cell
        number = notebook.split("_")[0]  # a quiz is called by it, and a notebook where only a quiz has run
        quiz = data["quizzes"].get(number)
        filled = round(BAR * passed / max(len(entries), 1))
        bar = f"{'█' * filled}{'░' * (BAR - filled)} {passed}/{len(entries)}"
        score = f"{quiz['score']}/{quiz['total']}" if quiz else "–"
        guesses = guessed[notebook] + guessed[number]
        rows.append((notebook, minutes[1] if minutes else "–", bar, str(tried), score, str(guesses)))
    return rows
