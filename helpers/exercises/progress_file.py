"""What a learner has done, kept in one small JSON file on their own machine; and what this kernel knows until it ends.

The file lies in the platform's data folder; `HANDS_ON_PROGRESS` names another.

    {"version": 1,
     "exercises": {"weights_bytes": {"notebook": "00_welcome", "status": "passed", "passed": true, "tries": 2,
                                     "hints": 1}},
     "predictions": {"memory": {"notebook": "00_welcome", "guess": 540}},
     "quizzes": {"00": {"answers": {"memory": "b"}, "score": 1, "total": 5}}}
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from helpers.files.store import Store

EMPTY: dict = {"version": 1, "exercises": {}, "predictions": {}, "quizzes": {}}


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
    return Store(file, "Progress", EMPTY, "set HANDS_ON_PROGRESS to a file that can", _valid)


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
        entry.update(notebook=notebook, status=status, passed=bool(entry.get("passed")) or status == "passed")
        entry["tries"] = int(entry.get("tries", 0)) + (status != "not attempted")
        for guess in guesses:
            if guess in data["predictions"] and not data["predictions"][guess].get("notebook"):
                data["predictions"][guess]["notebook"] = notebook

    return update(change)


def _valid(data: dict) -> bool:
    exercises, quizzes = data["exercises"].values(), data["quizzes"].values()
    numbers = [entry.get(key, 0) for entry in exercises for key in ("tries", "hints")]
    numbers += [entry.get(key, 0) for entry in quizzes for key in ("score", "total")]
    dictionaries = [*data["predictions"].values(), *(entry.get("answers", {}) for entry in quizzes)]
    return all(isinstance(n, int) for n in numbers) and all(isinstance(a, dict) for a in dictionaries)
