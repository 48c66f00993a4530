"""What every test gets: no live widgets, no hub, and a progress file that is never the learner's."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HANDS_ON_STATIC"] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")

pytest_plugins = ["tests.tools.report"]


@pytest.fixture(autouse=True)
def no_learner_is_touched(tmp_path, monkeypatch):
    """Progress goes to a temporary file; switches a developer may have set are off."""
    monkeypatch.setenv("HANDS_ON_PROGRESS", str(tmp_path / "progress.json"))
    for name in ("HANDS_ON_STRICT", "HANDS_ON_CHAT_MODEL", "HANDS_ON_EMBEDDER", "HANDS_ON_CHECK_SECONDS"):
        monkeypatch.delenv(name, raising=False)
