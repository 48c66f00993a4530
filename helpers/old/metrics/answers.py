"""Is a short answer right? Exact match and token F1 by SQuAD's rules, accepted answers stated, numbers compared.

    ExactMatch().compute(predictions=["The price."], references=["price"])           # {"exact_match": 1.0}
    TokenF1().compute(predictions=["at 4.5 bar"], references=["4.5 bar"])            # {"token_f1": 0.8}
    Containment().compute(predictions=["It is €1,890."], references=["1890 euros"])  # {"containment": 1.0}
    NumberMatch().compute(predictions=["49 or 94 kg"], references=["49 kg"])         # number_match 0, number_recall 1

A list of references means that any of them is right; the best one counts.

What they do not do: judge a long answer. Everything around the answer lowers F1, and containment looks past it.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from typing import Any

from helpers.old.metrics.base import Metric, caution
from helpers.old.metrics.text import contains_answer, spelled, unigram_f1
from helpers.old.metrics.words import writes_no_spaces

PUNCTUATION = str.maketrans("", "", string.punctuation)
NUMBER = re.compile(r"-?\d+(?:[.:]\d+)?")


def squad_words(answer: str) -> list[str]:
    """The words that SQuAD's script compares: lower case, ASCII punctuation deleted, then a, an and the.

    Deleted, not replaced: 4.5 becomes 45, and −5 becomes 5. `helpers.old.metrics.answer_words` keeps numbers whole.

    >>> squad_words("The pressure: 4.5 bar!")
    ['pressure', '45', 'bar']
    """
    bare = answer.lower().translate(PUNCTUATION)
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()


class _Best(Metric):
    """The mean over answers of a score against the best of their references."""

    KEY = ""

    def score(self, answer: str, right: str) -> float:
        raise NotImplementedError

    def _each(self, predictions: list[str], references: list[list[str]]) -> dict[str, list[float]]:
        pairs = zip(predictions, references, strict=True)
        return {self.KEY: [max(float(self.score(answer, one)) for one in right) for answer, right in pairs]}


class ExactMatch(_Best):
    """Exact match by SQuAD's rules (Rajpurkar et al., 2016): are the words of both the same, in order?

    compute → exact_match: 0 to 1, the share of answers; each → 0 or 1. Case, ASCII punctuation, a, an and the do not
    count (`squad_words`). Several references: any. Empty answers: right exactly where a reference is empty.

    What it cannot see: any other wording ("two years", "2 years", "24 months"), and numbers whose marks it deletes:
    "4.5 bar" equals "45 bar", "−5 °C" equals "5 °C". In other scripts, marks such as "。" and "؟" stay and count.
    """

    PAPER = "Rajpurkar et al., 2016, SQuAD: 100,000+ questions for machine comprehension of text. EMNLP."
    KEY = "exact_match"

    def score(self, answer: str, right: str) -> float:
        """1 or 0 for one answer and one reference."""
        return float(squad_words(answer) == squad_words(right))


class TokenF1(_Best):
    """Token F1 by SQuAD's rules (Rajpurkar et al., 2016): F1 of the words that answer and reference share.

    compute → token_f1: 0 to 1, a mean over the answers; each → of single answers. A word is shared as often as both
    have it. Several references: the best. Both empty: 1; one empty: 0.

    What it cannot see: order, and what a shared word says: "not under warranty" has 0.8 of "under warranty". A full
    sentence around a right answer loses to a bare wrong one that shares a unit. Numbers as in `ExactMatch`.

    words: a function from a text to its words. The default, `squad_words`, cuts at spaces, so a Chinese sentence is one
    word and F1 becomes exact match: a warning says so, words=unicode_words mends it. Arabic works, but "؟" stays on its
    word, and the article "ال" is part of it.
    """

    PAPER = ExactMatch.PAPER
    KEY = "token_f1"

    def __init__(self, words: Callable[[str], list[str]] = squad_words, **options: Any) -> None:
        self.words = words
        super().__init__(**options)

    def score(self, answer: str, right: str) -> float:
        """F1 of one answer and one reference."""
        ours, theirs = self.words(answer), self.words(right)
        return unigram_f1(ours, theirs) if ours and theirs else float(ours == theirs)

    def _each(self, predictions: list[str], references: list[list[str]]) -> dict[str, list[float]]:
        if self.words is squad_words and any(writes_no_spaces(text) for right in references for text in right):
            caution(
                "SQuAD's rules cut at spaces, so a sentence of a script without spaces is one word, and token F1 is "
                "exact match: use TokenF1(words=unicode_words).",
            )
        return super()._each(predictions, references)


class Containment(Metric):
    """Does the answer state one of the accepted ones, whatever stands around it?
    (`helpers.old.metrics.contains_answer`)

    compute → containment: 0 to 1, the share of answers; each → 0 or 1. Numbers and units count in all their English
    spellings, "12" is not in "120", "free" not in "not free". Several references: any. An empty answer states
    nothing, and an empty reference is stated by nothing.

    No paper: the usual containment, `right in answer`, finds "correct" in "incorrect".

    What it cannot see: a list of all possible answers, a contradiction further on ("free … but it costs €19"), and
    denials far from what they deny. Its spellings are English; in other scripts, the same characters have to stand
    between spaces, so it finds nothing inside a Chinese sentence.
    """

    KEY = "containment"

    def _each(self, predictions: list[str], references: list[list[str]]) -> dict[str, list[float]]:
        pairs = zip(predictions, references, strict=True)
        return {"containment": [float(contains_answer(answer, right)) for answer, right in pairs]}


class NumberMatch(Metric):
    """Does the answer have the reference's numbers? What overlap of words hides: one wrong digit in a right sentence.

    compute → number_match: 0 to 1, the share of answers with exactly the reference's numbers, in any order and each
    counted once; number_recall: 0 to 1, the mean share of the reference's numbers that the answer has. each → the
    same of single answers. Several references: the best for each of the two. A reference without numbers: number_recall
    is 1, number_match 1 if the answer has none either; so say of how many references a mean was taken.

    No paper: numbers are read by `helpers.old.metrics.text`, the English way (1,890 = 1890, two = 2, 4.50 = 4.5).

    What it cannot see: what a number counts ("49 kg" and "49 euros"), which of two numbers belongs where, a denial,
    that "two years" are "24 months", and the rest of the sentence. A right answer that adds a telephone number has no
    number_match.
    """

    def _each(self, predictions: list[str], references: list[list[str]]) -> dict[str, list[float]]:
        same, recall = [], []
        for answer, right in zip(predictions, references, strict=True):
            said = numbers(answer)
            wanted = [numbers(text) for text in right]
            same.append(float(said in wanted))
            recall.append(max(len(said & one) / len(one) if one else 1.0 for one in wanted))
        return {"number_match": same, "number_recall": recall}


def numbers(text: str) -> set[str]:
    """The numbers in a text, digits or English words, each in one spelling; times such as 9:30 are numbers, too.

    The word "one" is left out, since it mostly is none: "the slow one".

    >>> sorted(numbers("Two bikes for €1,890.00, from 9:30, model C2"))
    ['1890', '2', '9:30']
    """
    counted = re.sub(r"(?i)\bone\b", "", text)
    return {word for word in spelled(counted).split() if NUMBER.fullmatch(word)}
