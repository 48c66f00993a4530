"""What this kernel knows until it ends: guesses made, hints shown, and which notebook it is running."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Session:
    """State of one kernel. `notebook` is like "00_welcome", or empty until an exercise or a quiz tells."""

    guesses: dict[str, Any] = field(default_factory=dict)
    hints: dict[str, int] = field(default_factory=dict)
    notebook: str = ""

    def enter(self, notebook: str) -> None:
        """An exercise or quiz of `notebook` runs here."""
        self.notebook = notebook

    def enter_quiz(self, number: str) -> None:
        """The quiz of notebook `number` runs here; known better already where an exercise of it has run."""
        if not self.notebook.startswith(f"{number}_"):
            self.notebook = number

    def current(self) -> str:
        """The notebook's name, from Jupyter where it says so, else from what has run; "" where nobody knows."""
        name = Path(os.environ.get("JPY_SESSION_NAME", "")).stem
        return name if re.match(r"\d\d[a-z]?_", name) else self.notebook


session = Session()
