"""The progress file survives damage, concurrency and places that cannot be written; the table tells what is there."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from helpers import exercises
from helpers.exercises import progress_file as progress
from helpers.exercises.quizzes import load
from helpers.files import ROOT


@pytest.fixture(autouse=True)
def fresh_kernel(monkeypatch):
    progress.store_at.cache_clear()
    monkeypatch.setattr(progress, "session", progress.Session())


@pytest.fixture
def file(tmp_path):
    return tmp_path / "progress.json"


def passed(name: str = "weights_bytes") -> str:
    return progress.record_exercise(name, "00_welcome", "passed")


def test_an_exercise_once_passed_stays_passed(file):
    for status in ("not attempted", "not yet", "passed", "not yet"):
        assert progress.record_exercise("weights_bytes", "00_welcome", status) == ""
    entry = json.loads(file.read_text())["exercises"]["weights_bytes"]
    assert (entry["passed"], entry["tries"], entry["status"]) == (True, 3, "not yet")


@pytest.mark.parametrize(
    "damage",
    [
        b'{"version": 1, "exercises": {"a": {"pas',
        b"\xff\xfe\x00garbage",
        b'{"version": "one", "exercises": {}, "predictions": {}, "quizzes": {}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_set_aside_with_one_sentence(file, damage):
    file.write_bytes(damage)
    assert passed() == (
        "The progress file was damaged: it is set aside as progress.corrupt-1.json and a new one is begun."
    )
    assert file.with_name("progress.corrupt-1.json").read_bytes() == damage
    assert json.loads(file.read_text())["exercises"]["weights_bytes"]["passed"]
    assert passed() == ""
    file.write_bytes(b"two")
    progress.read()
    assert file.with_name("progress.corrupt-1.json").read_bytes() == damage
    assert file.with_name("progress.corrupt-2.json").read_bytes() == b"two"


def test_a_file_of_a_later_version_is_left_alone(file):
    later = json.dumps({"version": 99, "anything": 1})
    file.write_text(later)
    assert "later version of the course" in passed()
    assert file.read_text() == later
    assert progress.read()[0]["exercises"]["weights_bytes"]["passed"]


def test_where_nothing_can_be_written_progress_lives_in_memory(tmp_path, monkeypatch):
    (tmp_path / "a file").write_text("in the way")
    monkeypatch.setenv("HANDS_ON_PROGRESS", str(tmp_path / "a file" / "progress.json"))
    assert passed().startswith("Progress is kept in memory only, since a file/progress.json cannot be written (")
    assert passed("cosine_similarity") == ""
    assert set(progress.read()[0]["exercises"]) == {"weights_bytes", "cosine_similarity"}


def test_two_kernels_writing_at_once_lose_nothing(file):
    code = (
        "import sys; from helpers.exercises import progress_file as progress\n"
        "for i in range(25): progress.record_exercise(f'{sys.argv[1]}{i}', '00_welcome', 'passed')"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, name], cwd=ROOT) for name in "ab"]
    assert [run.wait(120) for run in runs] == [0, 0]
    assert len(json.loads(file.read_text())["exercises"]) == 50


def test_the_table_has_a_row_for_each_notebook_that_there_is(monkeypatch, tmp_path, capsys):
    (tmp_path / "00_first.ipynb").write_text('{"cells": [{"source": ["**30 minutes** · needs"]}]}')
    (tmp_path / "01_second.ipynb").write_text('{"cells": []}')
    homes = {"weights_bytes": "00_first", "cosine_similarity": "00_first"}
    monkeypatch.setattr(progress, "registry", lambda: SimpleNamespace(notebooks=lambda: homes))
    monkeypatch.setattr(progress, "NOTEBOOKS", tmp_path)
    passed()
    progress.record_exercise("cosine_similarity", "00_first", "not yet")
    exercises.quiz("00", "".join(question.right for question in load("00").questions))
    capsys.readouterr()
    exercises.progress()
    head, first, second, end = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["notebook", "minutes"]
    assert first.split() == ["00_first", "30", "██████████░░░░░░░░░░", "1/2", "2", "5/5", "0"]
    assert second.split() == ["01_second", "–", "░" * 20, "0/0", "0", "–", "0"]
    assert end == "1 of 2 exercises passed."


def test_a_prediction_counts_for_the_notebook_whose_exercise_runs_next():
    exercises.predict("memory", "How many MB?", 500, unit="MB")

    @exercises.exercise
    def weights_bytes(n_parameters, dtype): ...

    assert progress.read()[0]["predictions"]["memory"]["notebook"] == "00_welcome"
    assert progress.table(progress.read()[0])[0][-1] == "1"


def test_hints_go_on_where_the_last_kernel_stopped(capsys):
    exercises.hint("weights_bytes")
    progress.store_at.cache_clear()
    capsys.readouterr()
    exercises.hint("weights_bytes")
    assert capsys.readouterr().out.startswith("[hint] weights_bytes, 2 of 3")


def test_catch_up_says_to_run_the_notebook_from_the_top(capsys):
    exercises.catch_up(5, "02")
    assert "Run > Restart Kernel and Run All Cells." in capsys.readouterr().out
