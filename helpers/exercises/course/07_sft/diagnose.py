"""diagnose: what went wrong in a training, told from its losses and from what the model writes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def diagnose(losses: Sequence[float], objects: float, ended: float, blind: float) -> str:
    """The fault of a training: one of the names in the table, or "nothing found".

    losses: one per step, nats per label, perhaps NaN; objects, ended: shares of replies that hold a JSON object, and
    that end by themselves; blind: the loss of a model that finds every token equally likely.
    """
    start, end = losses[0], mean(losses[-10:])
    if start > blind:
        return "labels shifted twice"
    if not end < start:  # NaN is not below anything
        return "learning rate too high"
    if objects < 0.5:
        return "first token not trained"
    if ended < 0.5:
        return "end not trained"
    return "nothing found"


ANSWER = """
def diagnose(losses, objects, ended, blind):
    if losses[0] > blind:
        return "labels shifted twice"
    if not losses[-1] < losses[0]:
        return "learning rate too high"
    if objects < 0.5:
        return "first token not trained"
    if ended < 0.5:
        return "end not trained"
    return "nothing found"
"""
TWICE = """    if losses[0] > blind:
        return "labels shifted twice"
"""
HIGH = """    if not losses[-1] < losses[0]:
        return "learning rate too high"
"""
LATE = """    if objects < 0.5:
        return "first token not trained"
"""
END = """    if ended < 0.5:
        return "end not trained"
"""
FIRST = "a training that starts worse than a blind guess has its labels in the wrong place, whatever comes later."
NOT_A_NUMBER = "a comparison with NaN is always False, so a loss that became NaN passes as a falling one."
UNREADABLE = "where no reply holds an object, the first token is the fault, even if replies do not end either."
SLIPS = [
    ("not losses[-1] < losses[0]", "losses[-1] > losses[0]", NOT_A_NUMBER),
    ("not losses[-1] < losses[0]", "losses[-1] >= losses[0]", NOT_A_NUMBER),
    (TWICE, "", FIRST),
    ([(TWICE, ""), (END, END + TWICE)], FIRST),
    ([(TWICE, ""), (HIGH, HIGH + TWICE)], FIRST),
    (
        "losses[0] > blind",
        "max(losses) > blind",
        "only the *first* loss tells where the labels are: losses[0].",
    ),
    ("losses[0] > blind", "losses[-1] > blind", "the loss falls later all the same: look at the first one."),
    (HIGH, "", "a loss that ends above where it began, or as NaN, is not noticed."),
    (
        [(HIGH, ""), (END, END + HIGH)],
        "look at the losses before the replies: a destroyed model writes nothing.",
    ),
    (LATE, "", "replies without a JSON object are not noticed."),
    (END, "", "replies that never end are not noticed."),
    ([(LATE, ""), (END, END + LATE)], UNREADABLE),
    ("objects < 0.5", "objects > 0.5", "`objects` is the share of replies that *hold* an object."),
    ("ended < 0.5", "ended > 0.5", "`ended` is the share of replies that *do* end."),
    ("objects < 0.5", "objects == 0", "one lucky object in twenty replies is still this fault: compare with a share."),
    ("ended < 0.5", "ended == 0", "one reply in twenty that ends is still this fault: compare with a share."),
    (
        "objects < 0.5",
        "objects < 1",
        "a few replies without an object are no fault: compare with a share.",
    ),
    ("ended < 0.5", "ended < 1", "a few long replies are no fault: compare with a share."),
]
REFUSED = [('return "nothing found"', "return None", "It returns None")]
RIGHT = [
    """
def diagnose(losses, objects, ended, blind):
    start, end = losses[0], mean(losses[-5:])
    if start > blind:
        return "labels shifted twice"
    elif math.isnan(end) or end > start:
        return "learning rate too high"
    elif objects < 0.3:
        return "first token not trained"
    elif ended < 0.3:
        return "end not trained"
    else:
        return "nothing found"
""",
]


def cases(rng: Generator) -> list[tuple]:
    def falling(start: float, end: float, n: int = 40) -> list[float]:
        noise = rng.uniform(0.9, 1.1, size=n)
        return [start, *(round(float((end + (start - end) * 0.8**k) * noise[k]), 3) for k in range(1, n))]

    def rising(start: float, end: float, n: int = 40) -> list[float]:
        return [round(start + (end - start) * k / (n - 1), 3) for k in range(n)]

    blind = math.log(49_152)
    return [
        (falling(1.9, 0.1), 1.0, 1.0, blind),
        (falling(1.9, 0.1), 0.93, 0.94, blind),
        (falling(13.4, 0.2), 0.0, 0.0, blind),
        (falling(12.1, 0.2), 1.0, 1.0, blind),
        (falling(1.5, 0.1), 0.0, 0.96, blind),
        (falling(1.5, 0.1), 0.05, 0.04, blind),
        (falling(1.5, 0.1), 0.05, 0.95, blind),
        (falling(1.8, 0.1), 1.0, 0.0, blind),
        (falling(1.8, 0.1), 0.95, 0.05, blind),
        (rising(1.9, 6.5), 0.0, 0.0, blind),
        (rising(1.9, 12.5), 0.0, 0.0, blind),  # above a blind guess later, not at first
        ([1.9, 2.6, 4.0, *[math.nan] * 12], 0.0, 0.0, blind),
        (rising(1.9, 6.5), 1.0, 1.0, blind),
        ([13.1, *rising(12.0, 14.0)], 0.0, 0.0, blind),
        (falling(6.5, 0.3), 1.0, 1.0, math.log(400)),  # another vocabulary, another blind guess
        (falling(5.5, 0.3), 1.0, 0.0, math.log(400)),
    ]


EXERCISE = Exercise(
    minutes=5,
    difficulty=2,
    reference=diagnose,
    hints=(
        "Which of the faults shows in the losses alone, and in which of the losses?",
        "Four questions, in this order: is the first loss above a blind guess? Is the last loss not below the first? "
        "Do few replies hold an object? Do few replies end?",
        "Return the name of the first fault that fits. A share is few if it is well below one half. Mind NaN: every "
        "comparison with it is False, so ask `not last < first` instead of `last >= first`.",
    ),
    proves="each fault is recognized by its symptom, in an order that no other symptom hides, NaN included",
)
