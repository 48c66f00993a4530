"""may_send: whether one more call fits into a budget while others are under way."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def may_send(budget: float, spent: float, held: float, worst: float) -> bool:
    """May one more call be sent, so that the budget holds however the calls under way turn out?

    All in US dollars. spent: what the calls that are over did cost. held: what those under way
    cost at most, all together. worst: what the next call costs at most. A budget may be used up exactly.
    """
    return worst <= budget - spent - held


ANSWER = """
def may_send(budget, spent, held, worst):
    return spent + held + worst <= budget
"""
SLIPS = [
    (
        "spent + held + worst <= budget",
        "spent < budget",
        "that looks at the calls that are over only; those under way, and this one, come on top.",
    ),
    (
        "spent + held + worst <= budget",
        "spent <= budget",
        "that looks at the calls that are over only; those under way, and this one, come on top.",
    ),
    ("spent + held + worst", "spent + worst", "the calls under way are not counted: they will be billed, too."),
    ("spent + held + worst", "spent + held", "this call itself is not counted: at worst it costs `worst`."),
    ("spent + held + worst", "held + worst", "what was spent already is not counted."),
    ("<= budget", "< budget", "a budget may be used up exactly: compare with <=."),
    ("spent + held + worst <= budget", "worst <= budget", "what was spent and what is under way are not counted."),
]
REFUSED = [("return spent", "return not spent", "")]
RIGHT = [
    """
def may_send(budget, spent, held, worst):
    left = budget - (spent + held)
    return not worst > left
""",
]


def cases(rng: Generator) -> list[tuple]:
    spent, held, worst = (float(n) / 8 for n in rng.integers(1, 30, size=3))  # eighths of a dollar: sums are exact
    return [
        (8.0, 0.0, 0.0, 1.0),
        (8.0, 2.0, 5.0, 1.0),
        (8.0, 2.0, 5.5, 1.0),
        (8.0, 7.5, 0.0, 1.0),
        (8.0, 0.0, 8.0, 0.5),
        (8.0, 8.0, 0.0, 0.5),
        (8.0, 0.0, 0.0, 9.0),
        (8.0, 4.0, 3.5, 1.0),
        (8.0, 4.0, 5.0, 0.5),
        (spent + held + worst, spent, held, worst),
        (spent + held + worst - 0.125, spent, held, worst),
    ]


EXERCISE = Exercise(
    reference=may_send,
    minutes=2,
    difficulty=1,
    hints=(
        "If every call under way, and this one, costs as much as it can: what will the bill be?",
        "Three amounts are used or may be used: what was spent, what is held, and the worst case of this call.",
        "Add the three amounts, and say whether the sum is at most the budget. A sum equal to the budget is allowed.",
    ),
    proves="calls under way and the call itself are counted at their worst, and a budget can be used up exactly",
)
