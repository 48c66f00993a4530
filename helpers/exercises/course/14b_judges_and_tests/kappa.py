"""kappa: the agreement of two raters beyond what chance gives them."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.old.stats.minimal import kappa

ANSWER = """
def kappa(a, b):
    n = len(a)
    agreed = sum(x == y for x, y in zip(a, b)) / n
    by_chance = sum(a.count(label) / n * b.count(label) / n for label in set(a))
    return (agreed - by_chance) / (1 - by_chance)
"""
CHANCE = "sum(a.count(label) / n * b.count(label) / n for label in set(a))"
SLIPS = [
    ("(agreed - by_chance) / (1 - by_chance)", "agreed", "this is the raw agreement: take chance out of it."),
    (
        "(agreed - by_chance) / (1 - by_chance)",
        "agreed - by_chance",
        "divide by 1 − chance, so that full agreement is 1.",
    ),
    (
        CHANCE,
        "1 / len(set(a) | set(b))",
        "labels are not equally frequent: chance depends on how often each rater gives each.",
    ),
    (
        "a.count(label) / n * b.count(label) / n",
        "(a.count(label) / n) ** 2",
        "chance needs the shares of both raters, not of a alone.",
    ),
    (
        "a.count(label) / n * b.count(label) / n",
        "((a.count(label) + b.count(label)) / (2 * n)) ** 2",
        "yours pools both raters (Scott's pi); multiply a's share of a label by b's share of it.",
    ),
    (
        CHANCE,
        CHANCE.replace("b.count(label) / n", "b.count(label)"),
        "b's share of a label is a count divided by n, too.",
    ),
    (
        "return (agreed - by_chance)",
        "return max(0.0, agreed - by_chance)",
        "kappa may be negative: less agreement than by chance.",
    ),
]
RIGHT = [
    """
def kappa(a, b):
    pairs = [(x, y) for x in a for y in b]
    chance = sum(x == y for x, y in pairs) / len(pairs)
    seen = sum(x == y for x, y in zip(a, b)) / len(a)
    return 1 - (1 - seen) / (1 - chance)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(n: int, shares: tuple[float, ...]) -> list[str]:
        return [str(label) for label in rng.choice(["a", "b", "tie"], n, p=shares)]

    some = drawn(12, (0.5, 0.3, 0.2))
    return [
        (["a", "b", "a", "b"], ["a", "b", "a", "b"]),
        (["a", "a", "b", "b"], ["b", "b", "a", "a"]),  # −1
        (["a", "b", "tie", "a", "b", "a"], ["a", "b", "a", "a", "tie", "a"]),
        (["a"] * 9 + ["b"], ["a"] * 8 + ["b", "a"]),  # agree on eight of ten
        (some, [*drawn(6, (0.2, 0.6, 0.2)), *some[6:]]),
        (drawn(30, (0.9, 0.05, 0.05)), drawn(30, (0.8, 0.1, 0.1))),
        (["a", "tie", "tie"], ["b", "tie", "a"]),
    ]


EXERCISE = Exercise(
    reference=kappa,
    minutes=5,
    difficulty=2,
    hints=(
        "Both raters say “a” 9 times of 10, at random. How often do both say “a”?",
        "Chance: for each label, a's share of it times b's share of it, added up. Kappa is (agreed − chance) / "
        "(1 − chance).",
        "`agreed` is `sum(x == y for x, y in zip(a, b)) / n`. Chance adds `a.count(label) / n * b.count(label) / n` "
        "for each label in `set(a)`. Return the difference of both, divided by 1 minus chance.",
    ),
    proves="agreement is compared with what both raters' own habits would give by chance",
)
