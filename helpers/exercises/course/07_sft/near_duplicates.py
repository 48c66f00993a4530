"""near_duplicates: two texts that share a run of words, wherever in each text the run begins."""

from __future__ import annotations

import re
from collections.abc import Sequence

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def near_duplicates(texts: Sequence[str], others: Sequence[str], n: int) -> list[tuple[int, int]]:
    """Pairs (i, j) where texts[i] and others[j] share a run of n words, in order of i, then j.

    Case and punctuation do not count. A run may begin at any word, and a text of fewer than n words has none.
    """

    def runs(text):
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[k : k + n]) for k in range(len(words) - n + 1)}

    ours, theirs = [runs(text) for text in texts], [runs(text) for text in others]
    return [(i, j) for i, a in enumerate(ours) for j, b in enumerate(theirs) if a & b]


ANSWER = """
def near_duplicates(texts, others, n):
    def runs(text):
        words = re.findall(r"\\w+", text.lower())
        return {tuple(words[k : k + n]) for k in range(0, len(words) - n + 1)}

    ours, theirs = [runs(text) for text in texts], [runs(text) for text in others]
    return [(i, j) for i, a in enumerate(ours) for j, b in enumerate(theirs) if a & b]
"""
STARTS = "range(0, len(words) - n + 1)"
BLOCKS = "range(0, len(words) - n + 1, n)"
WHERE = "only every n-th word begins a run, so a shared run that begins elsewhere is missed."
SHORT = "the last pieces have fewer than n words, and you count them as runs."
SLIPS = [
    (STARTS, BLOCKS, WHERE),
    (
        [
            ("def runs(text):", "def runs(text, step=1):"),
            (STARTS, "range(0, len(words) - n + 1, step)"),
            ("[runs(text) for text in others]", "[runs(text, n) for text in others]"),
        ],
        "the others are still cut at every n-th word; a run may begin at any word of both texts.",
    ),
    (STARTS, "range(0, len(words) - n + 1, 2)", "runs that begin at every second word are missed."),
    (STARTS, "range(0, len(words) - n)", "the last run of each text is never looked at."),
    (STARTS, "range(0, len(words))", SHORT),
    (STARTS, "range(0, len(words), n)", WHERE),
    (".lower()", "", "capitals count in yours: “My Kite” and “my kite” are the same two words."),
    (
        're.findall(r"\\w+", text.lower())',
        "text.lower().split()",
        "punctuation counts in yours: “late,” and “late” are the same word.",
    ),
    (
        "if a & b",
        "if len(set().union(*a) & set().union(*b)) >= n",
        "n shared words in any order are no run: the order counts.",
    ),
    ("if a & b", "if a == b", "you ask whether all runs are shared; one is enough."),
    ("if a & b", "if a and a <= b", "you ask whether all runs are shared; one is enough."),
    (
        "if a & b",
        "if i < j and a & b",
        "texts and others are two lists, so every pair counts; i < j is for a list that is compared with itself.",
    ),
    ("[(i, j) for", "[(j, i) for", "i counts texts and j counts others; yours are swapped."),
]
REFUSED = [("[(i, j) for", "[i for", "Expected a tuple")]
PLANTED = SLIPS[0]
RIGHT = [
    """
def near_duplicates(texts, others, n):
    def words_of(text):
        return [word.strip(".,!?;:()\\"'").lower() for word in text.replace("-", " ").split()]

    pairs = []
    for i, text in enumerate(texts):
        words = words_of(text)
        for j, other in enumerate(others):
            theirs = words_of(other)
            ours_at = range(len(words) - n + 1)
            theirs_at = range(len(theirs) - n + 1)
            if any(words[k : k + n] == theirs[m : m + n] for k in ours_at for m in theirs_at):
                pairs.append((i, j))
    return pairs
""",
]


def cases(rng: Generator) -> list[tuple]:
    vocabulary = "bike brake motor light chain order late broken new red where when please today never again".split()

    def text(n: int) -> str:
        return " ".join(rng.choice(vocabulary, size=n).tolist())

    run = "where is the child seat i ordered"
    return [
        ([run], [f"Hello, {run.capitalize()}?"], 4),
        ([f"so {run}"], [f"well then {run}"], 5),  # at another place in each
        ([f"a b c {run} x"], [f"d {run} y z"], 7),
        (["one two three four five six"], ["zero one two three four five six"], 6),  # the last run of both
        (["one two three", "seven eight"], ["two three", "three"], 3),  # too short to have a run
        (["My KITE is late, please help"], ["my kite is late please hurry"], 4),
        (["the kite, my kite: late"], ["the kite my kite late"], 5),
        (["a b c d e f"], ["f e d c b a"], 3),  # the same words in another order
        ([f"x {run}", text(9), text(12)], [text(12), f"{run} y", text(9)], 3),
        ([text(30) for _ in range(4)], [text(30) for _ in range(3)], 3),
        (["p q r s t u v w"], ["0 1 p q r s 2 3"], 4),
        (["0 1 2 p q r s t"], ["p q r s t 7 8 9"], 5),
        (["p q r s t 1"], ["2 3 4 p q r s t"], 5),
        ([], ["a b c"], 2),
    ]


EXERCISE = Exercise(
    minutes=2,
    difficulty=1,
    reference=near_duplicates,
    hints=(
        "Take n = 3, “a b c d” and “x a b c”. Which runs are compared?",
        "A run of n words may begin at the first word, at the second, at the third. Which numbers does `range` give?",
        "The third argument of `range` is the step between two beginnings. Without it, a run may begin at every word, "
        "which is what you want of both texts.",
    ),
    proves="a shared run is found wherever it begins, whatever its case and punctuation, and nothing shorter is",
)
