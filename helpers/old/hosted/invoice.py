"""The bill of a scripted service: one line of JSON per request that was worked on, written before it is answered.

    {"request": "req_000007", "key": "ticket-3", "model": "nimbus-2", "prompt_tokens": 41, "cached_tokens": 0,
     "completion_tokens": 12, "money": 0.000115, "time": 3.2, "outcome": "timeout"}

key: the request's Idempotency-Key, or null; it stands there, too, where the service does not honor it. A line is
flushed and on its way to the disk before the client hears anything, so that the bill is whole however the client ends.
What it does not do: lock; one process writes a file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any


class Invoice:
    """Lines as they are billed. path: a file to append to, whose earlier lines are read; None keeps them in memory."""

    def __init__(self, path: Path | str | None = None) -> None:
        self.path = Path(path) if path else None
        self.lines: list[dict[str, Any]] = []
        if self.path and self.path.exists():
            self.lines = read_invoice(self.path)
            os.truncate(self.path, self.path.read_bytes().rfind(b"\n") + 1)  # a torn line was heard by nobody

    def add(self, **line: Any) -> None:
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
                file.flush()
                os.fsync(file.fileno())
        self.lines.append(line)

    @property
    def total(self) -> float:
        return sum(line["money"] for line in self.lines)


def read_invoice(path: Path | str) -> list[dict[str, Any]]:
    """All whole lines of an invoice; a last line without its end is left out."""
    text = Path(path).read_text(encoding="utf-8")
    whole: Iterable[str] = text[: text.rfind("\n") + 1].splitlines()
    return [json.loads(line) for line in whole]
