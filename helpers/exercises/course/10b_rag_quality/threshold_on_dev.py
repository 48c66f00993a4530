"""threshold_on_dev: answer as many questions as a promised risk allows, where the risk's upper bound has to keep it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.metrics.selective import calibrate_threshold, risk_bound


def threshold_on_dev(confidences: Sequence[float], correct: Sequence[bool], max_risk: float) -> float:
    """The lowest threshold at which, by its upper bound, at most a share `max_risk` of the given answers is wrong.

    An answer is given if its confidence is the threshold or more, so equal confidences go together. Thresholds to try
    are the confidences of these dev questions. `risk_bound(wrong, given)` must be at most `max_risk`; of all thresholds
    where it is, the lowest answers most. Where it never is: infinity, `float("inf")`, never answer.
    """
    return calibrate_threshold(confidences, correct, max_risk, confidence=0.9)


ANSWER = """
def threshold_on_dev(confidences, correct, max_risk):
    kept = []
    for limit in confidences:
        given = [right for sure, right in zip(confidences, correct) if sure >= limit]
        if risk_bound(given.count(False), len(given)) <= max_risk:
            kept.append(limit)
    return min(kept, default=float("inf"))
"""
BOUND = "risk_bound(given.count(False), len(given))"
NONE_MAY_BE_GIVEN = ("if risk_bound", "if given and risk_bound")
ONE_BY_ONE = """
def threshold_on_dev(confidences, correct, max_risk):
    pairs = sorted(zip(confidences, correct), key=lambda pair: -pair[0])
    wrong, best = 0, float("inf")
    for n, (sure, right) in enumerate(pairs, start=1):
        wrong += not right
        if risk_bound(wrong, n) <= max_risk:
            best = sure
    return best
"""
SLIPS = [
    (
        BOUND,
        "given.count(False) / len(given)",
        "that is the share on these questions, not its upper bound: `risk_bound(wrong, given)`.",
    ),
    (
        BOUND,
        "risk_bound(given.count(False), len(correct))",
        "wrong ones are a share of the answers *given*, not of all questions.",
    ),
    (BOUND, "risk_bound(given.count(True), len(given))", "you count right answers; risk is the share of wrong ones."),
    (
        [
            ("in confidences:", "in sorted(confidences, reverse=True):"),
            ("kept.append(limit)", "kept.append(limit)\n        else:\n            break"),
        ],
        "you stop where the promise is first broken: a careful rule of its own (see “Learn then Test”). Asked for is "
        "the lowest threshold; with more answers the bound may keep the promise again.",
    ),
    (
        [
            ("in confidences:", "in sorted(confidences, reverse=True):"),
            ("kept.append(limit)", "kept.append(limit)\n        elif kept:\n            break"),
        ],
        "you stop where the promise is broken again; a lower threshold may keep it once more.",
    ),
    (
        [("sure >= limit", "sure > limit"), NONE_MAY_BE_GIVEN],
        "an answer whose confidence *is* the threshold is given: `>=`.",
    ),
    ("min(kept", "max(kept", "the highest threshold answers the fewest questions; take the lowest."),
    (
        'min(kept, default=float("inf"))',
        'kept[0] if kept else float("inf")',
        "this is the first threshold in the list that keeps the promise; asked for is the lowest of all that do.",
    ),
    ('float("inf")', "0.0", "where no threshold keeps the promise, 0 answers all: infinity."),
    ('float("inf")', "None", 'where no threshold keeps the promise, never answer: `float("inf")`.'),
    ('float("inf")', "1.0", "where none keeps the promise: infinity; a score may be above 1."),
    (
        [("in confidences:", "in [n / 100 for n in range(101)]:"), NONE_MAY_BE_GIVEN],
        "the thresholds to try are the confidences themselves.",
    ),
    (ONE_BY_ONE, "two answers of equal confidence are given together; you part them in the middle."),
    (
        ONE_BY_ONE.replace("sorted(zip(confidences, correct), key=lambda pair: -pair[0])", "zip(confidences, correct)"),
        "the answers do not come in order of confidence.",
    ),
]
REFUSED = [
    (', default=float("inf")', "", "It stops with an error"),
]
RIGHT = [
    """
def threshold_on_dev(confidences, correct, max_risk):
    sure, wrong = np.array(confidences), ~np.array(correct)
    for limit in np.unique(sure):
        given = sure >= limit
        if risk_bound(wrong[given].sum(), given.sum()) <= max_risk:
            return limit
    return np.inf
""",
]


def cases(rng: Generator) -> list[tuple]:
    def falling(marks: str) -> tuple[list[float], list[bool]]:
        """Confidences 0.99, 0.98 …, with a + for each right answer."""
        return [round(0.99 - n / 100, 2) for n in range(len(marks))], [mark == "+" for mark in marks]

    def drawn(n: int, decimals: int) -> tuple[list[float], list[bool]]:
        sure = rng.uniform(0.1, 1, size=n)
        right = rng.random(n) < 0.5 + sure / 2
        return [round(float(x), decimals) for x in sure], right.tolist()

    return [
        (*falling("+" * 12), 0.2),
        (*falling("+" * 6), 0.25),  # six right ones are not enough: never answer
        (*falling("+" * 20 + "-" + "+" * 4 + "-----"), 0.2),
        (*falling("-" + "+" * 30 + "---"), 0.2),  # broken at first, kept later
        (*falling("+" * 15 + "--" + "+" * 25 + "-" * 6), 0.15),  # kept, broken, kept again
        (*falling("+" * 20 + "-" * 10), 0.25),  # of all 30, four wrong ones would be few enough
        ([0.9] * 12 + [0.8] * 9, [True] * 15 + [False] * 6, 0.3),  # equals are answered together
        ([0.2, 0.9, 0.4, 0.7, 0.5, 0.8, 0.6, 0.3], [False, True, True, True, True, True, True, False], 0.4),  # no order
        ([-12.5, -3.25, -7.0, -1.5, -2.0, 14.5], [False, True, True, True, True, True], 0.5),  # any scale
        ([0.9, 0.6], [False, False], 0.5),
        (*drawn(60, 3), 0.27),
        (*drawn(80, 1), 0.31),  # many of equal confidence
        (*drawn(70, 3), 0.4),
    ]


def bound_holds(result: float, confidences: Sequence[float], correct: Sequence[bool], max_risk: float) -> bool:
    given = [right for sure, right in zip(confidences, correct, strict=True) if sure >= result]
    return not given or risk_bound(given.count(False), len(given)) <= max_risk + 1e-9


def untrusted(result: float, confidences: Sequence[float], correct: Sequence[bool], max_risk: float) -> str:
    given = [right for sure, right in zip(confidences, correct, strict=True) if sure >= result]
    wrong = given.count(False)
    return (
        f"{wrong} of {len(given)} are wrong; the bound is {risk_bound(wrong, len(given)):.2f}, not {max_risk:g} or less"
    )


EXERCISE = Exercise(
    reference=threshold_on_dev,
    minutes=6,
    difficulty=2,
    hints=(
        "Take one threshold, 0.8, say. Which answers are given, how many of them are wrong, and how large may the "
        "share of wrong ones still be?",
        "Try each confidence as the threshold: gather the verdicts of all answers that reach it, and ask `risk_bound` "
        "how many wrong ones of so many mean at worst. Keep the threshold if that is at most `max_risk`. The smallest "
        "of those kept is the answer.",
        "Inside a loop over the confidences: `given = [right for sure, right in zip(confidences, correct) if sure "
        ">= threshold]`; of these, `given.count(False)` are wrong. If you go down from the highest, do not stop where "
        "the promise is broken: a lower threshold may keep it again. And mind that `min` of an empty list is an error: "
        "then it is infinity.",
    ),
    proves="the bound keeps the promise, as many as possible are answered, equals go together, and never is a choice",
    properties=[
        Property(
            "the bound keeps the promise: `risk_bound` of the answers given is at most `max_risk`",
            bound_holds,
            evidence=untrusted,
        )
    ],
)
