"""token_f1: three lines of arithmetic and three traps: repeated words, nothing at all, several references."""

from __future__ import annotations

from collections import Counter

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def token_f1(words: list[str], references: list[list[str]]) -> float:
    """F1 of the words that an answer and a reference share; with several references, the best one counts.

    words: the answer's words; references: one list of words or more. A word is shared as often as both have it.
    F1 = 2 · shared / (words of the answer + words of the reference). Both empty: 1; one of them empty: 0.
    """
    found = []
    for reference in references:
        both = len(words) + len(reference)
        found.append(2 * (Counter(words) & Counter(reference)).total() / both if both else 1.0)
    return max(found)


ANSWER = """
def token_f1(words, references):
    best = 0.0
    for reference in references:
        if not words and not reference:
            return 1.0
        shared = (Counter(words) & Counter(reference)).total()
        best = max(best, 2 * shared / (len(words) + len(reference)))
    return best
"""
SHARED = "(Counter(words) & Counter(reference)).total()"
BEST = "best = max(best, 2 * shared / (len(words) + len(reference)))"
SLIPS = [
    (SHARED, "len(set(words) & set(reference))", "a word that both say twice is shared twice: sets forget that."),
    (
        SHARED,
        "sum(word in reference for word in words)",
        "a word that the answer repeats is shared at most as often as the reference has it.",
    ),
    (
        BEST,
        BEST.replace("2 * shared / (len(words) + len(reference))", "shared / max(len(words), 1)"),
        "that is precision: what the answer leaves out has to count as well.",
    ),
    (
        BEST,
        BEST.replace("2 * shared / (len(words) + len(reference))", "shared / max(len(reference), 1)"),
        "that is recall: what the answer says too much has to count as well.",
    ),
    (
        BEST,
        "best += 2 * shared / (len(words) + len(reference)) / len(references)",
        "several references are several ways to be right: take the best one, not the mean.",
    ),
    ("for reference in references:", "for reference in references[:1]:", "only the first reference is looked at."),
    (
        "            return 1.0",
        "            continue",
        "where nothing is the right answer, saying nothing is right: 1.",
    ),
]
REFUSED = [
    ("        if not words and not reference:\n            return 1.0\n", "", "ZeroDivisionError"),
]
RIGHT = [
    """
def token_f1(words, references):
    def one(reference):
        if not words or not reference:
            return float(words == reference)
        left, shared = list(reference), 0
        for word in words:
            if word in left:
                left.remove(word)
                shared += 1
        if shared == 0:
            return 0.0
        precision, recall = shared / len(words), shared / len(reference)
        return 2 * precision * recall / (precision + recall)
    return max(one(reference) for reference in references)
""",
]


def cases(rng: Generator) -> list[tuple]:
    vocabulary = ["at", "least", "4", "hours", "indoors"]

    def some() -> list[str]:
        return [str(word) for word in rng.choice(vocabulary, size=int(rng.integers(1, 8)))]

    right = "at least 4 hours indoors".split()
    return [
        (right, [right]),
        ("4 hours".split(), [right]),
        ("4 4 4 hours".split(), [right]),
        ("4 hours and 4 minutes".split(), ["4 hours or 4 minutes".split()]),
        ("4 h".split(), ["4 hours".split(), "4 h".split()]),
        ("4 h".split(), ["4 h".split(), right]),
        ([], [[]]),
        ([], [right]),
        (["4"], [[]]),
        ([], [right, []]),
        (["never"], [right]),
        *((some(), [some()]) for _ in range(3)),
        *((some(), [some(), some()]) for _ in range(3)),
    ]


EXERCISE = Exercise(
    reference=token_f1,
    minutes=6,
    difficulty=2,
    hints=(
        "How many words do “4 4 4 hours” and “4 hours” share? What does an empty answer get if nothing is right?",
        "`Counter(words) & Counter(reference)` keeps each word as often as both have it. Look at the empty cases "
        "before you divide, and go through all references.",
        "For each reference: 1 if both are empty, otherwise `2 * (Counter(words) & Counter(reference)).total() / "
        "(len(words) + len(reference))`. Return the largest.",
    ),
    proves="repeated words, empty answers and references, and several references are treated as SQuAD does",
)
