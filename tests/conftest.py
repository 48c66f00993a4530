"""What every test gets: no live widgets, no hub, and a progress file that is never the learner's."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HANDS_ON_STATIC"] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")

# side by side (`pytest -n`), each worker computes with its share of the cores; this must be said before torch is loaded
if (workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))) > 1:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))

# the same examples in every run; HANDS_ON_RANDOM=1 draws new ones
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable" if os.environ.get("HANDS_ON_RANDOM", "") in ("", "0") else "default")

pytest_plugins = ["tests.tools.report"]


@pytest.fixture(autouse=True)
def no_learner_is_touched(tmp_path, monkeypatch):
    """Progress goes to a temporary file; switches a developer may have set are off."""
    monkeypatch.setenv("HANDS_ON_PROGRESS", str(tmp_path / "progress.json"))
    for name in ("HANDS_ON_STRICT", "HANDS_ON_CHAT_MODEL", "HANDS_ON_EMBEDDER", "HANDS_ON_CHECK_SECONDS"):
        monkeypatch.delenv(name, raising=False)
