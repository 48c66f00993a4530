"""choose_on_dev: the prompt that is best on dev, and what it gains on test over the first draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np  # noqa: F401  a right answer uses it
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def choose_on_dev(
    dev: Mapping[str, Sequence[bool]], test: Mapping[str, Sequence[bool]], draft: str
) -> tuple[str, float]:
    """(name, gain): the prompt with the most right answers on dev, and its share right on test minus the draft's.

    dev, test: for each prompt one mark per ticket, True where the answer is right; draft: the name of the first draft,
    which may win itself. Of equally good prompts on dev, the one that is named first.
    """
    name = max(dev, key=lambda prompt: sum(dev[prompt]))
    return name, float(sum(test[name]) - sum(test[draft])) / len(test[draft])


ANSWER = """
def choose_on_dev(dev, test, draft):
    name = max(dev, key=lambda prompt: sum(dev[prompt]))
    gain = sum(test[name]) / len(test[name]) - sum(test[draft]) / len(test[draft])
    return name, gain
"""
CHOSEN = "max(dev, key=lambda prompt: sum(dev[prompt]))"
ON_TEST = "test has a say in your choice, so it can no longer judge: choose on dev alone."
SLIPS = [
    (
        CHOSEN,
        "max(dev, key=lambda prompt: sum(test[prompt]))",
        ON_TEST,
    ),
    (
        CHOSEN,
        "max(dev, key=lambda prompt: sum(dev[prompt]) + sum(test[prompt]))",
        ON_TEST,
    ),
    (
        "sum(test[name]) / len(test[name]) - sum(test[draft]) / len(test[draft])",
        "sum(dev[name]) / len(dev[name]) - sum(dev[draft]) / len(dev[draft])",
        "that is the gain on dev, where the prompt was chosen for being good: report the one on test.",
    ),
    (
        "sum(test[name]) / len(test[name]) - sum(test[draft]) / len(test[draft])",
        "sum(test[name]) / len(test[name]) - sum(dev[draft]) / len(dev[draft])",
        "you compare the prompt on test with the draft on dev; both belong on the same tickets.",
    ),
    (
        " - sum(test[draft]) / len(test[draft])",
        "",
        "that is the prompt's own share; the gain is what it has more than the draft.",
    ),
    (
        "sum(test[name]) / len(test[name]) - sum(test[draft]) / len(test[draft])",
        "sum(test[draft]) / len(test[draft]) - sum(test[name]) / len(test[name])",
        "the gain is the prompt's share minus the draft's; yours is the other way round.",
    ),
    (
        "sum(test[name]) / len(test[name]) - sum(test[draft]) / len(test[draft])",
        "sum(test[name]) - sum(test[draft])",
        "you give a number of tickets; a share is divided by how many there are.",
    ),
    (
        "return name, gain",
        "return name, 100 * gain",
        "you give points; the gain is a difference of shares, between −1 and 1.",
    ),
    (
        "sum(test[draft]) / len(test[draft])",
        "sum(test[next(iter(test))]) / len(test[next(iter(test))])",
        "you compare with the first entry; the draft's name is handed over, and it may stand anywhere.",
    ),
    (
        "return name, gain",
        "return name, abs(gain)",
        "a loss on test is a result, too: report it as it is.",
    ),
    (CHOSEN, "max(dev)", "you take the name that comes last in the alphabet; count the marks of each with `key=`."),
    (
        CHOSEN,
        "max((p for p in dev if p != draft), key=lambda prompt: sum(dev[prompt]))",
        "the draft may win itself; do not leave it out.",
    ),
    (
        CHOSEN,
        "max(reversed(list(dev)), key=lambda prompt: sum(dev[prompt]))",
        "of equally good prompts, take the one that is named first.",
    ),
    (CHOSEN, "min(dev, key=lambda prompt: sum(dev[prompt]))", "you take the worst prompt on dev."),
    (
        "return name, gain",
        "return name, max(gain, 0.0)",
        "a loss on test is a result, too: report it as it is.",
    ),
]
REFUSED = [("return name, gain", "return gain", "Expected a tuple"), ("return name, gain", "return gain, name", "")]
RIGHT = [
    """
def choose_on_dev(dev, test, draft):
    best, most = draft, -1
    for prompt, marks in dev.items():
        if sum(marks) > most:
            best, most = prompt, sum(marks)
    return best, float(np.mean(test[best]) - np.mean(test[draft]))
""",
    """
def choose_on_dev(dev, test, draft):
    ranked = sorted(dev, key=lambda prompt: -np.mean(dev[prompt]))
    gains = [int(a) - int(b) for a, b in zip(test[ranked[0]], test[draft])]
    return ranked[0], sum(gains) / len(gains)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def marks(n: int, right: int) -> list[bool]:
        return rng.permutation([True] * right + [False] * (n - right)).tolist()

    def table(n: int, **right: int) -> dict[str, list[bool]]:
        return {name: marks(n, k) for name, k in right.items()}

    return [
        (  # test prefers another
            {
                "list": [True, False, False, False],
                "short": [True, True, False, True],
                "long": [False, True, True, False],
            },
            {
                "list": [False, True, False, False],
                "short": [True, False, True, False],
                "long": [True, True, True, True],
            },
            "list",
        ),
        (table(10, a=3, b=6, c=6), table(16, a=5, b=7, c=11), "a"),  # two are equally good on dev
        (table(9, first=6, second=4, third=5), table(9, first=3, second=8, third=4), "first"),  # the draft wins
        (table(8, draft=3, other=5), table(30, draft=14, other=10), "draft"),  # it loses on test
        (table(15, x=9, y=11, z=2, w=10), table(25, x=10, y=18, z=3, w=21), "z"),
        (table(7, only=3), table(11, only=5), "only"),
    ]


EXERCISE = Exercise(
    reference=choose_on_dev,
    minutes=4,
    difficulty=2,
    hints=(
        "Which of the two tables may have a say in the choice, and which one judges?",
        "Take the name with the most True in dev. Then look it up in test, together with the draft, and subtract the "
        "two shares.",
        "`max(dev, key=…)` gives the first of the best names, if the key counts a name's marks. A share is the sum "
        "of the marks divided by their number, since True counts as 1.",
    ),
    proves="dev alone chooses, test alone judges, the draft may win, and a loss is reported as one",
)
