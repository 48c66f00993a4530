"""Records: rows with what made them; a script that is stopped goes on; nothing is read that no script made."""

from __future__ import annotations

import json

import pytest

from helpers import records
from helpers.files import DataUnavailable
from helpers.records import record, recorded

RUNS = [{"x": x} for x in range(4)]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A folder of records and one of what is kept, away from the course's."""
    monkeypatch.setattr(records, "FOLDER", tmp_path / "recorded")
    monkeypatch.setattr(records, "KEPT", tmp_path / "kept")
    (tmp_path / "recorded").mkdir()
    (tmp_path / "recorded" / "squares.py").write_text("# a script")
    return tmp_path / "recorded"


def test_a_record_is_a_table_that_says_what_made_it():
    record("squares", RUNS, lambda run, before: {"square": run["x"] ** 2, "before": len(before)}, packages=["numpy"])
    rows = recorded("squares")
    assert rows.square.tolist() == [0, 1, 4, 9] and rows.before.tolist() == [0, 1, 2, 3]
    assert rows.attrs["command"] == "python data/recorded/squares.py" and set(rows.attrs["versions"]) == {
        "python",
        "numpy",
    }
    assert rows.attrs["date"] in rows.attrs["caption"] and rows.attrs["machine"] in rows.attrs["caption"]


def test_a_stopped_script_goes_on_where_it_was_and_leaves_no_half_record(elsewhere):
    asked = []

    def stops_once(run, before):
        asked.append(run["x"])
        if asked == [0, 1, 2]:
            raise KeyboardInterrupt
        return {"square": run["x"] ** 2}

    with pytest.raises(KeyboardInterrupt):
        record("squares", RUNS, stops_once)
    assert not (elsewhere / "squares.json").exists()
    record("squares", RUNS, stops_once)
    assert asked == [0, 1, 2, 2, 3] and recorded("squares").square.tolist() == [0, 1, 4, 9]


def test_an_edited_script_starts_again(elsewhere):
    def stops(run, before):
        if run["x"] == 2:
            raise KeyboardInterrupt
        return {"found": "before the edit"}

    with pytest.raises(KeyboardInterrupt):
        record("squares", RUNS, stops)
    (elsewhere / "squares.py").write_text("# edited")
    record("squares", RUNS, lambda run, before: {"found": "after"})
    assert set(recorded("squares").found) == {"after"}


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "squares.py does not exist: there is no such record"),
        ({"squares.json": "{}"}, "squares.py does not exist: a record needs the script that made it"),
        ({"squares.py": ""}, "squares.py has no record yet: run `make recorded NAME=squares`"),
        ({"squares.py": "", "squares.json": '{"rows": []}'}, "squares.json is no record: run `make recorded"),
        ({"squares.py": "", "squares.json": "[1]"}, "squares.json is no record: run `make recorded"),
        ({"squares.py": "", "squares.json": '{"rows": ['}, "squares.json"),
    ],
)
def test_a_record_without_its_script_and_a_script_without_its_record_are_one_sentence(elsewhere, files, sentence):
    (elsewhere / "squares.py").unlink()
    for name, text in files.items():
        (elsewhere / name).write_text(text)
    with pytest.raises(DataUnavailable, match=sentence) as error:
        recorded("squares")
    assert "\n" not in str(error.value)


def test_every_record_of_the_course_has_its_script_and_all_its_rows(monkeypatch):
    monkeypatch.undo()
    names = {path.stem for path in records.FOLDER.iterdir() if path.suffix in (".py", ".json")}
    assert "03_race" in names
    for name in names:
        rows, script = recorded(name), records.FOLDER / f"{name}.py"
        assert len(rows) and len(script.read_text(encoding="utf-8").splitlines()) <= 150
        assert json.loads((records.FOLDER / f"{name}.json").read_text(encoding="utf-8"))["command"].endswith(
            script.name
        )
