"""Coding failures: kept after each change, gone on with, never lost to a damaged file; and the form without widgets."""

from __future__ import annotations

import json
import os
import re

import pytest

from helpers.old.evaluation import (
    coding,
    coding_table,
    load_categories,
    load_failures,
    my_codes,
    write_code,
)
from helpers.old.evaluation.coding import build, plain_text, static_html
from helpers.old.evaluation.failures import Failure

FORTY = load_failures()
TWO = FORTY[:2]


@pytest.fixture
def file(tmp_path):
    coding._memory.clear()
    return tmp_path / "evaluation" / "codes.json"


def parts(box):
    shown, own, category, buttons, said, meanings, tally = box.children
    return shown, own, category, buttons.children, said, meanings, tally


def test_a_code_is_kept_as_it_is_typed_and_the_counts_grow(file):
    shown, own, category, (back, onward, _), _, _, tally = parts(build(FORTY, path=file))
    assert FORTY[0].id in shown.value and "0 of 40 coded" in tally.value and back.disabled
    own.value = "looked at the wrong row"
    assert [(code.failure, code.open_code, code.category) for code in my_codes(file)] == [
        (FORTY[0].id, "looked at the wrong row", "")
    ]
    category.value = "wrong row"
    assert "1 of 40 coded, 1 in a category" in tally.value and "wrong row" in tally.value
    onward.click()
    assert FORTY[1].id in shown.value and (own.value, category.value) == ("", "")
    assert "wrong row" in category.options, "a category that was typed once can be chosen"
    back.click()
    assert (own.value, category.value) == ("looked at the wrong row", "wrong row")


def test_leafing_through_changes_nothing(file):
    *_, (back, onward, _), _, _, _ = parts(build(FORTY, path=file))
    for _ in range(3):
        onward.click()
    back.click()
    assert my_codes(file) == [] and not file.exists()


def test_a_new_table_goes_on_at_the_first_failure_without_a_code(file, capsys):
    for failure in (FORTY[0], FORTY[1], FORTY[3]):
        write_code(failure.id, "x", path=file)
    shown, *_ = parts(build(FORTY, path=file))
    assert "3 of 40" in shown.value and FORTY[2].id in shown.value
    shown, own, _, (_, _, uncoded), _, _, _ = parts(build(FORTY, path=file))
    own.value = "y"
    uncoded.click()
    assert FORTY[4].id in shown.value


def test_where_all_are_coded_the_last_one_is_shown(file):
    for failure in TWO:
        write_code(failure.id, "x", path=file)
    shown, _, _, (_, onward, _), _, _, tally = parts(build(TWO, path=file))
    assert "2 of 2" in shown.value and onward.disabled and "2 of 2 coded" in tally.value


def test_two_open_tables_do_not_write_over_each_other(file):
    first, second = parts(build(FORTY, path=file)), parts(build(FORTY, path=file))
    second[3][1].click()
    first[1].value, second[1].value = "one", "two"
    assert {code.failure: code.open_code for code in my_codes(file)} == {FORTY[0].id: "one", FORTY[1].id: "two"}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b'{"version": 1, "codes": {"f01": "x"}}', b'{"version": 2, "codes": {}}']
    + [b'{"version": 1, "codes": {"f01": {"open_code": 1, "category": ""}}}', b"[" * 100_000],
    ids=["empty", "cut", "no text", "a list", "a code that is a text", "another version", "a number", "deep"],
)
def test_a_damaged_file_is_set_aside_and_said_once(content, file, capsys):
    file.parent.mkdir()
    file.write_bytes(content)
    _, own, _, _, said, _, _ = parts(build(FORTY, path=file))
    assert "codes.json was damaged: it is set aside as codes.corrupt-1.json" in said.value
    assert (file.parent / "codes.corrupt-1.json").read_bytes() == content
    own.value = "x"
    assert said.value == "" and [code.open_code for code in my_codes(file)] == ["x"]
    assert "damaged" not in capsys.readouterr().out


def test_a_write_that_breaks_off_leaves_the_old_codes(file, monkeypatch, capsys):
    write_code("f01", "before", path=file)
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    write_code("f02", "after", path=file)
    assert [code.failure for code in my_codes(file)] == ["f01", "f02"], "both can be gone on with"
    assert "kept in memory only, since codes.json cannot be written" in capsys.readouterr().out
    assert list(json.loads(file.read_text(encoding="utf-8"))["codes"]) == ["f01"]
    monkeypatch.undo()
    assert [code.failure for code in my_codes(file)] == ["f01", "f02"], "what waits in memory is there"
    write_code("f03", "later", path=file)
    assert list(json.loads(file.read_text(encoding="utf-8"))["codes"]) == ["f01", "f02", "f03"]


def test_a_code_can_be_taken_back(file, capsys):
    write_code("f01", "x", "y", file)
    assert "f01 is coded; 1 of 40 are." in capsys.readouterr().out
    write_code("f01", " ", "", file)
    assert "f01 is not coded; 0 of 40 are." in capsys.readouterr().out and my_codes(file) == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("f41", "x"), "There is no failure 'f41': the ids are f01 to f40."),
        ((1, "x"), "There is no failure 1"),
        (("f01", None), "A code and a category are texts"),
    ],
)
def test_what_cannot_be_written_down_gives_one_sentence(given, sentence, file):
    with pytest.raises(ValueError) as caught:
        write_code(*given, path=file)
    assert sentence in str(caught.value) and not file.exists()


def test_without_widgets_the_failures_are_listed_the_same_way_twice_and_nothing_is_written(file, capsys):
    coding_table(FORTY, load_categories(), file)
    first = capsys.readouterr().out
    coding_table(FORTY, load_categories(), file)
    assert capsys.readouterr().out == first
    assert [failure.id for failure in FORTY] == re.findall(r"^(f\d\d) ", first, re.MULTILINE)
    assert not file.parent.exists()


def test_in_html_the_right_answer_unfolds_and_no_text_becomes_markup():
    trap = Failure("f01", "quotes", "<script>1</script>", {"a<b": "c&d"}, "<i>", "x > y", (), "nowhere")
    markup = static_html([trap])
    assert "<script" not in markup and "&lt;script&gt;" in markup and "a&lt;b" in markup and "x &gt; y" in markup
    whole = static_html(FORTY)
    assert whole.count("<details") == whole.count("</details>") == 40
    assert len(whole) + len(plain_text(FORTY)) < 100_000, "the notebook has room for it"
    summaries = re.findall(r"<summary.*?</summary>", whole, re.DOTALL)
    assert len(summaries) == 40 and not any("right</th>" in summary for summary in summaries)


def test_the_categories_meanings_stand_beside_the_widgets_where_they_are_given(file):
    *_, meanings, _ = parts(build(FORTY, load_categories(), file))
    assert all(name.split("'")[0] in meanings.value for name in load_categories())
    assert parts(build(FORTY, ["a", "b"], file))[2].options == ("a", "b")


def test_no_failures_give_one_sentence():
    with pytest.raises(ValueError, match="There are no failures to code"):
        coding_table([])
