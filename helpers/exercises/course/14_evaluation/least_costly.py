"""least_costly: counts of missed failures become a choice once somebody says what a failure of each kind costs."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def least_costly(missed: dict[str, dict[str, int]], cost: dict[str, float]) -> str:
    """The metric whose missed failures cost least; of several, the one that stands first.

    missed: for each category of failures, how many of them each metric misses; all categories name the same metrics.
    cost: for each category, what one missed failure costs, in euros; a category that is not there costs 1.
    """
    metrics = list(next(iter(missed.values())))
    return min(metrics, key=lambda name: sum(cost.get(kind, 1) * row[name] for kind, row in missed.items()))


ANSWER = """
def least_costly(missed, cost):
    total = {}
    for kind, row in missed.items():
        for metric, n in row.items():
            total[metric] = total.get(metric, 0) + n * cost.get(kind, 1)
    return min(total, key=total.get)
"""
SLIPS = [
    ("n * cost.get(kind, 1)", "n", "every failure counts the same in yours: weigh each category by its cost."),
    ("cost.get(kind, 1)", "cost.get(kind, 0)", "a category without a stated cost costs 1, not nothing."),
    ("min(total", "max(total", "yours takes the metric whose missed failures cost most."),
    (
        "total.get(metric, 0) + n * cost.get(kind, 1)",
        "max(total.get(metric, 0), n * cost.get(kind, 1))",
        "costs of several categories add up; yours keeps the largest.",
    ),
    ("total.get(metric, 0) + ", "", "the last category alone counts in yours: add the costs up."),
    ("min(total, key=total.get)", "min(sorted(total), key=total.get)", "of equally cheap ones the first counts."),
]
REFUSED = [
    ("cost.get(kind, 1)", "cost[kind]", "KeyError"),
    ("min(total, key=total.get)", "min(total.values())", "The kind of the result is wrong"),
]
RIGHT = [
    """
def least_costly(missed, cost):
    best = None
    for metric in next(iter(missed.values())):
        euros = sum(missed[kind][metric] * cost.get(kind, 1) for kind in missed)
        if best is None or euros < best[0]:
            best = (euros, metric)
    return best[1]
""",
]


def cases(rng: Generator) -> list[tuple]:
    kinds, metrics = ("refused", "wrong value", "half an answer"), ("exact match", "token F1", "containment")
    drawn = []
    for _ in range(6):
        missed = {kind: {name: int(rng.integers(0, 9)) for name in metrics} for kind in kinds}
        drawn.append((missed, {"refused": float(rng.integers(1, 4)), "wrong value": float(rng.integers(10, 60))}))
    tie = {"refused": {"zeta": 2, "alpha": 1}, "wrong value": {"zeta": 1, "alpha": 3}}
    return [
        (
            {"refused": {"F1": 1, "ROUGE": 9}, "wrong value": {"F1": 5, "ROUGE": 2}},
            {"refused": 1.0, "wrong value": 50.0},
        ),
        (
            {"refused": {"F1": 9, "ROUGE": 1}, "wrong value": {"F1": 2, "ROUGE": 5}},
            {"refused": 1.0, "wrong value": 0.5},
        ),
        ({"refused": {"F1": 3, "ROUGE": 1}, "half an answer": {"F1": 0, "ROUGE": 4}}, {"refused": 1.0}),
        (
            {"refused": {"F1": 2, "ROUGE": 6}, "wrong value": {"F1": 3, "ROUGE": 0}},
            {"refused": 10.0, "wrong value": 9.0},
        ),
        (tie, {"refused": 2.0, "wrong value": 1.0}),
        *drawn,
    ]


EXERCISE = Exercise(
    reference=least_costly,
    minutes=2,
    difficulty=1,
    hints=(
        "What does a metric cost you that misses three failures of 1 euro and two of 50?",
        "For each metric, go through the categories and add up missed failures times the cost of one.",
        "Build a dict `total` from metric to euros with `cost.get(kind, 1)`; return `min(total, key=total.get)`.",
    ),
    proves="the metric with the smallest total cost is chosen, with costs that differ, equal ones and unstated ones",
)
