"""The progress file survives damage, concurrency and places that cannot be written."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from filelock import FileLock

from helpers import exercises
from helpers.exercises import progress_file as progress
from helpers.exercises.progress_report import table
from helpers.files import ROOT


@pytest.fixture(autouse=True)
def fresh_kernel(monkeypatch):
    monkeypatch.setattr(progress, "_memory", {})
    monkeypatch.setattr(progress, "_said", set())


@pytest.fixture
def file(tmp_path):
    return tmp_path / "progress.json"


def test_an_exercise_once_passed_stays_passed(file):
    for status in ("not attempted", "not yet", "passed", "not yet"):
        assert progress.record_exercise("weights_bytes", "00_welcome", status) == ""
    entry = json.loads(file.read_text())["exercises"]["weights_bytes"]
    assert (entry["passed"], entry["tries"], entry["status"]) == (True, 3, "not yet")
    assert table(progress.read()[0])[0].passed == 1


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b'{"version": 1, "exercises": {"a": {"pas',
        b"\xff\xfe\x00garbage",
        b"[]",
        b'{"version": 1}',
        b'{"version": 1, "exercises": [], "predictions": {}, "quizzes": {}}',
        b'{"version": 1, "exercises": {"a": {"tries": "many"}}, "predictions": {}, "quizzes": {}}',
        b'{"version": "one", "exercises": {}, "predictions": {}, "quizzes": {}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_set_aside_with_one_sentence(file, damage):
    file.write_bytes(damage)
    notice = progress.record_exercise("weights_bytes", "00_welcome", "passed")
    assert notice == "The progress file was damaged: it is set aside as progress.corrupt-1.json and a new one is begun."
    assert file.with_name("progress.corrupt-1.json").read_bytes() == damage
    assert json.loads(file.read_text())["exercises"]["weights_bytes"]["passed"]
    assert progress.record_exercise("weights_bytes", "00_welcome", "passed") == ""


def test_a_second_damaged_file_does_not_overwrite_the_first(file):
    for content in (b"one", b"two"):
        file.write_bytes(content)
        progress.read()
    assert file.with_name("progress.corrupt-1.json").read_bytes() == b"one"
    assert file.with_name("progress.corrupt-2.json").read_bytes() == b"two"


def test_a_file_of_a_later_version_is_left_alone(file):
    later = json.dumps({"version": 99, "anything": 1})
    file.write_text(later)
    assert "later version of the course" in progress.record_exercise("weights_bytes", "00_welcome", "passed")
    assert file.read_text() == later
    assert progress.read()[0]["exercises"]["weights_bytes"]["passed"]


def test_where_nothing_can_be_written_progress_lives_in_memory(tmp_path, monkeypatch):
    (tmp_path / "a file").write_text("in the way")
    monkeypatch.setenv("HANDS_ON_PROGRESS", str(tmp_path / "a file" / "progress.json"))
    notice = progress.record_exercise("weights_bytes", "00_welcome", "passed")
    assert notice.startswith("Progress is kept in memory only, since a file/progress.json cannot be written (")
    assert progress.record_exercise("cosine_similarity", "00_welcome", "passed") == ""
    assert set(progress.read()[0]["exercises"]) == {"weights_bytes", "cosine_similarity"}


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(file, monkeypatch):
    progress.record_exercise("weights_bytes", "00_welcome", "passed")
    before = file.read_text()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(progress.os, "fsync", full)
    assert "The disk is too full" in progress.record_exercise("cosine_similarity", "00_welcome", "passed")
    assert file.read_text() == before
    assert not list(file.parent.glob("*.tmp")) + list(file.parent.glob(".*.tmp"))
    assert set(progress.read()[0]["exercises"]) == {"weights_bytes", "cosine_similarity"}


def test_a_lock_held_elsewhere_is_waited_for_and_then_said(file, monkeypatch):
    monkeypatch.setattr(progress, "LOCK_SECONDS", 0.05)
    with FileLock(f"{file}.lock"):
        notice = progress.record_exercise("weights_bytes", "00_welcome", "passed")
    assert "(another program holds its lock)" in notice


def test_two_kernels_writing_at_once_lose_nothing(file):
    code = (
        "import sys; from helpers.exercises import progress_file as progress\n"
        "for i in range(25): progress.record_exercise(f'{sys.argv[1]}{i}', '00_welcome', 'passed')"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, name], cwd=ROOT) for name in "ab"]
    assert [run.wait(120) for run in runs] == [0, 0]
    assert len(json.loads(file.read_text())["exercises"]) == 50


def test_hints_go_on_where_the_last_kernel_stopped(monkeypatch, capsys):
    from helpers.exercises.kernel import session

    monkeypatch.setattr(session, "hints", {})
    exercises.hint("weights_bytes")
    monkeypatch.setattr(session, "hints", {})
    capsys.readouterr()
    exercises.hint("weights_bytes")
    assert capsys.readouterr().out.startswith("[hint] weights_bytes, 2 of 3")


def test_progress_is_a_table_with_a_bar_and_a_count(capsys):
    progress.record_exercise("weights_bytes", "00_welcome", "passed")
    progress.record_exercise("cosine_similarity", "00_welcome", "not yet")
    exercises.quiz("00", "bdabc")
    capsys.readouterr()
    exercises.progress()
    shown = capsys.readouterr().out
    row = next(line for line in shown.splitlines() if line.startswith("00_welcome"))
    assert row.split()[1:] == ["█████░░░░░░░░░░░░░░░", "1/4", "2", "5/5", "0"]


def test_a_prediction_counts_for_the_notebook_whose_exercise_runs_next(monkeypatch, capsys):
    from helpers.exercises.kernel import Session

    fresh = Session()
    for module in ("helpers.exercises.predictions", "helpers.exercises", "helpers.exercises.progress_report"):
        monkeypatch.setattr(f"{module}.session", fresh)
    exercises.predict("memory", "How many MB?", 500, unit="MB")

    @exercises.exercise
    def weights_bytes(n_parameters, dtype): ...

    assert progress.read()[0]["predictions"]["memory"]["notebook"] == "00_welcome"
    assert table(progress.read()[0])[0].predictions == 1


def test_a_reader_of_a_damaged_file_is_told_once(file, capsys):
    file.write_text("{")
    exercises.progress()
    assert "set aside as progress.corrupt-1.json" in capsys.readouterr().out
    exercises.progress()
    assert "set aside" not in capsys.readouterr().out
