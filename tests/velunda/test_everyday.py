"""Questions of ordinary days: each has one current passage or none, and a right answer can be told from a wrong one."""

from __future__ import annotations

import re
from collections import Counter

from helpers.velunda import load_everyday, load_handbook, load_questions
from helpers.velunda.handbook import PLAIN

DOCUMENTS, QUESTIONS = load_handbook(), load_everyday()


def test_there_are_75_in_either_half_and_one_in_four_has_no_answer():
    counts = Counter((question.split, question.kind) for question in QUESTIONS)
    assert counts == {(split, kind): n for split in ("dev", "test") for kind, n in ((PLAIN, 56), ("unanswerable", 19))}
    assert [question for split in ("dev", "test") for question in load_everyday(split)] == sorted(
        QUESTIONS, key=lambda question: question.split
    )


def test_the_one_passage_stands_once_in_a_current_document():
    for question in QUESTIONS:
        if question.answerable:
            (span,) = question.spans
            assert DOCUMENTS[span.document].status == "current", question.question
            assert DOCUMENTS[span.document].text.count(span.text) == 1, question.question


def test_an_answer_can_be_accepted_and_a_question_without_one_accepts_nothing():
    for question in QUESTIONS:
        assert bool(question.accepted) == question.answerable, question.question
        assert all(form.strip() for form in question.accepted)
        assert not any(re.search(rf"(?<!\w){re.escape(form)}(?!\w)", "I do not know.") for form in question.accepted)


def test_no_question_stands_twice_or_among_the_hard_ones():
    asked = [" ".join(re.findall(r"\w+", q.question.lower())) for q in [*QUESTIONS, *load_questions()]]
    assert len(set(asked)) == len(asked)
