"""clipped_precision: BLEU's core. A word that is said again and again may not count again and again."""

from __future__ import annotations

from collections import Counter

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def clipped_precision(words: list[str], reference: list[str], n: int) -> float:
    """The share of the answer's runs of n words that stand in the reference, each at most as often as there.

    0 where the answer has no run of n words.
    """
    ours = Counter(zip(*(words[i:] for i in range(n)), strict=False))
    theirs = Counter(zip(*(reference[i:] for i in range(n)), strict=False))
    return (ours & theirs).total() / ours.total() if ours else 0.0


ANSWER = """
def clipped_precision(words, reference, n):
    ours = Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
    theirs = Counter(tuple(reference[i : i + n]) for i in range(len(reference) - n + 1))
    if not ours:
        return 0.0
    shared = sum(min(count, theirs[run]) for run, count in ours.items())
    return shared / sum(ours.values())
"""
SHARED = "sum(min(count, theirs[run]) for run, count in ours.items())"
SLIPS = [
    (
        SHARED,
        "sum(count for run, count in ours.items() if run in theirs)",
        "a run counts each time the answer says it: “hours hours hours” is not three right words.",
    ),
    (SHARED, "len(ours.keys() & theirs.keys())", "a run that both have twice counts twice, not once."),
    ("sum(ours.values())", "sum(theirs.values())", "divide by the runs of the answer: that is precision."),
    ("sum(ours.values())", "len(ours)", "divide by all runs of the answer, not by the different ones."),
]
PLANTED = SLIPS[0]
REFUSED = [
    ("len(words) - n + 1", "len(words) - n", "Expected"),
    ("    if not ours:\n        return 0.0\n", "", "ZeroDivisionError"),
]
RIGHT = [
    """
def clipped_precision(words, reference, n):
    left = [tuple(reference[i : i + n]) for i in range(len(reference) - n + 1)]
    runs = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    found = 0
    for run in runs:
        if run in left:
            left.remove(run)
            found += 1
    return found / len(runs) if runs else 0.0
""",
]


def cases(rng: Generator) -> list[tuple]:
    vocabulary = ["wait", "four", "hours", "indoors", "the"]
    drawn = []
    for n in (1, 2, 3, 1, 2):
        first, second = (list(rng.choice(vocabulary, size=int(rng.integers(4, 12)))) for _ in range(2))
        drawn.append(([str(word) for word in first], [str(word) for word in second], n))
    said = "wait four hours indoors".split()
    return [
        (["hours", "hours", "hours"], said, 1),
        (["the", "the", "hours"], "the hours of the shop".split(), 1),
        (said, said, 4),
        (said, said, 1),
        ("wait four hours".split(), said, 4),
        ("four hours four hours".split(), said, 2),
        ("wait hours four indoors".split(), said, 2),
        ([], said, 1),
        (said, ["hours"], 1),
        *drawn,
    ]


EXERCISE = Exercise(
    reference=clipped_precision,
    minutes=2,
    difficulty=1,
    hints=(
        "What does the function give for the answer “hours hours hours”? What should it give?",
        "A run that stands once in the reference can be right once. Compare the two counts of each run.",
        "Add up `min(count, theirs[run])` over the runs of the answer; a Counter gives 0 for what it does not hold.",
    ),
    proves="repeated runs count at most as often as the reference has them, for runs of one to four words",
)
