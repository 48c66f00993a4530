"""How good the handbook's assistant is: each question judged by a rule, and the record of all of them.

    rows = answered("dev", "everyday")              # recorded: one row a question, `make sweeps` writes 10_answers.json
    sum(row["right"] for row in rows)
    curve = risk_coverage(*confidences(rows))       # answer the surest share: how many of those answers are wrong?

An everyday question is answered where one of its accepted strings is stated (`contains_answer`); a hard one, whose
answers are worded freely, where at least half of each passage that answers it is shown (`Span.shown_by`). What an
unanswerable question gets is wrong, unless it is an abstention.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from helpers.old.metrics.text import answer_words, contains_answer
from helpers.old.trials.records import Record
from helpers.retrieval.chunking import Chunk
from helpers.retrieval.indexes import content
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
    """Is a written answer right? By the accepted strings, else by `is_right`."""
    if question.accepted:
        return contains_answer(text, question.accepted)
    return is_right(text, question.answer, question.question)


def is_right(text: str, answer: str | None, question: str = "") -> bool:
    """Does the text say what the right answer says? Its yes or no first; then all its numbers, or half of its words.

    An answer that begins with the right "yes" or "no" needs the numbers only. One that has numbers needs no other word,
    since units are spelled in many ways. Words that the question has, too, tell nothing and are not counted, unless the
    answer has no others. None, for a question that cannot be answered: every text is wrong.
    """
    if answer is None or numbers(answer) - numbers(text):
        return False
    first, wanted = answer_words(text)[:1], answer_words(answer)[0]
    said = set(content(text)) | set(answer_words(text))
    words = [word for word in content(answer) if word not in ("yes", "not")]
    words = [word for word in words if word not in content(question)] or words
    if wanted in YES_OR_NO:
        if first in (["yes"], ["no"]):
            return first == [wanted]
        if ("not" in said) != (wanted == "no") or not (words or wanted == "no"):
            return False
    return bool(numbers(answer)) or sum(word in said for word in words) >= len(words) / 2


YES_OR_NO = ("yes", "no")


def numbers(text: str) -> set[str]:
    """The numbers and codes of a text as `content` spells them: 2,490 is one, E05 is one; "two" counts as 2."""
    bare = re.sub(r"(?<=\d),(?=\d{3})", "", text.lower())
    words = re.findall(r"[a-z]*-?\d+(?:\.\d+)?|[a-z]+", bare)
    return {COUNTS.get(word, word) for word in words if word in COUNTS or any(letter.isdigit() for letter in word)}


COUNTS = {
    word: str(n) for n, word in enumerate("two three four five six seven eight nine ten eleven twelve".split(), start=2)
}


# The record ----------------------------------------------------------------------------------------------------------


def answered(split: str, stratum: str | None = None) -> list[dict[str, Any]]:
    """The recorded rows of a split, of one stratum or of both, in the order of `questions_of`."""
    names = list(STRATA) if stratum is None else [stratum]
    return [row for name in names for row in RECORD.find("quotes", split=split, stratum=name)["rows"]]


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
