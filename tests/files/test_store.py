"""A store survives damage, concurrency and places that cannot be written, and says so in one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from filelock import FileLock

from helpers.files import ROOT, store
from helpers.files.store import Store

EMPTY = {"version": 1, "exercises": {}}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "progress.json"


def opened(file) -> Store:
    return Store(file, "Progress", EMPTY)


def noted(kept: Store, name: str = "softmax") -> str:
    return kept.update(lambda data: data["exercises"].update({name: "passed"}))


@pytest.mark.parametrize(
    "damage",
    [
        b'{"version": 1, "exercises": {"a": {"pas',
        b"\xff\xfe\x00garbage",
        b'{"version": "one", "exercises": {}}',
        b'{"version": 1}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_set_aside_with_one_sentence(file, damage):
    file.write_bytes(damage)
    kept = opened(file)
    assert noted(kept) == (
        "The progress file was damaged: it is set aside as progress.corrupt-1.json and a new one is begun."
    )
    assert file.with_name("progress.corrupt-1.json").read_bytes() == damage
    assert json.loads(file.read_text())["exercises"] == {"softmax": "passed"}
    assert noted(kept) == ""
    file.write_bytes(b"two")
    kept.read()
    assert file.with_name("progress.corrupt-1.json").read_bytes() == damage
    assert file.with_name("progress.corrupt-2.json").read_bytes() == b"two"


def test_a_file_of_a_later_version_is_left_alone(file):
    file.write_text(later := json.dumps({"version": 99, "anything": 1}))
    kept = opened(file)
    assert "later version of the course" in noted(kept)
    assert file.read_text() == later
    assert kept.read()[0]["exercises"] == {"softmax": "passed"}


def test_where_nothing_can_be_written_the_content_lives_in_memory(tmp_path):
    (tmp_path / "a file").write_text("in the way")
    kept = opened(tmp_path / "a file" / "progress.json")
    assert noted(kept).startswith("Progress is kept in memory only, since a file/progress.json cannot be written (")
    assert noted(kept, "attend") == ""
    assert set(kept.read()[0]["exercises"]) == {"softmax", "attend"}


def test_a_full_disk_leaves_the_old_file_and_no_rubbish(file, monkeypatch):
    kept = opened(file)
    noted(kept)
    before = file.read_text()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "The disk is too full" in noted(kept, "attend")
    assert file.read_text() == before
    assert not list(file.parent.glob("*.tmp")) + list(file.parent.glob(".*.tmp"))
    assert set(kept.read()[0]["exercises"]) == {"softmax", "attend"}


def test_a_lock_held_elsewhere_is_waited_for_and_then_said(file, monkeypatch):
    monkeypatch.setattr(store, "LOCK_SECONDS", 0.05)
    with FileLock(f"{file}.lock"):
        assert "(another program holds its lock)" in noted(opened(file))


def test_two_kernels_writing_at_once_lose_nothing(file):
    code = (
        "import sys; from pathlib import Path; from helpers.files.store import Store\n"
        "kept = Store(Path(sys.argv[2]), 'Progress', {'version': 1, 'exercises': {}})\n"
        "for i in range(25): kept.update(lambda data: data['exercises'].update({f'{sys.argv[1]}{i}': 1}))"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, name, str(file)], cwd=ROOT) for name in "ab"]
    assert [run.wait(120) for run in runs] == [0, 0]
    assert len(json.loads(file.read_text())["exercises"]) == 50
