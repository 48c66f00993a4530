"""answer_with_quote: the sentence that answers best with its source, or an abstention."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise

ABSTENTION = "I do not know."
Score = Callable[[str, Sequence[str]], Sequence[float]]


def answer_with_quote(
    question: str, passages: Sequence[tuple[str, Sequence[str]]], score: Score, threshold: float
) -> tuple[str, str | None]:
    """The sentence that answers best, with its source; or an abstention.

    passages: (source, its sentences), best passage first
    score: (question, texts) → one number per text, higher is better; the texts are "source: sentence"
    threshold: where the best score is below it, or where there is no sentence, nothing answers
    →  (sentence, source) of the best score, of equal ones the first; or ("I do not know.", None)
    """
    units = [(sentence, source) for source, sentences in passages for sentence in sentences]
    scores = list(score(question, [f"{source}: {sentence}" for sentence, source in units]))
    if not scores or max(scores) < threshold:
        return ABSTENTION, None
    return units[scores.index(max(scores))]


ANSWER = """
def answer_with_quote(question, passages, score, threshold):
    units = [(sentence, source) for source, sentences in passages for sentence in sentences]
    scores = list(score(question, [f"{source}: {sentence}" for sentence, source in units]))
    if not scores or max(scores) < threshold:
        return "I do not know.", None
    best = scores.index(max(scores))
    return units[best]
"""
BARE = "the sentences are scored without their source: score the text “source: sentence”."
NO_THRESHOLD = "it never abstains: a best score below `threshold` means that nothing answers."
AT_THRESHOLD = "a score of exactly `threshold` is an answer: only what is *below* it is held back."
LAST = "of equal scores the first sentence is quoted, not the last."
FIRST_PASSAGE = "only the sentences of the first passage are read: the best one may stand in a later one."
SLIPS = [
    (" or max(scores) < threshold", "", NO_THRESHOLD),
    ("max(scores) < threshold", "max(scores) <= threshold", AT_THRESHOLD),
    ("max(scores) < threshold", "min(scores) < threshold", "the *best* score decides whether there is an answer."),
    (
        "max(scores) < threshold",
        "sum(scores) / len(scores) < threshold",
        "the best score decides whether there is an answer, not the mean.",
    ),
    ("max(scores) < threshold", "max(scores) < 0", "the limit is `threshold`, not 0."),
    ('f"{source}: {sentence}"', "sentence", BARE),
    ("{source}: {sentence}", "{source} {sentence}", "a colon and a space stand between source and sentence."),
    ("scores.index(max(scores))", "len(scores) - 1 - scores[::-1].index(max(scores))", LAST),
    ("scores.index(max(scores))", "scores.index(min(scores))", "the lowest score is quoted: higher is better."),
    ("in passages for", "in passages[:1] for", FIRST_PASSAGE),
    (
        "return units[best]",
        "return units[best][0], passages[0][0]",
        "the source is that of the first passage: it belongs to the sentence that is quoted.",
    ),
    (
        "return units[best]",
        'return f"{units[best][1]}: {units[best][0]}", units[best][1]',
        "the sentence is quoted as it stands, without its source, which is the second thing you return.",
    ),
    ("return units[best]", "return units[best][::-1]", "the sentence comes first, its source second."),
    (
        """
def answer_with_quote(question, passages, score, threshold):
    for source, sentences in passages:
        scores = list(score(question, [f"{source}: {sentence}" for sentence in sentences]))
        if scores and max(scores) >= threshold:
            return sentences[scores.index(max(scores))], source
    return "I do not know.", None
""",
        "it stops at the first passage that is good enough: a later one may hold a better sentence.",
    ),
]
REFUSED = [
    ("not scores or ", "", "max()"),
]
RIGHT = [
    """
def answer_with_quote(question, passages, score, threshold):
    best, found = threshold, ("I do not know.", None)
    for source, sentences in passages:
        for sentence in sentences:
            [value] = score(question, [f"{source}: {sentence}"])
            if value > best or (value == best and found[1] is None):
                best, found = value, (sentence, source)
    return found
""",
]
SOURCES = ("Prices", "Returns", "Opening hours", "Warranty")
WORDS = "battery key lock price days return open shop frame motor card valid weight charge".split()


def shared_words(question: str, texts: Sequence[str]) -> list[float]:
    """A score for trying things out: how many words of the question a text has; less if it is long or has no source."""
    asked = set(re.findall(r"\w+", question.lower()))
    read = [re.findall(r"\w+", text.lower()) for text in texts]
    bare = [": " not in text for text in texts]
    return [sum(w in asked for w in words) - len(words) // 10 - b for words, b in zip(read, bare, strict=True)]


def cases(rng: Generator) -> list[tuple]:
    def sentence(n: int) -> str:
        return " ".join(rng.choice(WORDS, size=n))

    def drawn(n_passages: int) -> list[tuple[str, list[str]]]:
        return [
            (f"{SOURCES[i % 4]} {i}", [sentence(int(rng.integers(2, 14))) for _ in range(int(rng.integers(1, 5)))])
            for i in range(n_passages)
        ]

    plain = [("Prices", ["The key is 19 €.", "A lock is 119 €."]), ("Returns", ["You have 30 days."])]
    return [
        ("how many days", plain, shared_words, 0.5),
        ("how many days", plain, shared_words, 1.5),  # nothing is good enough
        ("returns of keys", plain, shared_words, -1.0),
        ("prices", [("Prices", ["of keys", "of locks"]), ("Returns", ["in days"])], shared_words, 1.0),  # equal, at it
        ("prices of locks", [("Returns", ["of locks"]), ("Prices", ["of locks"])], shared_words, 1.5),  # source tells
        *((sentence(4), drawn(3), shared_words, 1.0) for _ in range(6)),
        *((sentence(5), drawn(4), shared_words, -2.0) for _ in range(4)),
        (
            "key",
            [("Prices", ["The key is 19 €."]), ("Prices", ["The key is 19 €. A key is a key."])],
            shared_words,
            0.5,
        ),
        ("anything", [("Prices", [sentence(12)])], shared_words, -3.0),  # a score below 0 that is good enough
        ("anything", [], shared_words, -9.0),
        ("anything", [("Empty", [])], shared_words, -9.0),
    ]


EXERCISE = Exercise(
    reference=answer_with_quote,
    minutes=8,
    difficulty=2,
    hints=(
        "Which list do you need first, if every sentence must be scored and must remember where it stands?",
        "Make one list of pairs (sentence, source) over all passages, score the texts “source: sentence” in one call, "
        "and look for the largest score. Before you quote, ask whether there is a score at all and whether it reaches "
        "the threshold.",
        "Two loops, over passages and then over their sentences, give `units`, a list of (sentence, source). Score "
        '`f"{source}: {sentence}"` of each. Where the list of scores is empty, or its maximum lies below '
        '`threshold`, return `("I do not know.", None)`; else the unit at the index of the first maximum.',
    ),
    proves="the best sentence of all passages is quoted with its own source, and nothing where no score is enough",
)
