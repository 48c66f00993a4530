"""What is recorded, and the table that tells it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from helpers import exercises
from helpers.exercises import progress_file as progress
from helpers.exercises.quizzes import load


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


def test_catch_up_says_to_run_the_notebook_from_the_top(capsys):
    exercises.catch_up(5, "02")
    assert "Run > Restart Kernel and Run All Cells." in capsys.readouterr().out
