"""recall_at_k: the share of the relevant passages that a search shows on its first places."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.old.retrieval.metrics import recall_at_k

ANSWER = """
def recall_at_k(ranked, relevant, k):
    found = set(ranked[:k]) & relevant
    return len(found) / len(relevant)
"""
SHARE = "len(found) / len(relevant)"
SLIPS = [
    ("/ len(relevant)", "/ k", "this is precision: it divides by k. Recall divides by all relevant ones."),
    (
        "/ len(relevant)",
        "/ max(1, len(ranked[:k]))",
        "you divide by how many were looked at; recall divides by all relevant ones.",
    ),
    (
        "/ len(relevant)",
        "/ min(k, len(relevant))",
        "you divide by k where k is smaller; recall divides by all relevant ones, whatever k is.",
    ),
    ("ranked[:k]", "ranked", "the cut at k is missing: only the first k count."),
    ("[:k]", "[:k - 1]", "the first k − 1 are looked at; `ranked[:k]` is the first k."),
    ("[:k]", "[:k + 1]", "one place too many: `ranked[:k]` is the first k."),
    (
        "set(ranked[:k]) & relevant",
        "[item for item in ranked[:k] if item in relevant]",
        "a passage that stands there twice is still one passage.",
    ),
    (SHARE, "float(len(found) > 0)", "you ask whether any was found; recall is the share that was found."),
    (SHARE, "float(found == relevant)", "you ask whether all were found; recall is the share that was found."),
    (SHARE, "len(found)", "this is how many were found; give their share."),
]
REFUSED = [
    (SHARE, "len(found) > 0", "Expected a float, yours is a bool"),
    (SHARE, "sum(ranked.index(item) < k for item in relevant) / len(relevant)", "It stops with an error"),
]
RIGHT = [
    (SHARE, "sum(item in ranked[:k] for item in relevant) / len(relevant)"),
    (SHARE, "1 - len(relevant - set(ranked[:k])) / len(relevant)"),
]


def cases(rng: Generator) -> list[tuple]:
    drawn = [f"p{i}" for i in rng.permutation(15)]
    return [
        (["p3", "p7", "p1"], {"p7", "p9"}, 2),
        (["p3", "p7", "p1"], {"p1"}, 2),
        (["p3", "p7", "p1"], {"p1"}, 3),
        (drawn, {drawn[0], drawn[4], drawn[9]}, 5),
        (drawn, {drawn[0], drawn[4], drawn[9]}, 10),
        (drawn, {drawn[2], drawn[3]}, 1),
        (drawn, set(drawn[:4]), 3),  # more relevant ones than places
        (["p1"], {"p1", "p2"}, 10),  # fewer found than k
        ([], {"p1"}, 5),
        (["p1", "p1", "p2"], {"p1", "p3"}, 3),  # one passage twice
    ]


EXERCISE = Exercise(
    reference=recall_at_k,
    minutes=2,
    difficulty=1,
    hints=(
        "Two passages are needed, and one of them is among the first five. What is the recall?",
        "Of the first k, how many of the relevant ones are there? Divide by how many relevant ones exist, whatever "
        "k is.",
        "`set(ranked[:k])` is what stands among the first k, and `&` keeps what two sets share. Divide its size by "
        "the size of `relevant`.",
    ),
    proves="the first k count, of all relevant ones, also where k or what was found is small",
)
