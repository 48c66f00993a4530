"""Tests of helpers.old.trials.records: recorded runs are found by their settings, or it is said that they are not."""

from __future__ import annotations

import json

import pytest

from helpers.old.trials import records
from helpers.old.trials.records import Record

RUNS = [
    {"case": {"case": "chunks", "size": 64}, "score": 1},
    {"case": {"case": "chunks", "size": 64, "headings": False}, "score": 2},
    {"case": {"case": "chunks", "size": 128, "seed": 0}, "score": 3},
    {"case": {"case": "chunks", "size": 128, "seed": 1}, "score": 4},
]


@pytest.fixture
def record(tmp_path, monkeypatch) -> Record:
    (tmp_path / "10_rag.json").write_text(json.dumps({"date": "2026-11-25", "runs": RUNS}), encoding="utf-8")
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    return Record("10_rag")


@pytest.mark.parametrize(
    "settings, score",
    [({"size": 64}, 1), ({"size": 64, "headings": False}, 2), ({"size": 128, "seed": 1}, 4), ({"seed": 0}, 3)],
)
def test_a_run_is_found_by_its_settings_or_by_some_of_them(record, settings, score):
    assert record.find("chunks", **settings)["score"] == score


@pytest.mark.parametrize("settings, n", [({"size": 128}, 2), ({"size": 200}, 0)])
def test_no_run_and_several_are_refused(record, settings, n):
    with pytest.raises(LookupError, match=rf"10_rag\.json has {n} runs of .*: name one\."):
        record.find("chunks", **settings)


def test_the_file_is_read_once(record):
    assert record.read()["date"] == "2026-11-25"
    record.path.unlink()
    assert record.read() is record.read()
