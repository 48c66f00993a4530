"""The forty failures: true to their records; codes that fit them; counts."""

from __future__ import annotations

import json

import pytest

from helpers.files import DataUnavailable
from helpers.old.assistants import read_answer
from helpers.old.evaluation import Code, counts, load_categories, load_codes, load_failures
from helpers.old.evaluation.failures import CODES, FAILURES, FOLDER
from helpers.old.trials import tickets_recorded
from helpers.old.velunda import load_tickets
from helpers.old.velunda.tickets import FIELDS

FORTY = load_failures()


def test_each_field_of_a_ticket_is_right_or_wrong_as_recorded():
    tickets, right = load_tickets("dev"), tickets_recorded.adapter()["dev"]["right"]
    asked_again = [failure for failure in FORTY if failure.assistant == "tickets"]
    assert asked_again
    for failure in asked_again:
        n = int(failure.source.split()[-1])
        assert tickets[n]["text"] == failure.input
        said = read_answer(failure.output)
        assert [said[field] == tickets[n]["label"][field] for field in FIELDS] == [right[f][n] == "1" for f in FIELDS]


def test_no_input_stands_twice_and_no_output_is_the_right_answer():
    assert len({failure.input for failure in FORTY}) == 40
    assert not [failure.id for failure in FORTY if failure.output.strip() == failure.expected.strip()]


def test_every_coder_has_coded_all_forty_and_uses_more_than_half_of_the_categories():
    coders = {code.coder for code in load_codes()}
    assert coders
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for coder in coders:
        codes = load_codes(coder)
        assert [code.failure for code in codes] == [failure.id for failure in FORTY]
        assert 2 * len(counts(codes)) > len(load_categories())
        assert all(3 <= len(code.open_code) for code in codes)
        assert f"`{coder}`" in card, "the card says who coded"


def test_the_open_codes_of_two_coders_are_not_copies():
    theirs = {code.failure: code.open_code for code in load_codes("language model 2")}
    assert not [code.failure for code in load_codes("language model 1") if code.open_code == theirs[code.failure]]


def test_counts_are_of_one_coder_and_leave_out_what_has_no_category():
    codes = [Code("f01", "you", "x", "b"), Code("f02", "you", "y", "a"), Code("f03", "you", "z", "a")]
    assert list(counts([*codes, Code("f04", "you", "free", "")]).items()) == [("a", 2), ("b", 1)]
    with pytest.raises(ValueError, match="f01 is coded more than once: give the codes of one coder"):
        counts([*codes, Code("f01", "somebody", "x", "a")])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda row: row | {"failure": "f99"}, "line 2: there is no failure 'f99'"),
        (lambda row: row | {"category": "bad luck"}, "line 2: there is no category 'bad luck'"),
        (lambda row: row | {"failure": "f01"}, "line 2: language model 1 has coded f01 before"),
        (lambda row: row | {"sure": True}, "it must hold category, coder, failure, open_code and nothing else"),
        (lambda row: {"failure": "f02"}, "it must hold category, coder, failure, open_code and nothing else"),
    ],
)
def test_a_line_of_codes_that_does_not_fit_is_named(change, sentence, tmp_path):
    lines = CODES.read_text(encoding="utf-8").splitlines()
    lines[1] = json.dumps(change(json.loads(lines[1])))
    path = tmp_path / "codes.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataUnavailable) as caught:
        load_codes(path=path)
    assert sentence in str(caught.value)


def test_an_unknown_coder_and_missing_or_doubled_failures_give_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="There is no coder 'me': choose one of language model 1"):
        load_codes("me")
    with pytest.raises(DataUnavailable, match="cannot be read"):
        load_failures(tmp_path / "failures.jsonl")
    path = tmp_path / "twice.jsonl"
    path.write_text(FAILURES.read_text(encoding="utf-8") * 2, encoding="utf-8")
    with pytest.raises(DataUnavailable, match="line 41: f01 stands there twice"):
        load_failures(path)
    broken = tmp_path / "categories.json"
    broken.write_text('["a"]', encoding="utf-8")
    with pytest.raises(DataUnavailable, match="categories.json is damaged"):
        load_categories(broken)
