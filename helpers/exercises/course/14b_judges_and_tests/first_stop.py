"""first_stop: look after every question, and stop when the e-value allows it."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.old.stats.minimal import e_value


def first_stop(a: Sequence[bool], b: Sequence[bool], alpha: float = 0.05) -> int | None:
    """After how many questions may you stop, looking after each one? None if never.

    a, b: was A's, was B's answer to each question right? Stop at the first e-value of at least 1 / alpha.
    """
    only_a = only_b = 0
    for asked, (a_right, b_right) in enumerate(zip(a, b, strict=True), start=1):
        only_a += a_right and not b_right
        only_b += b_right and not a_right
        if e_value(only_a, only_b) >= 1 / alpha:
            return asked
    return None


ANSWER = """
def first_stop(a, b, alpha=0.05):
    only_a = only_b = 0
    for i in range(len(a)):
        if a[i] and not b[i]:
            only_a += 1
        if b[i] and not a[i]:
            only_b += 1
        if e_value(only_a, only_b) >= 1 / alpha:
            return i + 1
    return None
"""
SLIPS = [
    ("return i + 1", "return i", "the count of questions asked is one more than the index of the last one."),
    (
        "return i + 1",
        "return only_a + only_b",
        "count all questions that were asked, those with equal answers as well.",
    ),
    ("if a[i] and not b[i]", "if a[i]", "a question that both get right says nothing about who is better."),
    ("if b[i] and not a[i]", "if not a[i]", "a question that both get wrong says nothing about who is better."),
    (">= 1 / alpha", ">= 20", "the limit is 1 / alpha, and alpha is not always 0.05."),
    (">= 1 / alpha", "<= alpha", "an e-value speaks for a difference when it is large: compare it with 1 / alpha."),
    (
        "        if e_value(only_a, only_b) >= 1 / alpha:\n            return i + 1\n    return None",
        "    return len(a) if e_value(only_a, only_b) >= 1 / alpha else None",
        "yours looks once, at the end; look after every question.",
    ),
    ("e_value(only_a, only_b) >=", "only_a > only_b and e_value(only_a, only_b) >=", "B may be the better one, too."),
]
RIGHT = [
    """
def first_stop(a, b, alpha=0.05):
    counts = {1: 0, 0: 0, -1: 0}
    for asked, (x, y) in enumerate(zip(a, b), 1):
        counts[int(x) - int(y)] += 1
        if e_value(counts[1], counts[-1]) * alpha >= 1:
            return asked
""",
]


def cases(rng: Generator) -> list[tuple]:
    def answers(n: int, share: float) -> list[bool]:
        return [bool(x) for x in rng.random(n) < share]

    swing_a = [True] * 9 + [False] * 9 + [True, False] * 6  # far ahead, and level at the end
    swing_b = [False] * 9 + [True] * 9 + [False, True] * 6
    return [
        ([True] * 12, [False] * 12),
        ([False] * 12, [True] * 12),
        ([True, False] * 20, [True, False] * 20),  # always equal
        ([True, True] * 10, [True, False] * 10),
        ([False, True] * 10, [False, False] * 10),
        (swing_a, swing_b),
        (answers(80, 0.9), answers(80, 0.4)),
        (answers(60, 0.5), answers(60, 0.5)),
        ([True] * 14, [False] * 14, 0.01),
        ([True] * 14, [False] * 14, 0.2),
        ([], []),
    ]


EXERCISE = Exercise(
    reference=first_stop,
    minutes=6,
    difficulty=2,
    hints=(
        "Which questions change the e-value, and which ones only cost you a question?",
        "Go through the questions and count those that only A, or only B, gets right. After each question, compare "
        "`e_value(only_a, only_b)` with `1 / alpha`.",
        "`for asked, (x, y) in enumerate(zip(a, b), start=1):` add 1 to `only_a` if x and not y, to `only_b` if y and "
        "not x; return `asked` if the e-value is at least `1 / alpha`. After the loop, return None.",
    ),
    proves="it looks after every question, at disagreements only, and stops for either side",
)
