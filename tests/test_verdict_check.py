"""A reader's verdicts: every answer of them was recorded, each list has the same number of each way, none twice."""

from __future__ import annotations

from collections import Counter

import pytest

from helpers.handbook import load_questions
from helpers.quality_record import WAYS
from helpers.verdict_check import LISTS, agreement, beside, load_read_verdicts


def test_both_lists_hold_twenty_test_questions_in_each_way_and_share_none():
    asked = {read: {verdict.question for verdict in load_read_verdicts(read)} for read in LISTS}
    assert not asked["before"] & asked["after"]
    assert asked["before"] | asked["after"] <= {question.question for question in load_questions("test")}
    for read in LISTS:
        assert Counter(verdict.way for verdict in load_read_verdicts(read)) == dict.fromkeys(WAYS, 20)
        assert len({(verdict.question, verdict.way) for verdict in load_read_verdicts(read)}) == 60
    assert len(load_read_verdicts()) == 120


def test_nothing_is_right_where_nothing_answers_and_nothing_is_both_right_and_made_up():
    answerable = {question.question: question.answerable for question in load_questions("test")}
    for verdict in load_read_verdicts():
        assert not (verdict.right and (verdict.made_up or not answerable[verdict.question]))


def test_every_answer_that_was_read_is_the_recorded_one():
    assert len(beside(load_read_verdicts())) == 120
    other = load_read_verdicts("after")[0]._replace(text="Another answer.")
    with pytest.raises(LookupError, match="is another now: read it again"):
        beside([other])


def test_agreement_counts_both_sides():
    for found in agreement("after").values():
        assert found.n == 60 and abs(found.reader - found.rule) <= found.n - found.same
        chance = (found.reader * found.rule + (60 - found.reader) * (60 - found.rule)) / 60**2
        assert found.kappa == pytest.approx((found.same / 60 - chance) / (1 - chance))


def test_another_list_is_refused():
    with pytest.raises(ValueError, match="There is no list 'later'"):
        load_read_verdicts("later")
