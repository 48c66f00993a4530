"""One JSON object in one file, which several kernels may share: read and changed under a lock, written whole.

    store = Store(path, "Progress", {"version": 1, "exercises": {}}, cure="set HANDS_ON_PROGRESS to a file that can")
    notice = store.update(lambda data: data["exercises"].update(softmax="passed"))

Nothing is ever raised for the file's sake: a damaged one is set aside, and where nothing can be written (a full disk, a
lock that somebody holds) the content lives in memory until the kernel ends. Each is said once, in one sentence.
"""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from helpers.files.safe_files import set_aside, write_atomically

LOCK_SECONDS = 5


@dataclass
class Store:
    """`name` begins the sentences; `empty` is the first content, with its "version"."""

    path: Path
    name: str
    empty: dict
    cure: str = "free its folder"
    memory: dict | None = None  # what could not be written
    said: set[str] = field(default_factory=set)

    def read(self) -> tuple[dict, str]:
        """The content, and one sentence if something was wrong with the file."""
        return self._transaction(None)

    def update(self, change: Callable[[dict], Any]) -> str:
        """Apply `change` to the content and save it; returns one sentence if something was wrong, else ""."""
        return self._transaction(change)[1]

    def _transaction(self, change: Callable[[dict], Any] | None) -> tuple[dict, str]:
        if self.memory is not None:
            return self._in_memory(self.memory, change), ""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock", timeout=LOCK_SECONDS):
                data, notice = self._load()
                if data is None:
                    return self._in_memory(copy.deepcopy(self.empty), change), self._once(notice)
                if change is not None:
                    change(data)
                    text = json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False)
                    write_atomically(self.path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
                return data, self._once(notice)
        except Timeout:
            why = "another program holds its lock"
        except OSError as error:
            why = error.strerror or type(error).__name__
        notice = f"{self.name} is kept in memory only, since {self._shown} cannot be written ({why}); {self.cure}."
        content = None
        with contextlib.suppress(OSError):
            content = self._content()
        return self._in_memory(content or copy.deepcopy(self.empty), change), self._once(notice)

    def _in_memory(self, data: dict, change: Callable[[dict], Any] | None) -> dict:
        self.memory = data
        if change is not None:
            change(data)
        return copy.deepcopy(data)

    def _load(self) -> tuple[dict | None, str]:
        """The content of the file and a notice. None: the file is of a later version and must be left alone."""
        if not self.path.exists():
            return copy.deepcopy(self.empty), ""
        data = self._content()
        if data is None:
            aside = set_aside(self.path)
            damage = (
                f"The {self.name.lower()} file was damaged: it is set aside as {aside.name} and a new one is begun."
            )
            return copy.deepcopy(self.empty), damage
        if data["version"] > self.empty["version"]:
            later = f"{self._shown} was written by a later version of the course, so it is left alone and"
            return None, f"{later} {self.name.lower()} is kept in memory only: update with git pull."
        return data, ""

    def _content(self) -> dict | None:
        """What the file holds; None where it is damaged."""
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            later = data["version"] > self.empty["version"]
            return data if later or data.keys() == self.empty.keys() else None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def _once(self, notice: str) -> str:
        """The notice the first time, then nothing."""
        new = notice not in self.said
        self.said.add(notice)
        return notice if new else ""

    @property
    def _shown(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}"
