"""Suites: the committed ones are what their card says, and one that cannot be used is refused in one sentence."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from helpers.files.paths import DATA
from helpers.files.safe_files import DataUnavailable, read_jsonl
from helpers.old.evaluation import SuiteError, leaked, load_suite
from helpers.old.velunda import load_tickets
from helpers.velunda import load_everyday, load_questions
from tests.evaluation.small import suite_of, write_suite

ROW = {"id": "a", "input": "Do you sell skis?", "accepted": [], "slice": "shop"}
OTHER = {"id": "b", "input": "Do you sell bells?", "accepted": ["yes"], "slice": "shop"}
FIELDS = dict.fromkeys(("intent", "product", "order_number", "urgency", "sentiment"))


@pytest.mark.parametrize(("name", "n"), [("handbook", 75), ("tickets", 154)])
def test_a_suite_of_the_course_is_what_its_card_says(name, n):
    suite = load_suite(name)
    card = (DATA / "suites" / "README.md").read_text(encoding="utf-8")
    [row] = [line for line in card.splitlines() if line.startswith(f"| `{name}.jsonl`")]
    assert len(suite.items) == n and str(n) in row
    for slice, items in Counter(item.slice for item in suite.items).items():
        assert f"{slice} {items}" in row
    assert name in (DATA / "README.md").read_text(encoding="utf-8") or "suites/" in card


def test_the_handbooks_suite_is_the_test_half_of_the_everyday_questions():
    suite, questions = load_suite("handbook"), load_everyday("test")
    assert [(item.input, item.accepted) for item in suite.items] == [(q.question, q.accepted) for q in questions]
    unanswerable = {item.input for item in suite.items if not item.accepted}
    assert unanswerable == {q.question for q in questions if not q.answerable}
    assert {item.slice for item in suite.items if not item.accepted} == {"unanswerable"}


def test_the_tickets_suite_is_the_fresh_split_family_by_family():
    suite, tickets = load_suite("tickets"), load_tickets("fresh")
    assert [(i.input, i.fields, i.group) for i in suite.items] == [
        (t["text"], t["label"], t["family"]) for t in tickets
    ]


def test_no_item_stands_in_what_the_course_trains_on():
    tickets = [ticket["text"] for split in ("train", "more", "dev") for ticket in load_tickets(split)]
    questions = [question.question for load in (load_everyday, load_questions) for question in load("dev")]
    reading = [
        row["question"] for file in sorted((DATA / "reading" / "questions").iterdir()) for row in read_jsonl(file)
    ]
    assert len(reading) == 2688
    for name in ("handbook", "tickets"):
        assert leaked(load_suite(name), [*tickets, *questions, *reading]) == []


def test_a_leak_is_found_whatever_its_spelling_and_surroundings(tmp_path):
    path = write_suite(tmp_path / "mine.jsonl", [ROW, OTHER])
    suite = load_suite(path)
    assert [item.id for item in leaked(suite, ["DO you  sell skis"])] == ["a"]
    assert leaked(suite, ["We were asked: do you sell bells? We do."]) == []  # four words may stand anywhere
    long = load_suite(write_suite(tmp_path / "long.jsonl", [ROW | {"input": "Do you also sell skis here?"}]))
    assert [item.id for item in leaked(long, ["Asked: do you also sell SKIS here? No."])] == ["a"]
    assert leaked(long, ["Asked: do you also sell skis hereabouts? No."]) == []
    with pytest.raises(SuiteError, match="'a' of the suite mine stands in the training texts"):
        load_suite(path, training=["do you sell skis"])
    with pytest.raises(SuiteError, match="'a' and 1 more"):
        load_suite(path, training=["do you sell skis", "do you sell bells"])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([ROW, OTHER | {"id": "a"}], "has 'a' twice"),
        ([ROW, OTHER | {"input": " do you SELL skis"}], "the input of 'a' again as 'b'"),
        ([{"input": "?", "accepted": [], "slice": "x"}], "line 1 has no 'id'"),
        ([ROW | {"slice": " "}], "line 1 has no 'slice'"),
        ([ROW | {"input": ""}], "has no 'input'"),
        ([{"id": "a", "input": "?", "slice": "x"}], "needs one of 'accepted' and 'fields'"),
        ([ROW | {"fields": FIELDS}], "needs one of 'accepted' and 'fields'"),
        ([ROW | {"accepted": "yes"}], "no list of texts"),
        ([ROW | {"accepted": [""]}], "no list of texts"),
        ([{"id": "a", "input": "?", "slice": "x", "fields": {"intent": "other"}}], "other 'fields' than intent"),
        ([ROW, {"id": "b", "input": "?", "slice": "x", "fields": FIELDS}], "mixes 'accepted' and 'fields'"),
        ([{"id": "a", "slice": "x", "source": "elsewhere.jsonl"}], "names the source 'elsewhere.jsonl'"),
        ([{"id": "e999", "slice": "x", "source": "velunda/everyday.jsonl"}], "has no such item"),
    ],
)
def test_a_suite_that_cannot_be_used_is_refused_in_one_sentence(tmp_path, rows, said):
    path = write_suite(tmp_path / "mine.jsonl", rows)
    with pytest.raises(SuiteError, match=re.escape(said)) as raised:
        load_suite(path)
    assert str(raised.value).endswith(".") and "\n" not in str(raised.value)


def test_a_suite_that_is_not_there_or_no_json_is_refused(tmp_path):
    with pytest.raises(SuiteError, match="known are handbook, tickets"):
        load_suite("handbok")
    (tmp_path / "torn.jsonl").write_text('{"id": "a", "inp', encoding="utf-8")
    with pytest.raises(DataUnavailable, match="line 1 is broken JSON"):
        load_suite(tmp_path / "torn.jsonl")


def test_a_larger_sample_holds_the_smaller_one_in_the_suites_order():
    suite = suite_of(30)
    few, many = suite.sample(5, seed=3), suite.sample(12, seed=3)
    assert set(few.items) < set(many.items) < set(suite.items)
    assert list(many.items) == sorted(many.items, key=suite.items.index)
    assert suite.sample(5, seed=4) != few and suite.sample(None) is suite.sample(99) is suite
    assert len({suite.digest, few.digest, many.digest}) == 3
    with pytest.raises(SuiteError, match="at least 1"):
        suite.sample(0)
