"""mean_seconds: a gauge of requests under way tells how long they take, by Little's law. Also when it reads 0."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def mean_seconds(looks: list[int], per_second: float) -> float:
    """Seconds from arrival to the end of the reply, on average, by Little's law.

    looks: requests under way, waiting or running, at evenly spaced moments. per_second: requests that arrive per
    second, and end, since none is lost.
    """
    return sum(looks) / len(looks) / per_second


ANSWER = """
def mean_seconds(looks, per_second):
    under_way = sum(looks) / len(looks)
    return under_way / per_second
"""
SLIPS = [
    (
        """
def mean_seconds(looks, per_second):
    busy = [look for look in looks if look > 0]
    under_way = sum(busy) / len(busy)
    return under_way / per_second
""",
        "the looks at which nobody was there are left out, so that a quiet night looks slow: they belong to the mean.",
    ),
    (
        "under_way / per_second",
        "under_way * per_second",
        "under way = per second · seconds, so divide by the rate to get the seconds.",
    ),
    ("under_way / per_second", "per_second / under_way", "the fraction is upside down: seconds = under way / rate."),
    ("sum(looks) / len(looks)", "sum(looks)", "the law speaks of the mean number under way: divide by the looks."),
    ("sum(looks) / len(looks)", "max(looks)", "the law speaks of the mean number under way, not of the largest."),
    (
        "sum(looks) / len(looks)",
        "sorted(looks)[len(looks) // 2]",
        "the law holds for the mean number under way, not for the median.",
    ),
    (
        "under_way / per_second",
        "under_way",
        "this is how many are under way; divided by the arrivals per second it becomes seconds.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [("return under_way / per_second", "return None", "")]
RIGHT = [
    """
def mean_seconds(looks, per_second):
    total = 0
    for look in looks:
        total += look / per_second
    return total / len(looks)
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = []
    for _ in range(5):
        looks = [int(n) for n in rng.poisson(rng.uniform(0.3, 8), size=int(rng.integers(20, 60)))]
        drawn.append(([*looks, 0, 2], float(rng.uniform(0.1, 4))))
    return [([0, 0, 2, 0], 0.25), ([12, 14, 13, 17], 2.0), ([0, 5, 1], 0.5), *drawn]


EXERCISE = Exercise(
    reference=mean_seconds,
    minutes=2,
    difficulty=1,
    hints=(
        "At night, most looks find nobody. What does the function do with those?",
        "Little's law speaks of the mean number under way over the whole time. Which looks does that mean belong to?",
        "Take the mean of all looks, including those at which nobody was there (a 0 counts like any other number), and "
        "divide it by the arrivals per second.",
    ),
    proves="every look counts, the empty ones too, and the mean number under way over the rate gives seconds",
)
