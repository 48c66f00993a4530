"""first_failures: repair first what lifts the mean over all questions most, and only what is no luck."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.stats import paired_bootstrap


def first_failures(kind: Sequence[str], now: Sequence[float], repaired: Sequence[float]) -> list[str]:
    """Which kinds of questions to repair, first the one whose repair lifts the mean over all questions most.

    kind, now, repaired: each question's kind, its score today, and with the repair (say, the right passage given)
    Only kinds whose gain may be trusted: paired_bootstrap(repaired, now).low of that kind's questions is above 0.
    Of equal gains, the kind that is met first comes first.
    """
    gains = {}
    for name in dict.fromkeys(kind):
        own = [i for i, other in enumerate(kind) if other == name]
        before, after = ([scores[i] for i in own] for scores in (now, repaired))
        if paired_bootstrap(after, before).low > 0:
            gains[name] = sum(after) - sum(before)  # the mean over all questions: divided by the same number each time
    return sorted(gains, key=lambda name: -gains[name])


ANSWER = """
def first_failures(kind, now, repaired):
    gains = {}
    for name in dict.fromkeys(kind):
        before = [score for own, score in zip(kind, now) if own == name]
        after = [score for own, score in zip(kind, repaired) if own == name]
        if paired_bootstrap(after, before).low > 0:
            gains[name] = sum(after) - sum(before)
    return sorted(gains, key=gains.get, reverse=True)
"""
GAIN = "sum(after) - sum(before)"
TRUSTED = "paired_bootstrap(after, before).low > 0"
SORTED = "sorted(gains, key=gains.get, reverse=True)"
SLIPS = [
    (
        GAIN,
        "(sum(after) - sum(before)) / len(after)",
        "a large mean gain over few questions lifts the whole little: sum the gains up.",
    ),
    (
        GAIN,
        "paired_bootstrap(after, before).low",
        "the interval says whether a gain may be trusted, not which comes first.",
    ),
    (
        [(TRUSTED, "True"), (GAIN, "(sum(after) - sum(before)) / len(after)")],
        "no gain is tested, and means are compared where sums decide.",
    ),
    (TRUSTED, "True", "a gain that may be luck, or a loss, is not left out."),
    (".low", ".difference", "a gain above 0 may be luck: its interval's `low` decides."),
    (".low", ".high", "`high` above 0 holds for nearly every gain: `low` decides."),
    ("> 0", ">= 0", "`low` has to be above 0, not 0."),
    ("(after, before)", "(repaired, now)", "each kind is tested by its own questions, not by all."),
    ("(after, before)", "(before, after)", "`paired_bootstrap(a, b)` is of a − b: repaired comes first."),
    (GAIN, "sum(score < 1 for score in before)", "failures that the repair does not mend gain nothing."),
    (GAIN, "-sum(before) / len(before)", "the worst kind is not the one whose repair gains most."),
    (GAIN, "sum(1 - score for score in before)", "what is wrong today is not what the repair mends."),
    (GAIN, "sum(after)", "what counts is the gain, not the score afterwards."),
    (GAIN, "len(before)", "the most frequent kind is not the one that gains most."),
    (SORTED, "list(gains)", "the kinds are not sorted."),
    (
        GAIN,
        "sum(max(0, a - b) for a, b in zip(after, before))",
        "questions that the repair harms count, too.",
    ),
    (", reverse=True", "", "the smallest gain comes first."),
    (SORTED, "sorted(gains.items(), key=lambda pair: -pair[1])", "give the kinds alone, in order."),
    (SORTED, "sorted(gains.values(), reverse=True)", "give the kinds, not their gains."),
]
RIGHT = [
    [(GAIN, "sum(before) - sum(after)"), (", reverse=True", "")],
    """
def first_failures(kind, now, repaired):
    kinds, now, repaired = np.array(kind), np.array(now), np.array(repaired)
    found = []
    for name in dict.fromkeys(kind):
        own = kinds == name
        if paired_bootstrap(repaired[own], now[own]).low > 0:
            found.append((-(repaired - now)[own].sum() / len(kind), name))
    return [name for _, name in sorted(found, key=lambda pair: pair[0])]
""",
]


def cases(rng: Generator) -> list[tuple]:
    def case(**kinds: tuple[list[float], list[float]]) -> tuple:
        """Of each kind the scores now and the gains, in eighths, whose sums are exact in any order."""
        names = [name for name, (now, _) in kinds.items() for _ in now]
        now = [score for scores, _ in kinds.values() for score in scores]
        gains = [gain for _, found in kinds.values() for gain in found]
        return names, now, [score + gain for score, gain in zip(now, gains, strict=True)]

    def shuffled(names: list[str], now: list[float], repaired: list[float]) -> tuple:
        order = rng.permutation(len(names))
        return tuple([column[i] for i in order] for column in (names, now, repaired))

    mixed = case(
        paraphrase=([0.5, 0.25, 0.75, 0.0, 0.5], [0.25, 0.5, 0.25, 0.5, 0.0]),
        number=([0.0] * 6, [1.0, 0.5, 1.0, 0.0, 1.0, 0.75]),
        negation=([0.5] * 4, [0.25, -0.25, 0.0, 0.125]),
    )
    return [
        case(paraphrase=([0.25] * 7, [0.25] * 7), number=([0.0] * 3, [0.5] * 3)),  # many small gains outweigh a few
        case(number=([0.0] * 6, [0.25] * 6), negation=([0.25] * 4, [0.75] * 4)),  # the worst kind gains less
        case(number=([0.875] * 6, [0.125] * 6), negation=([0.0] * 3, [0.5] * 3)),  # more failures, smaller ones
        case(number=([1.0] * 3 + [0.5] * 5, [0.0] * 3 + [0.25] * 5), negation=([0.5] * 6, [0.25] * 6)),
        case(number=([0.5] * 6, [0.375] * 6), negation=([0.0] * 6, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0])),
        case(
            number=([0.0] * 6, [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]), negation=([0.5] * 3, [0.25] * 3)
        ),  # one lucky question
        case(number=([0.5] * 5, [0.5, -0.5, 0.25, -0.5, 0.0]), negation=([0.5] * 4, [0.25] * 4)),  # it may harm
        case(number=([0.5] * 10, [0.5] * 7 + [-0.25] * 3), negation=([0.25] * 12, [0.25] * 12)),  # gains and losses
        case(number=([0.75] * 4, [0.25] * 4), negation=([0.0] * 4, [0.25] * 4), term=([0.5] * 4, [0.25] * 4)),  # equal
        case(number=([0.5] * 3, [0.0, -0.25, 0.0]), negation=([1.0] * 2, [0.0] * 2)),  # nothing to gain
        shuffled(*mixed),
    ]


EXERCISE = Exercise(
    reference=first_failures,
    minutes=5,
    difficulty=3,
    hints=(
        "Three hopeless questions of one kind, or thirty of another that are a little wrong: which repair lifts "
        "the mean more?",
        "For each kind, gather its questions' scores now and repaired. Ask `paired_bootstrap` whether the gain may "
        "be trusted. What it adds to the mean over *all* questions grows with the sum of its gains, not with their "
        "mean.",
        "`dict.fromkeys(kind)` gives each kind once, in the order met. For one of them, pick both scores by a "
        "comprehension over `zip(kind, now, repaired)`. Keep it if `paired_bootstrap(after, before).low > 0`, with "
        "the sum of the differences as its key; at the end, sort by that, largest first.",
    ),
    proves="the sum of a kind's gains decides, what may be luck is left out, and so is what a repair harms",
)
