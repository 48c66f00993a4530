"""bm25_score: rare words, repeated words and short documents count for more, each as the formula says."""

from __future__ import annotations

import math

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.retrieval.bm25 import bm25_score

ANSWER = """
def bm25_score(query, document, corpus, k1=1.5, b=0.75):
    mean = sum(len(text) for text in corpus) / len(corpus)
    length = 1 - b + b * len(document) / mean
    score = 0.0
    for word in query:
        n = sum(word in text for text in corpus)
        rarity = math.log(1 + (len(corpus) - n + 0.5) / (n + 0.5))
        count = document.count(word)
        score += rarity * count / (count + k1 * length)
    return score
"""
FRACTION = "rarity * count / (count + k1 * length)"
RARITY = "math.log(1 + (len(corpus) - n + 0.5) / (n + 0.5))"
SHARE = "len(document) / mean"
LETTERS = "`train` holds `rain` as letters, not as a word: do not join the words."
SLIPS = [
    ("in query", "in set(query)", "a word that is asked twice adds twice: no set of the query."),
    ("word in text", "text.count(word)", "n counts *documents* that have the word, not places where it stands."),
    ("1 + (len", "(len", "the 1 + inside the logarithm is missing: a common word would cost points."),
    ("math.log", "math.log10", "the natural logarithm is meant, `math.log`."),
    ("math.log", "math.log2", "the natural logarithm is meant, `math.log`."),
    (RARITY, "1", "the rarity is missing: every word weighs the same."),
    ("len(document)", "len(set(document))", "lengths count all words, not the distinct ones."),
    (
        [("len(text)", "len(set(text))"), ("len(document)", "len(set(document))")],
        "lengths count all words, not the distinct ones.",
    ),
    ("len(text)", "len(set(text))", "lengths count all words, not the distinct ones."),
    ("word in text", "word in ' '.join(text)", LETTERS),
    (
        [("word in text", "word in ' '.join(text)"), ("document.count", "' '.join(document).count")],
        LETTERS,
    ),
    (SHARE, "mean / len(document)", "the length is upside down: the document's over the mean."),
    (" / mean", "", "the document's length is not divided by the mean length."),
    (
        SHARE,
        "len(document) / len(corpus)",
        "the mean length is all words over the number of documents; you divide by that number alone.",
    ),
    ("1 - b + b * len(document) / mean", "1", "long documents weigh as much as short ones: `length` is missing."),
    (
        "* count /",
        "* count * (k1 + 1) /",
        "other variants multiply by k1 + 1; this one does not (the order would be the same).",
    ),
    ("rarity * count", "rarity * (count > 0)", "you ask whether the document has the word, not how often."),
    (FRACTION, "rarity * count", "counts grow without end: they are not divided by count + k1 · length."),
    ("count + k1 * length", "(count + k1) * length", "`length` belongs to k1 alone: count + k1 · length."),
    (
        [("1 - b + b *", "0.25 + 0.75 *"), ("k1 * length", "1.5 * length")],
        "k1 and b are fixed as 1.5 and 0.75; use those that are given.",
    ),
    ("k1 * length", "1.5 * length", "k1 is fixed as 1.5; use the one that is given."),
    ("1 - b + b *", "0.25 + 0.75 *", "b is fixed as 0.75; use the one that is given."),
]
REFUSED = [
    (", k1=1.5, b=0.75", "", "must take (query, document, corpus, k1"),
    ("    return score", "", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    (RARITY, "math.log((len(corpus) + 1) / (n + 0.5))"),
    """
def bm25_score(query, document, corpus, k1=1.5, b=0.75):
    from collections import Counter
    from math import log1p
    counts, N = Counter(document), len(corpus)
    known = [set(text) for text in corpus]
    norm = k1 * (1 - b + b * len(document) * N / sum(map(len, corpus)))
    def rarity(word):
        n = sum(word in words for words in known)
        return log1p((N - n + 0.5) / (n + 0.5))
    return sum(rarity(w) * counts[w] / (counts[w] + norm) for w in query if counts[w])
""",
]


def cases(rng: Generator) -> list[tuple]:
    vocabulary = ["battery", "brake", "charger", "cold", "display", "e05", "lever", "motor", "rain", "the"]

    def text(n: int) -> list[str]:
        return [vocabulary[i] for i in rng.integers(len(vocabulary), size=n)]

    corpus = [text(int(n)) for n in rng.integers(4, 16, size=7)]
    small = [["the", "battery", "is", "cold"], ["the", "brake"], ["the", "battery", "battery", "of", "the", "kite"]]
    rainy = [["the", "train", "in", "the", "rain"], ["training", "again"], ["a", "rain", "coat"]]
    return [
        (["battery"], small[0], small),
        (["the", "battery"], small[2], small),
        (["battery", "battery"], small[0], small),  # a word that is asked twice
        (["heron"], small[1], small),  # nobody has it
        (["brake", "kite"], small[1], small),
        ([], small[0], small),
        (["the"], small[1], small),  # all have it
        (["rain"], rainy[0], rainy),  # a word inside others
        (["rain"], rainy[1], rainy),
        *((text(4), document, corpus) for document in corpus[:3]),
        (text(5), corpus[4], corpus, 0.9, 0.4),
        (text(3), corpus[5], corpus, 2.0, 0.0),  # length does not count
        (text(3), corpus[6], corpus, 1.2, 1.0),
    ]


EXERCISE = Exercise(
    reference=bm25_score,
    minutes=5,
    difficulty=2,
    hints=(
        "Which of count, length and rarity are the same for every word of the query?",
        "`length` belongs to the document: compute it once. Then loop over the query's words and add up. For the "
        "rarity, count the *documents* that have the word, not the places where it stands.",
        "`sum(word in text for text in corpus)` is n, `document.count(word)` is the count, and `math.log` is the "
        "natural logarithm. The mean number of words: the sum of all lengths, divided by `len(corpus)`.",
    ),
    proves="rare words, repeated words and short documents weigh as the formula says, for any k1 and b",
)
