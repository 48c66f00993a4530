"""What a learner has done, kept in one small JSON file on their own machine, and drawn by `progress()`.

The file lies in the platform's data folder; `HANDS_ON_PROGRESS` names another. It is written whole, then moved into
place, under a lock, so two kernels can share it. A damaged file is set aside, never fatal; where nothing can be
written the progress lives in memory until the kernel ends.

    {"version": 1,
     "exercises": {"weights_bytes": {"notebook": "00_welcome", "status": "passed", "passed": true, "tries": 2,
                                     "hints": 1}},
     "predictions": {"memory": {"notebook": "00_welcome", "guess": 540}},
     "quizzes": {"00": {"answers": {"memory": "b"}, "score": 1, "total": 5}}}
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_data_path

from helpers.files.safe_files import set_aside, write_atomically

VERSION = 1
LOCK_SECONDS = 5
SECTIONS = ("exercises", "predictions", "quizzes")

_memory: dict[str, dict] = {}  # by path: what could not be written
_said: set[str] = set()  # notices are given once a kernel


def path() -> Path:
    """Where the progress file is, or would be."""
    override = os.environ.get("HANDS_ON_PROGRESS")
    return Path(override).expanduser() if override else user_data_path("hands-on-llms") / "progress.json"


def read() -> tuple[dict, str]:
    """The recorded progress, and one sentence if something was wrong with the file (each sentence once a kernel)."""
    return _transaction(None)


def update(change: Callable[[dict], Any]) -> str:
    """Apply `change` to the recorded progress and save it; returns one sentence if something was wrong, else ""."""
    return _transaction(change)[1]


def record_exercise(name: str, notebook: str, status: str, guesses: Iterable[str] = ()) -> str:
    """Note the verdict of one run; an exercise once passed stays passed.

    `guesses` are this kernel's predictions: those made before it was known which notebook this is are placed now.
    """

    def change(data: dict) -> None:
        entry = data["exercises"].setdefault(name, {"passed": False, "tries": 0, "hints": 0})
        entry["notebook"] = notebook
        entry["status"] = status
        entry["passed"] = bool(entry.get("passed")) or status == "passed"
        entry["tries"] = int(entry.get("tries", 0)) + (status != "not attempted")
        for guess in guesses:
            if guess in data["predictions"] and not data["predictions"][guess].get("notebook"):
                data["predictions"][guess]["notebook"] = notebook

    return update(change)


def _transaction(change: Callable[[dict], Any] | None) -> tuple[dict, str]:
    file = path()
    if str(file) in _memory:
        return _in_memory(file, _memory[str(file)], change), ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock", timeout=LOCK_SECONDS):
            data, notice = _load(file)
            if data is None:
                return _in_memory(file, empty(), change), _once(notice)
            if change is not None:
                change(data)
                _write(file, data)
            return data, _once(notice)
    except Timeout:
        why = "another program holds its lock"
    except OSError as error:
        why = error.strerror or type(error).__name__
    notice = (
        f"Progress is kept in memory only, since {_short(file)} cannot be written ({why}); "
        "set HANDS_ON_PROGRESS to a file that can."
    )
    return _in_memory(file, _peek(file), change), _once(notice)


def _in_memory(file: Path, data: dict, change: Callable[[dict], Any] | None) -> dict:
    _memory[str(file)] = data
    if change is not None:
        change(data)
    return copy.deepcopy(data)


def _load(file: Path) -> tuple[dict | None, str]:
    """The content of the file and a notice. None: the file is of a later version and must be left alone."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return empty(), ""
    except UnicodeDecodeError:
        text = ""
    try:
        data = json.loads(text)
        version = data["version"]
        if isinstance(version, int) and version > VERSION:
            return None, (
                f"{_short(file)} was written by a later version of the course, so it is left alone and progress "
                "is kept in memory only: update with git pull."
            )
        if _valid(data):
            return data, ""
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    aside = set_aside(file)
    return empty(), f"The progress file was damaged: it is set aside as {aside.name} and a new one is begun."


def _valid(data: dict) -> bool:
    if data["version"] != VERSION:
        return False
    for section in SECTIONS:
        if not isinstance(data[section], dict) or not all(isinstance(entry, dict) for entry in data[section].values()):
            return False
    numbers = [entry.get(key, 0) for entry in data["exercises"].values() for key in ("tries", "hints")]
    numbers += [entry.get(key, 0) for entry in data["quizzes"].values() for key in ("score", "total")]
    answers = [entry.get("answers", {}) for entry in data["quizzes"].values()]
    return all(isinstance(n, int) for n in numbers) and all(isinstance(a, dict) for a in answers)


def _write(file: Path, data: dict) -> None:
    text = json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False)
    write_atomically(file, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _peek(file: Path) -> dict:
    """What can be read of a file that cannot be locked or written."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return data if _valid(data) else empty()
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return empty()


def empty() -> dict:
    """A new progress record."""
    return {"version": VERSION, "exercises": {}, "predictions": {}, "quizzes": {}}


def _once(notice: str) -> str:
    if notice in _said:
        return ""
    _said.add(notice)
    return notice


def _short(file: Path) -> str:
    return file.name if len(file.parts) < 2 else f"{file.parent.name}/{file.name}"
