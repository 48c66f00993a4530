"""Readers' verdicts: every answer of them was recorded, each list has the same number of each way, none twice."""

from __future__ import annotations

from collections import Counter

import pytest

from helpers.old.trials.answers_recorded import WAYS
from helpers.old.trials.readers import LISTS, READERS, agreement, beside, between_readers, load_read_verdicts
from helpers.velunda import load_questions


def test_both_lists_hold_twenty_test_questions_in_each_way_and_share_none():
    asked = {read: {verdict.question for verdict in load_read_verdicts(read)} for read in LISTS}
    assert not asked["before"] & asked["after"]
    assert asked["before"] | asked["after"] <= {question.question for question in load_questions("test")}
    for read in LISTS:
        assert Counter(verdict.way for verdict in load_read_verdicts(read)) == dict.fromkeys(WAYS, 20)
        assert len({(verdict.question, verdict.way) for verdict in load_read_verdicts(read)}) == 60
    assert len(load_read_verdicts()) == 120


def test_an_answer_is_right_where_nothing_answers_only_if_it_says_so():
    answerable = {question.question: question.answerable for question in load_questions("test")}
    for reader in READERS:
        for verdict in load_read_verdicts(reader=reader):
            assert not verdict.right or answerable[verdict.question] or "impossible" in verdict.text


def test_both_readers_read_the_same_answers():
    first, second = (load_read_verdicts(reader=reader) for reader in READERS)
    assert [row._replace(right=None, made_up=None) for row in first] == [
        row._replace(right=None, made_up=None) for row in second
    ]
    assert first != second, "two readers, not one read twice"


def test_every_answer_that_was_read_is_the_recorded_one():
    assert len(beside(load_read_verdicts())) == 120
    other = load_read_verdicts("after")[0]._replace(text="Another answer.")
    with pytest.raises(LookupError, match="is another now: read it again"):
        beside([other])


@pytest.mark.parametrize(
    "compared",
    [agreement, between_readers, lambda read: agreement(read, reader="second")],
    ids=["rule", "readers", "2"],
)
def test_agreement_counts_both_sides(compared):
    for found in compared("after").values():
        assert found.n == 60 and abs(found.reader - found.other) <= found.n - found.same
        chance = (found.reader * found.other + (60 - found.reader) * (60 - found.other)) / 60**2
        assert found.kappa == pytest.approx((found.same / 60 - chance) / (1 - chance))


def test_another_list_or_reader_is_refused():
    with pytest.raises(ValueError, match="There is no list 'later': choose one of before, after."):
        load_read_verdicts("later")
    with pytest.raises(ValueError, match="There is no reader 'third': choose one of first, second."):
        load_read_verdicts(reader="third")
