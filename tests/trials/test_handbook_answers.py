"""Quotes and what was read from them, put side by side for one rule."""

from __future__ import annotations

import pytest

from helpers.old.trials.handbook_answers import STRATA, answered, compared, questions_of, reader_rows, says_answer


@pytest.mark.parametrize("split", ["dev", "test"])
def test_what_is_compared_are_all_answerable_questions_with_their_recorded_texts(split):
    found = compared(split)
    wanted = [question.question for _, question in questions_of(split) if question.answerable]
    assert [question.question for question, _, _ in found] == wanted
    quoted = {row["question"]: row["text"] for row in answered(split)}
    assert all(quoted[question.question] == text for question, text, _ in found)


@pytest.mark.parametrize("split", ["dev", "test"])
def test_the_reader_was_graded_by_the_same_rule_when_it_was_recorded(split):
    rows = [row for name in STRATA for row in reader_rows(split, name) if row["answerable"]]
    assert [says_answer(question, text) for question, _, text in compared(split)] == [row["right"] for row in rows]
