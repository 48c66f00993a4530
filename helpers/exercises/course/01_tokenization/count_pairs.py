"""count_pairs: neighbors of a word, counted as often as the text has the word."""

from __future__ import annotations

import itertools
from collections import Counter

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property

from ._shared import Pair, Symbols, random_word


def count_pairs(words: dict[Symbols, int]) -> dict[Pair, int]:
    """How often each pair of neighbors occurs in a text.

    words: each distinct word, a tuple of symbols → how often the text has it.
    Neighbors stand in one word: no pair spans two.

        count_pairs({("g", "o"): 5, ("g", "o", "t"): 1})  →  {("g", "o"): 6, ("o", "t"): 1}
    """
    counts: dict[Pair, int] = {}
    for word, times in words.items():
        for pair in zip(word, word[1:], strict=False):
            counts[pair] = counts.get(pair, 0) + times
    return counts


ANSWER = """
def count_pairs(words):
    counts = {}
    for word, times in words.items():
        for pair in zip(word, word[1:]):
            counts[pair] = counts.get(pair, 0) + times
    return counts
"""
NEIGHBORS = "zip(word, word[1:])"
ACROSS = "a pair spans two words; look at each word by itself."
SLIPS = [
    ("+ times", "+ 1", "each distinct word counts once; multiply by how often it occurs."),
    (NEIGHBORS, "set(zip(word, word[1:]))", "a pair that stands twice in a word counts twice."),
    (NEIGHBORS, "zip(word[::2], word[1::2])", "you step two symbols at a time; pairs overlap, so step by one."),
    (
        NEIGHBORS,
        "map(tuple, map(sorted, zip(word, word[1:])))",
        "(a, b) and (b, a) are different pairs; keep the order.",
    ),
    (NEIGHBORS, "word", "you count single symbols; count pairs of neighbors."),
    (
        """
def count_pairs(words):
    row = [(symbol, times) for word, times in words.items() for symbol in word]
    counts = Counter()
    for (a, times), (b, _) in zip(row, row[1:]):
        counts[a, b] += times
    return dict(counts)
""",
        ACROSS,
    ),
    (
        """
def count_pairs(words):
    row = [symbol for word, times in words.items() for _ in range(times) for symbol in word]
    return dict(Counter(zip(row, row[1:])))
""",
        ACROSS,
    ),
    (NEIGHBORS, "zip(word, word[1:-1])", "the last pair of each word is missing: n symbols have n − 1 pairs."),
    (NEIGHBORS, "itertools.combinations(word, 2)", "you pair every two symbols of a word; only neighbors count."),
    (
        NEIGHBORS,
        "zip(''.join(word), ''.join(word)[1:])",
        "you pair letters; a symbol may hold several letters and stays whole.",
    ),
    (
        "counts.get(pair, 0) + times",
        "times",
        "a pair's count is overwritten by the next word that has it; add to it.",
    ),
    ("    return counts", "        return counts", "only the first word is counted: `return` stands inside the loop."),
    (NEIGHBORS, "map(''.join, zip(word, word[1:]))", "the keys are joined strings; a key is a tuple of two symbols."),
]
REFUSED = [
    ("return counts", "return list(counts)", "The kind of the result is wrong"),
]
RIGHT = [
    """
def count_pairs(words):
    counts = Counter()
    for word in words:
        for i in range(len(word) - 1):
            counts[word[i], word[i + 1]] += words[word]
    return dict(counts)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def text(letters: str, n: int, longest: int) -> dict[Symbols, int]:
        return {random_word(rng, letters, int(rng.integers(1, longest))): int(rng.integers(1, 9)) for _ in range(n)}

    return [
        ({("g", "o"): 5, ("g", "o", "t"): 1},),
        ({("a", "a", "a"): 2, ("a", "a"): 1},),  # overlapping pairs count twice
        ({("ch", "ar", "ge"): 3, ("ar", "ge"): 4},),
        ({("n", "o", "n", "o"): 3},),
        (text("abc", 12, 6),),
        (text("ab", 9, 8),),
        ({("x",): 7},),
        ({},),
    ]


EXERCISE = Exercise(
    reference=count_pairs,
    minutes=2,
    difficulty=1,
    hints=(
        "A word of n symbols has n − 1 pairs of neighbors. How do you walk along both at once?",
        "Go through the words; in each, take every symbol together with the one after it. A word that the text has "
        "five times counts five times.",
        "Start with an empty dictionary (or `Counter`). `zip(word, word[1:])` gives the pairs of one word; add the "
        "word's number to the count of each.",
    ),
    proves="words count as often as they occur, pairs that overlap count each, none spans two words",
    properties=[
        Property(
            "all counts together are, for each word, its length less one, times how often it occurs",
            lambda counts, words: sum(counts.values()) == sum((len(w) - 1) * n for w, n in words.items()),
        )
    ],
)
