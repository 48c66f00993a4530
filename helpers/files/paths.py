"""Where the course's own files lie: the repository, its data, and what the sweeps recorded."""

from __future__ import annotations

from pathlib import Path

import helpers

ROOT = Path(helpers.__file__).resolve().parent.parent
DATA = ROOT / "data"
RESULTS = DATA / "results"
