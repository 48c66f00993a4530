"""unigram_f1: a word is shared as often as both lists have it, and F1 divides by the words of both."""

from __future__ import annotations

from collections import Counter

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.metrics.text import unigram_f1

ANSWER = """
def unigram_f1(words, reference):
    shared = (Counter(words) & Counter(reference)).total()
    return 2 * shared / (len(words) + len(reference)) if shared else 0.0
"""
SHARED = "(Counter(words) & Counter(reference)).total()"
F1 = "2 * shared / (len(words) + len(reference))"
SETS = (SHARED, "len(set(words) & set(reference))")
FORGETS = "a set forgets how often a word stands there; use `Counter`."
SLIPS = [
    (F1, "shared / len(words)", "this is precision: F1 divides by the words of both lists together."),
    (F1, "shared / len(reference)", "this is recall: F1 divides by the words of both lists together."),
    ("2 * shared", "shared", "shared words stand in both lists, so they count twice: 2 · shared."),
    (
        F1,
        "(shared / len(words) + shared / len(reference)) / 2",
        "the plain mean of precision and recall; F1 is 2 · shared / all words of both.",
    ),
    ("2 * shared", "200 * shared", "this is in percent; F1 lies between 0 and 1."),
    (*SETS, FORGETS),
    ([SETS, ("(len(words) + len(reference))", "(len(set(words)) + len(set(reference)))")], FORGETS),
    (
        [SETS, (F1, "shared / len(set(words) | set(reference))")],
        "this is Jaccard's measure, of sets; F1 counts words.",
    ),
    (
        SHARED,
        "sum(word in reference for word in words)",
        "a word is shared only as often as *both* lists have it.",
    ),
    ("    return", "    if not words:\n        return 1.0\n    return", "an empty summary shares nothing: 0.0."),
]
REFUSED = [("return 2", "score = 2", "It returns None")]
RIGHT = [
    """
def unigram_f1(words, reference):
    left, shared = list(reference), 0
    for word in words:
        if word in left:
            left.remove(word)
            shared += 1
    if shared == 0:
        return 0.0
    precision, recall = shared / len(words), shared / len(reference)
    return 2 * precision * recall / (precision + recall)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def words(n: int, of: int = 6) -> list[str]:
        return [f"w{i}" for i in rng.integers(of, size=n)]

    return [
        (["the", "the", "cat"], ["the", "dog"]),
        (["the", "dog"], ["the", "the", "cat", "the"]),
        (words(12), words(7)),
        (words(5, 3), words(9, 3)),
        (["a", "b"], ["b", "a"]),
        (["a"], ["b", "c"]),
        ([], ["a"]),
        (words(8, 40), words(8, 40)),
        (words(20, 4), words(3, 4)),
    ]


EXERCISE = Exercise(
    reference=unigram_f1,
    minutes=2,
    difficulty=2,
    hints=(
        "The summary has “the” twice, the reference once. How often is it shared?",
        "A word is shared as often as the list that has it less often. `collections.Counter` counts a list, and "
        "two counters can be intersected.",
        "`Counter(a) & Counter(b)` keeps the smaller count of each word and `.total()` adds them up. F1 is twice "
        "that, divided by the words of both lists together; give 0.0 where nothing is shared.",
    ),
    proves="words count as often as both have them, order does not, and nothing shared gives 0",
    properties=[
        Property(
            "it lies between 0 and 1",
            lambda result, *_: 0 <= result <= 1,
        ),
    ],
)
