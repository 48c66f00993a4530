"""may_send: whether one more call fits into a budget while others are under way."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def may_send(budget: float, spent: float, held: float, worst: float) -> bool:
    """May one more call be sent, so that the budget holds however the calls under way turn out?

    All in US dollars. spent: the cost of the finished calls. held: the most that the calls under way can
    cost, all together. worst: the most that the next call can cost. A budget may be used up exactly:
    allow a billionth of a dollar (1e-9) for rounding, since 0.1 + 0.1 + 0.1 is more than 0.3 in floats.
    """
    return worst <= budget - spent - held + 1e-9


ANSWER = """
def may_send(budget, spent, held, worst):
    return spent + held + worst <= budget + 1e-9
"""
ROUNDED = "in floats, 0.1 + 0.1 + 0.1 is a little more than 0.3: allow a billionth of a dollar (1e-9)."
SUM = "spent + held + worst <= budget + 1e-9"
SLIPS = [
    (SUM, "spent < budget", "that looks at the calls that are over only; those under way, and this one, come on top."),
    (SUM, "spent <= budget", "that looks at the calls that are over only; those under way, and this one, come on top."),
    (SUM, "spent + held < budget", "this call itself is not counted: at worst it costs `worst`."),
    (SUM, "spent + held <= budget", "this call itself is not counted: at worst it costs `worst`."),
    (SUM, "max(spent + held, worst) <= budget", "this call comes on top of the others: add `worst` to them."),
    (
        SUM,
        "spent + 16 * worst <= budget",
        "`held` says what the calls under way cost at most: do not guess their number.",
    ),
    (SUM, "worst <= budget", "what was spent and what is under way are not counted."),
    (SUM, "spent + held + worst < budget", "a budget may be used up exactly: compare with <=, and allow 1e-9."),
    (SUM, "spent + held + worst <= budget", ROUNDED),
    ("spent + held + worst", "spent + worst", "the calls under way are not counted: they will be billed, too."),
    ("spent + held + worst", "held + worst", "what was spent already is not counted."),
    ("+ 1e-9", "+ 0.01", "a cent is not rounding: allow a billionth of a dollar (1e-9), and no more."),
]
REFUSED = [("return spent", "return not spent", "")]
RIGHT = [
    """
def may_send(budget, spent, held, worst):
    left = budget - (spent + held)
    return not worst > left + 1e-9
""",
    """
def may_send(budget, spent, held, worst):
    from decimal import Decimal

    amounts = [Decimal(str(amount)) for amount in (spent, held, worst)]
    return sum(amounts) <= Decimal(str(budget))
""",
    """
def may_send(budget, spent, held, worst):
    return round(spent + held + worst, 9) <= budget
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
        (8.0, 5.0, 1.0, 1.0),
        (0.3, 0.1, 0.1, 0.1),
        (0.3, 0.1, 0.1, 0.105),
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
        "Add the three amounts, and say whether the sum is at most the budget plus 1e-9. A sum equal to the budget is "
        "allowed, and 1e-9 is for rounding.",
    ),
    proves="calls under way and the call itself are counted at their worst, and a budget can be used up exactly",
)
