"""The course's own files read: what a file holds, and one sentence with the cure for one that is missing or damaged."""

from __future__ import annotations

import json

import pytest

from helpers.files import (
    DataUnavailable,
    numbered_lines,
    read_json,
    read_jsonl,
    read_text,
    safe_files,
    shown,
    unavailable,
)
from helpers.files.paths import DATA, RESULTS, ROOT


def test_the_places_are_the_repositorys():
    assert (ROOT / "pyproject.toml").is_file() and DATA == ROOT / "data" and RESULTS.is_dir()


def test_objects_come_in_order_with_the_number_of_their_line(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_bytes('\ufeff{"a": 1}\r\n\n{"a": "é"}'.encode())
    assert list(numbered_lines(file)) == [(1, {"a": 1}), (3, {"a": "é"})]
    assert read_jsonl(file) == [{"a": 1}, {"a": "é"}]


GOOD = json.dumps({"text": "On its way."}).encode()
BAD_LINES = [
    (GOOD[:-4], "rows.jsonl, line 3 is broken JSON (Unterminated string starting at)"),
    (b"\xff", "rows.jsonl, line 3 is not UTF-8"),
    (b"[1, 2]", "rows.jsonl, line 3 is no JSON object but a list"),
    (b"[" * 100_000, "rows.jsonl, line 3 is broken JSON (too deeply nested)"),
]


@pytest.mark.parametrize(("line", "sentence"), BAD_LINES, ids=[sentence for _, sentence in BAD_LINES])
@pytest.mark.parametrize("ours", [False, True])
def test_a_broken_line_is_named_by_its_number(tmp_path, monkeypatch, line, sentence, ours):
    file = tmp_path / "data" / "rows.jsonl"
    file.parent.mkdir()
    file.write_bytes(b"\n".join([GOOD, b"", line, GOOD]))
    if ours:
        monkeypatch.setattr(safe_files, "ROOT", tmp_path)
    cure = "restore the file with `git checkout -- data/rows.jsonl`" if ours else "repair or remove it"
    with pytest.raises(DataUnavailable) as error:
        read_jsonl(file)
    assert str(error.value) == f"{sentence}: {cure}."


def test_a_line_separator_inside_a_text_does_not_end_the_line(tmp_path):
    file = tmp_path / "tickets.jsonl"
    file.write_text('{"text": "one\u2028two"}\n', encoding="utf-8")
    assert read_jsonl(file) == [{"text": "one\u2028two"}]


def test_an_empty_file_and_a_missing_one_are_told(tmp_path):
    (tmp_path / "none.jsonl").write_text("\n\n", encoding="utf-8")
    with pytest.raises(DataUnavailable, match=r"none.jsonl holds no JSON object: repair or remove it\."):
        read_jsonl(tmp_path / "none.jsonl")
    for read in (read_jsonl, read_json, read_text):
        with pytest.raises(DataUnavailable, match=r"^gone.jsonl cannot be read\.$"):
            read(tmp_path / "gone.jsonl")


def test_a_file_of_the_course_is_named_from_the_root_and_comes_with_its_cure(tmp_path):
    file = DATA / "facts" / "pairs.json"
    assert shown(file) == "data/facts/pairs.json" and shown(tmp_path / "pairs.json") == "pairs.json"
    get = "data/facts/pairs.json cannot be read: get it with `git checkout -- data/facts/pairs.json`."
    restore = "data/facts/pairs.json is damaged: restore it with `git checkout -- data/facts/pairs.json`."
    assert str(unavailable(file)) == get and str(unavailable(file, damaged=True)) == restore


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000])
def test_damaged_json_is_told(tmp_path, content):
    (tmp_path / "canon.json").write_bytes(content)
    with pytest.raises(DataUnavailable, match=r"^canon.json is damaged\.$"):
        read_json(tmp_path / "canon.json")
