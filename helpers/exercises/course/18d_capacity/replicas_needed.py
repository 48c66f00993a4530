"""replicas_needed: an autoscaler's decision. Up at once, down only after a quiet while."""

from __future__ import annotations

import math

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def replicas_needed(replicas: int, under_way: list[int], target: int, most: int) -> int:
    """How many replicas there should be from now on.

    replicas: how many there are. under_way: requests in the whole system, waiting ones too, at each look of the last
    five minutes; the last one is now. target: requests that one replica should hold.
    Each look asks for the fewest replicas that hold at most `target` requests each, at least 1 and at most `most`.
    If now's look asks for more than there are, start them. If it asks for fewer, go down only as far as all looks of
    the five minutes allow.
    """
    asked = [min(most, max(1, math.ceil(n / target))) for n in under_way]
    return asked[-1] if asked[-1] >= replicas else min(replicas, max(asked))


ANSWER = """
def replicas_needed(replicas, under_way, target, most):
    wishes = []
    for n in under_way:
        wish = math.ceil(n / target)
        wishes.append(max(1, min(most, wish)))
    now = wishes[-1]
    if now >= replicas:
        return now
    quiet = max(wishes)
    return min(replicas, quiet)
"""
SLIPS = [
    (
        "math.ceil(n / target)",
        "n // target",
        "round up: at 9 requests and a target of 8, one replica holds too many.",
    ),
    ("math.ceil(n / target)", "round(n / target)", "round up, or a replica holds more than its target."),
    (
        "math.ceil(n / target)",
        "n // target + 1",
        "16 requests fill two replicas of 8: a third one is not needed.",
    ),
    (
        "math.ceil(n / target)",
        "math.ceil(n / replicas / target)",
        "`under_way` counts the whole system: divide it by the target alone.",
    ),
    (
        "    quiet = max(wishes)\n",
        "    quiet = now\n",
        "a short lull stops replicas that are needed a minute later: look at all five minutes before you go down.",
    ),
    (
        "    quiet = max(wishes)\n",
        "    quiet = min(wishes)\n",
        "the quietest look decides, though a busier one was there: the largest wish of the five minutes counts.",
    ),
    (
        "    if now >= replicas:\n        return now\n",
        "",
        "more is needed now, and you never start anything.",
    ),
    (
        "        return now\n",
        "        return max(wishes)\n",
        "going up, only now counts: a peak that is over needs no new replicas.",
    ),
    (
        "    return min(replicas, quiet)\n",
        "    return quiet\n",
        "now asks for fewer than there are, and an older look starts more: never go above `replicas` here.",
    ),
    (
        """
def replicas_needed(replicas, under_way, target, most):
    return max(max(1, min(most, math.ceil(n / target))) for n in under_way)
""",
        "the largest wish of the five minutes always counts, so a peak that is over still starts replicas: only now's "
        "look may start any.",
    ),
    (
        "        return now\n",
        "        return min(now, replicas + 1)\n",
        "it starts one replica at a time, and people wait for each of them: start all that are needed at once.",
    ),
    (
        "    return min(replicas, quiet)\n",
        "    return replicas\n",
        "it never goes down, so that a single peak is paid for the whole night.",
    ),
    (
        "    now = wishes[-1]\n",
        "    now = math.ceil(sum(wishes) / len(wishes))\n",
        "the mean of five minutes decides, which is late when the load grows: to start any, only now's look counts.",
    ),
    (
        """
def replicas_needed(replicas, under_way, target, most):
    return max(1, min(most, math.ceil(min(under_way) / target)))
""",
        "the quietest look decides, up and down: to start any, now's look counts, and to go down, the busiest one.",
    ),
    (
        """
def replicas_needed(replicas, under_way, target, most):
    return max(1, min(most, math.ceil(sum(under_way) / len(under_way) / target)))
""",
        "the mean of the looks decides, up and down: now's look starts replicas, and the busiest one keeps them.",
    ),
    ("max(1, min(most, wish))", "min(most, wish)", "with nobody there, no replica is left: keep at least one."),
    ("max(1, min(most, wish))", "max(1, wish)", "nothing stops it from starting more than `most`."),
]
REFUSED = [("return min(replicas, quiet)", "return None", "")]
RIGHT = [
    """
def replicas_needed(replicas, under_way, target, most):
    def asked(n):
        return min(max(-(-n // target), 1), most)

    if asked(under_way[-1]) > replicas:
        return asked(under_way[-1])
    return min(replicas, asked(max(under_way)))
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = []
    for _ in range(6):
        target = int(rng.integers(3, 12))
        looks = [int(n) for n in rng.integers(0, 9 * target, size=int(rng.integers(2, 9)))]
        drawn.append((int(rng.integers(1, 12)), looks, target, int(rng.integers(6, 12))))
    return [
        (1, [2, 4, 9], 8, 100),  # a second one
        (2, [16, 16, 16], 8, 100),  # exactly full
        (4, [33, 0, 17], 8, 100),  # falls, but was busy a moment ago
        (5, [12, 10, 9], 8, 100),  # quiet for the whole time
        (3, [60, 20], 8, 100),  # an older peak is no reason to start
        (3, [60, 30, 28], 8, 100),  # up, but not as far as the peak that is over
        (2, [0, 0, 0], 8, 100),
        (4, [500], 8, 10),
        (4, [40, 30, 12], 8, 100),
        *drawn,
    ]


EXERCISE = Exercise(
    reference=replicas_needed,
    minutes=6,
    difficulty=2,
    hints=(
        "How many replicas does each look ask for? Work that out first, for every look in the list.",
        "Compare what the last look asks for with what there is. More: start them at once. Fewer: which look of the "
        "five minutes asks for the most?",
        "Each look asks for its requests divided by the target, rounded up, within 1 and `most`. If the last one asks "
        "for more, that is the answer. Otherwise take the largest of them all, and no more than there are.",
    ),
    proves="it starts replicas at once, lets them go only after a quiet while, and stays between one and the most",
)
