"""The journal says what was sent, wherever the process that wrote it was stopped."""

from __future__ import annotations

import subprocess
import sys

import pytest

from helpers.old.hosted.journal import Journal, JournalInUse, read_journal
from helpers.old.hosted.reconcile import reconcile_invoice
from tests.tools.notebook import ROOT


def filled(path):
    with Journal(path) as journal:
        journal.intent("a", 1, key="a")
        journal.outcome("a", 1, "again", error="429")
        journal.intent("a", 2, key="a")
        journal.outcome("a", 2, "done", text="größer – „ja“\nzweite Zeile \u2028 dritte")
        journal.intent("b", 1, key="b")
        journal.outcome("b", 1, "unsure")
        journal.intent("c", 1, key="c")
        journal.outcome("c", 1, "failed")
        journal.intent("d", 1, key="d")
    return path


def test_what_was_written_is_read(tmp_path):
    state = read_journal(filled(tmp_path / "j.jsonl"))
    assert set(state.done) == {"a"} and set(state.failed) == {"c"} and set(state.open) == {"b", "d"}
    assert state.done["a"]["text"] == "größer – „ja“\nzweite Zeile \u2028 dritte"
    assert state.sent == {"a": 2, "b": 1, "c": 1, "d": 1} and state.torn == 0


def test_a_journal_has_a_name_that_stays_and_that_no_other_has(tmp_path):
    first, other = (filled(tmp_path / name) for name in ("j.jsonl", "k.jsonl"))
    name = read_journal(first).job
    with Journal(first) as journal:
        assert journal.state.job == name
    assert name and name != read_journal(other).job and read_journal(first).job == name


def test_no_journal_is_an_empty_one(tmp_path):
    assert read_journal(tmp_path / "none.jsonl").events == []


def test_torn_at_every_byte_of_the_last_lines_nothing_that_was_whole_is_lost(tmp_path):
    whole = filled(tmp_path / "j.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    for end in range(len(whole) - len(lines[-1]) - len(lines[-2]), len(whole) + 1):
        path = tmp_path / "torn.jsonl"
        path.write_bytes(whole[:end])
        state = read_journal(path)
        kept = whole[:end].count(b"\n") - 1  # without the job's name
        last_is_whole = whole[:end].endswith(b"}")
        assert len(state.events) == kept + last_is_whole
        assert state.torn == (0 if whole[:end].endswith((b"\n", b"}")) else 1)
        with Journal(path) as journal:  # and going on loses nothing either
            journal.intent("e", 1, key="e")
        after = read_journal(path)
        assert len(after.events) == len(state.events) + 1 and "e" in after.open and after.torn == state.torn


def test_lines_that_are_json_and_no_events_are_counted_as_torn(tmp_path):
    path = tmp_path / "j.jsonl"
    path.write_text('17\n[]\n{"event": "intent"}\n{"event": "outcome", "item": "a", "attempt": 1}\n\xff\n', "latin-1")
    assert read_journal(path).torn == 5


def test_an_item_whose_second_request_was_refused_is_still_in_doubt_about_its_first(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.intent("a", 1, key="a")
        journal.outcome("a", 1, "unsure")
        journal.intent("a", 2, key="a")
        journal.outcome("a", 2, "again")
    assert read_journal(path).open["a"]["attempt"] == 1


def test_one_process_at_a_time(tmp_path):
    path = tmp_path / "j.jsonl"
    code = "import sys; from helpers.old.hosted.journal import Journal; Journal(sys.argv[1])"
    with Journal(path):
        with pytest.raises(JournalInUse, match="being written already"):
            Journal(path)
        other = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True)
        assert other.returncode and "JournalInUse" in other.stderr
    Journal(path).close()


def test_a_status_nobody_knows(tmp_path):
    with Journal(tmp_path / "j.jsonl") as journal, pytest.raises(ValueError, match="An outcome is one of"):
        journal.outcome("a", 1, "fine")


def test_requests_are_what_the_invoice_is_matched_with(tmp_path):
    requests = read_journal(filled(tmp_path / "j.jsonl")).requests()
    assert [(row["item"], row["outcome"]) for row in requests] == [
        ("a", "failed"),
        ("a", "done"),
        ("b", None),
        ("c", "failed"),
        ("d", None),
    ]
    found = reconcile_invoice(requests, [{"key": "a", "money": 2}, {"key": "d", "money": 3}])
    assert found["once"] == {"a": 2} and found["nothing"] == {"d": 3} and not found["missing"]
