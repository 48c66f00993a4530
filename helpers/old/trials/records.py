"""Recorded measurements: data/results/NAME.json, as `make sweeps` wrote them.

    results = Record("07_tickets")
    results.read()["date"]
    results.find("broken", labels="no stop")["dev"]         # the run of that case

What it does not do: measure anything.
"""

from __future__ import annotations

import json
from typing import Any

from helpers.files.paths import RESULTS


class Record:
    """What one sweep measured, read when it is first asked for."""

    def __init__(self, name: str) -> None:
        self.path = RESULTS / f"{name}.json"
        self._read: dict[str, Any] | None = None

    def read(self) -> dict[str, Any]:
        """The sweep as it was measured: its runs, with date, machine, versions and command."""
        if self._read is None:
            self._read = json.loads(self.path.read_text(encoding="utf-8"))
        return self._read

    def find(self, case: str, **settings: Any) -> dict[str, Any]:
        """The run of a case with exactly these settings, else the only one that has these among others.

        Raises LookupError, in one sentence, where there is none, or more than one.
        """
        wanted = {"case": case} | settings
        runs = self.read()["runs"]
        exact = [run for run in runs if run["case"] == wanted]
        found = exact or [run for run in runs if wanted.items() <= run["case"].items()]
        if len(found) != 1:
            raise LookupError(f"{self.path.name} has {len(found)} runs of {wanted}: name one.")
        return found[0]
