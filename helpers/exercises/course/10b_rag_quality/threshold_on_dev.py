"""threshold_on_dev: answer as many questions as a promised risk allows, by the confidences of dev questions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.metrics.selective import calibrate_threshold

ANSWER = """
def threshold_on_dev(confidences, correct, max_risk):
    kept = []
    for limit in confidences:
        given = [right for sure, right in zip(confidences, correct) if sure >= limit]
        if given.count(False) / len(given) <= max_risk:
            kept.append(limit)
    return min(kept, default=float("inf"))
"""
NONE_MAY_BE_GIVEN = ("if given.count", "if given and given.count")
ONE_BY_ONE = """
def threshold_on_dev(confidences, correct, max_risk):
    pairs = sorted(zip(confidences, correct), key=lambda pair: -pair[0])
    wrong, best = 0, float("inf")
    for n, (sure, right) in enumerate(pairs, start=1):
        wrong += not right
        if wrong / n <= max_risk:
            best = sure
    return best
"""
SLIPS = [
    (
        [
            ("in confidences:", "in sorted(confidences, reverse=True):"),
            ("kept.append(limit)", "kept.append(limit)\n        else:\n            break"),
        ],
        "you stop where the promise is first broken; a lower threshold may keep it again.",
    ),
    (
        [("sure >= limit", "sure > limit"), NONE_MAY_BE_GIVEN],
        "an answer whose confidence *is* the threshold is given: `>=`.",
    ),
    ("<= max_risk", "< max_risk", "a risk of exactly `max_risk` is allowed: `<=`."),
    ("min(kept", "max(kept", "the highest threshold answers the fewest questions; take the lowest."),
    ("len(given)", "len(correct)", "wrong ones are a share of the answers *given*, not of all questions."),
    ("count(False)", "count(True)", "you count right answers; risk is the share of wrong ones."),
    (
        [("count(False)", "count(True)"), ("<= max_risk", ">= max_risk")],
        "`max_risk` bounds the share that is wrong; you ask for a share of right ones.",
    ),
    ('float("inf")', "0.0", "where no threshold keeps the promise, 0 answers all: infinity."),
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
    ('float("inf")', "None", "It returns None for"),
]
RIGHT = [
    """
def threshold_on_dev(confidences, correct, max_risk):
    sure, wrong = np.array(confidences), ~np.array(correct)
    for limit in np.unique(sure):
        if wrong[sure >= limit].mean() <= max_risk:
            return limit
    return np.inf
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(n: int, decimals: int) -> tuple[list[float], list[bool]]:
        sure = rng.uniform(0.1, 1, size=n)
        right = rng.random(n) < sure
        return [round(float(x), decimals) for x in sure], right.tolist()

    return [
        ([0.9, 0.8, 0.7, 0.6], [True, True, False, True], 0.25),
        ([0.9, 0.8, 0.7, 0.6, 0.5], [True, False, True, True, False], 0.3),  # risk rises and falls again
        ([0.9, 0.8, 0.8, 0.7], [True, True, False, False], 0.25),  # equals are answered together
        ([0.4, 0.9, 0.2, 0.7], [False, True, True, True], 0.25),  # not in order
        ([0.9, 0.6], [False, False], 0.5),  # never answer
        ([0.9, 0.5, 0.3], [True, True, False], 1.0),
        ([0.9, 0.5, 0.3], [True, True, False], 0.0),
        ([-12.5, -3.25, -7.0], [False, True, True], 0.2),  # any scale
        (*drawn(30, 3), 0.23),
        (*drawn(40, 1), 0.31),  # many of equal confidence
        (*drawn(25, 3), 0.11),
    ]


def keeps_promise(result: float, confidences: Sequence[float], correct: Sequence[bool], max_risk: float) -> bool:
    given = [right for sure, right in zip(confidences, correct, strict=True) if sure >= result]
    return not given or given.count(False) / len(given) <= max_risk + 1e-9


EXERCISE = Exercise(
    reference=calibrate_threshold,
    minutes=5,
    difficulty=2,
    hints=(
        "Take one threshold, 0.8, say. Which answers are given, and what share of them is wrong?",
        "Try each confidence as the threshold: gather the verdicts of all answers that reach it and compute the "
        "share that is wrong. Keep the threshold if that is at most `max_risk`. The smallest of those kept is the "
        "answer.",
        "Inside a loop over the confidences: `given = [right for sure, right in zip(confidences, correct) if sure "
        ">= threshold]`; the share that is wrong is `given.count(False) / len(given)`. Do not leave the loop "
        "early, and mind that `min` of an empty list is an error: then it is infinity.",
    ),
    proves="the promise is kept, as many as possible are answered, equals go together, and never is a choice",
    properties=[Property("the promise is kept: of the answers given, at most `max_risk` are wrong", keeps_promise)],
)
