"""How good the handbook's assistant is: each question judged by a rule, and the record of all of them.

    rows = answered("dev", "everyday")              # recorded: one row a question, `make sweeps` writes 10_answers.json
    sum(row["right"] for row in rows)
    curve = risk_coverage(*confidences(rows))       # answer the surest share: how many of those answers are wrong?

An everyday question is answered where one of its accepted strings is stated (`contains_answer`); a hard one, whose
answers are worded freely, where at least half of each passage that answers it is shown (`Span.shown_by`). What an
unanswerable question gets is wrong, unless it is an abstention.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from helpers.old.metrics.text import contains_answer
from helpers.old.trials.answers import is_right
from helpers.old.trials.records import Record
from helpers.retrieval.chunking import Chunk
from helpers.velunda.handbook import Question, load_everyday, load_questions

RECORD = Record("10_answers")
STRATA = {"everyday": load_everyday, "hard": load_questions}


def questions_of(split: str) -> list[tuple[str, Question]]:
    """All questions of "dev" or "test" with their stratum, everyday ones first."""
    return [(name, question) for name, load in STRATA.items() for question in load(split)]


def shows_answer(question: Question, texts: Sequence[str], places: Sequence[Chunk]) -> bool:
    """Do these texts, which stand at these places, hold what answers the question? False where nothing does."""
    if question.accepted:
        return any(contains_answer(text, question.accepted) for text in texts)
    return shows_passage(question, places)


def shows_passage(question: Question, places: Sequence[Chunk]) -> bool:
    """Do the places show each passage that answers the question? False where none does."""
    return question.answerable and all(any(span.shown_by(place) for place in places) for span in question.spans)


def says_answer(question: Question, text: str) -> bool:
    """Is a written answer right? By the accepted strings, else by `helpers.old.trials.answers.is_right`."""
    if question.accepted:
        return contains_answer(text, question.accepted)
    return is_right(text, question.answer, question.question)


# The record ----------------------------------------------------------------------------------------------------------


def answered(split: str, stratum: str | None = None) -> list[dict[str, Any]]:
    """The recorded rows of a split, of one stratum or of both, in the order of `questions_of`."""
    names = list(STRATA) if stratum is None else [stratum]
    return [row for name in names for row in RECORD.find("quotes", split=split, stratum=name)["rows"]]


def confidences(rows: Sequence[dict[str, Any]]) -> tuple[list[float], list[bool]]:
    """What `helpers.old.metrics.risk_coverage` takes: each answer's score, and whether it is right."""
    return [row["score"] for row in rows], [row["right"] for row in rows]


def reader_rows(split: str, stratum: str) -> list[dict[str, Any]]:
    """What the reader wrote about the best quote of each question, threshold or not, in the order of `answered`."""
    return RECORD.find("reader", split=split, stratum=stratum)["rows"]


def compared(split: str) -> list[tuple[Question, str, str]]:
    """What the assistant quoted and what the reader wrote from its best quote, for a comparison by one rule.

    One (question, quoted text, written text) for each question that the handbook answers, everyday ones first, without
    a threshold. Where the handbook has no answer, no text is right, so that there is nothing to compare.
    """
    quoted = answered(split)
    read = [row for name in STRATA for row in reader_rows(split, name)]
    return [
        (question, quote["text"], row["text"])
        for (_, question), quote, row in zip(questions_of(split), quoted, read, strict=True)
        if question.answerable
    ]
