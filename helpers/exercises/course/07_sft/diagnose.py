"""diagnose: what went wrong in a training, told from its losses and from what the model writes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import mean
from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property


def diagnose(losses: Sequence[float], objects: float, ended: float, blind: float) -> str:
    """The fault of a training: one of the names in the table, or "nothing found".

    losses: one per step, nats per label, perhaps NaN; they rise for some steps while the rate warms up. objects, ended:
    shares of replies that hold a JSON object, and that end by themselves; less than half is a fault. blind: the loss of
    a model that finds every token equally likely.
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
NAMES = (
    "labels shifted twice",
    "learning rate too high",
    "first token not trained",
    "end not trained",
    "nothing found",
)
SPELLED = "the answer is none of the names in the table; write the name letter by letter."
NOT_TWICE = "a first loss below `blind` is no double shift, even where it is high: compare with `blind` itself."
HUMP = "a sound training may rise for some steps while its rate warms up: compare the end with the beginning."
DESTROYED = "look at the losses before the replies: a destroyed model writes nothing."
NO_OBJECT = "replies without a JSON object are not noticed."
NO_END = "replies that never end are not noticed."
FEW = "fewer than half of the replies hold an object; this explains replies that do not end, too."
UNREADABLE = "where no reply holds an object, the first token is the fault, even if replies do not end either."
SLIPS = [
    ("not losses[-1] < losses[0]", "losses[-1] > losses[0]", NOT_A_NUMBER),
    ("not losses[-1] < losses[0]", "losses[-1] >= losses[0]", NOT_A_NUMBER),
    ("not losses[-1] < losses[0]", "math.isnan(losses[-1]) or max(losses) > losses[0]", HUMP),
    ("not losses[-1] < losses[0]", "any(map(math.isnan, losses)) or max(losses) > losses[0]", HUMP),
    ("not losses[-1] < losses[0]", "not losses[1] < losses[0]", HUMP),
    ("losses[0] > blind", "losses[0] > 0.5 * blind", NOT_TWICE),
    ('"labels shifted twice"', '"label shifted twice"', SPELLED),
    ('"end not trained"', '"stop not trained"', SPELLED),
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
        DESTROYED,
    ),
    ([(TWICE, ""), (HIGH, ""), (END, END + TWICE + HIGH)], FIRST),  # the replies first, then the losses
    ([(TWICE, ""), (HIGH, ""), (LATE, END + LATE + TWICE + HIGH), (END, "")], FIRST),
    (LATE, "", NO_OBJECT),
    (END, "", NO_END),
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
REFUSED = [
    ('return "nothing found"', "return None", "It returns None"),
    ([("objects < 0.5", "objects == 0"), ("ended < 0.5", "ended == 0")], "Suspected cause: " + FEW),
    ([("losses[0] > blind", "max(losses) > blind"), (END, "")], "Suspected cause: "),
    ([("not losses[-1]", "not min(losses)"), ("objects < 0.5", "objects == 0")], "Suspected cause: "),
]
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
    def falling(start: float, end: float, n: int = 15) -> list[float]:
        noise = rng.uniform(0.9, 1.1, size=n)
        return [start, *(round(float((end + (start - end) * 0.5**k) * noise[k]), 3) for k in range(1, n))]

    def warmed(start: float, end: float) -> list[float]:
        """Falling, with the rise of the first steps that a real training shows."""
        return [start, *(round(start * float(rng.uniform(1.05, 1.25)), 3) for _ in range(3)), *falling(start, end)]

    def rising(start: float, end: float, n: int = 15) -> list[float]:
        return [round(start + (end - start) * k / (n - 1), 3) for k in range(n)]

    blind = math.log(49_152)
    return [
        (falling(1.9, 0.1), 1.0, 1.0, blind),
        (falling(1.9, 0.1), 0.93, 0.94, blind),
        (warmed(1.8, 0.1), 1.0, 1.0, blind),
        (warmed(1.9, 0.2), 0.95, 1.0, blind),
        (warmed(1.5, 0.1), 0.0, 0.96, blind),
        (warmed(1.8, 0.1), 1.0, 0.0, blind),
        (warmed(0.95 * blind, 0.2), 1.0, 1.0, blind),  # above a blind guess on the way, not at first
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


def named(fault: str, cause: str, holds: Callable[..., bool], text: str) -> Property:
    """The property that results name `fault` for the inputs where `holds(start, end, objects, ended, blind)`."""

    def right(result: Any, losses: Sequence[float], objects: float, ended: float, blind: float) -> bool:
        if not isinstance(result, str) or not holds(losses[0], mean(losses[-10:]), objects, ended, blind):
            return True  # told elsewhere
        return result == fault

    return Property(text, right, cause)


def falls(start: float, end: float, blind: float) -> bool:
    return start <= blind and end < start


PROPERTIES = [
    Property(
        "the answer is one of the five names in the table",
        lambda result, *case: not isinstance(result, str) or result in NAMES,
        SPELLED,
    ),
    Property(
        "a first loss below `blind` does not have the name of the double shift",
        lambda result, losses, objects, ended, blind: not (result == "labels shifted twice" and losses[0] <= blind),
        NOT_TWICE,
    ),
    named(
        "labels shifted twice",
        FIRST,
        lambda start, end, objects, ended, blind: start > blind,
        "a first loss above `blind` is asked for before anything else",
    ),
    Property(
        "a loss that ends below its beginning is no learning rate too high, though it rose on the way",
        lambda result, losses, *rest: not (result == "learning rate too high" and mean(losses[-10:]) < losses[0]),
        HUMP,
    ),
    named(
        "learning rate too high",
        "a loss that became NaN, or ended above its beginning, passes or gets the name of what it caused; "
        "every comparison with NaN is False.",
        lambda start, end, objects, ended, blind: start <= blind and not end < start,
        "a loss that does not end below its beginning has the name of the rate",
    ),
    named(
        "first token not trained",
        FEW,
        lambda start, end, objects, ended, blind: falls(start, end, blind) and objects < 0.5,
        "where the loss fell and objects are few, the first token is the fault",
    ),
    named(
        "end not trained",
        "fewer than half of the replies end, though they hold objects.",
        lambda start, end, objects, ended, blind: falls(start, end, blind) and objects >= 0.5 > ended,
        "where the loss fell, objects are there and ends are few, the end is the fault",
    ),
    named(
        "nothing found",
        "half of the replies or more hold an object, and half or more end: no fault.",
        lambda start, end, objects, ended, blind: falls(start, end, blind) and min(objects, ended) >= 0.5,
        "a training whose loss fell, with replies that mostly hold an object and end, is sound",
    ),
]

EXERCISE = Exercise(
    minutes=7,
    difficulty=2,
    reference=diagnose,
    hints=(
        "Which of the faults shows in the losses alone, and in which of the losses?",
        "Four questions, in this order: is the first loss above a blind guess? Is the last loss not below the first? "
        "Do few replies hold an object? Do few replies end?",
        "Return the name of the first fault that fits. A share is few if it is below one half. Mind NaN: every "
        "comparison with it is False, so ask `not last < first` instead of `last >= first`.",
    ),
    proves="each fault is recognized by its symptom, in an order that no other symptom hides, NaN and warm-up included",
    properties=PROPERTIES,
)
