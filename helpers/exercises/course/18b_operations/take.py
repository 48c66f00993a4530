"""take: a token bucket. Bursts are allowed up to its size, and in the long run no more than its rate."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def take(level: float, elapsed: float, rate: float, capacity: float) -> tuple[float, float]:
    """One request at a token bucket: (level afterwards, seconds until it may come again; 0.0 if it is admitted).

    level: tokens in the bucket when it was last looked at, `elapsed` seconds ago. Since then, `rate` tokens per second
    have flowed in, but the bucket never holds more than `capacity`. A request takes one whole token or none.
    """
    level = min(capacity, level + rate * elapsed)
    if level >= 1:
        return level - 1, 0.0
    return level, (1 - level) / rate


ANSWER = """
def take(level, elapsed, rate, capacity):
    level = min(capacity, level + rate * elapsed)
    if level < 1:
        wait = (1 - level) / rate
        return level, wait
    return level - 1, 0.0
"""
SLIPS = [
    (
        "min(capacity, level + rate * elapsed)",
        "level + rate * elapsed",
        "after a long pause your bucket holds more than `capacity`: a night's silence would allow a flood.",
    ),
    ("level + rate * elapsed", "level", "nothing flows in: add rate · elapsed."),
    (
        "level + rate * elapsed",
        "level + int(rate * elapsed)",
        "parts of a token flow in, too: do not round what has flowed in.",
    ),
    (
        """
def take(level, elapsed, rate, capacity):
    level = min(capacity, level + rate * elapsed)
    if level < 1:
        return (1 - level) / rate, level
    return 0.0, level - 1
""",
        "the level comes first, the seconds second.",
    ),
    (
        """
def take(level, elapsed, rate, capacity):
    now = min(capacity, level + rate * elapsed)
    if now < 1:
        return level, (1 - now) / rate
    return now - 1, 0.0
""",
        "the level that you return is the one of now, with what has flowed in, also after a refusal.",
    ),
    (
        """
def take(level, elapsed, rate, capacity):
    now = min(capacity, level + rate * elapsed)
    if now < 1:
        return now, (1 - now) / rate
    return level - 1, 0.0
""",
        "take the one token from the level of now, which holds what has flowed in.",
    ),
    ("level + rate * elapsed", "level + elapsed / rate", "the rate is in tokens per second: multiply by it."),
    ("        return level, wait", "        return level - 1, wait", "a refused request takes nothing."),
    ("        return level, wait", "        return 0.0, wait", "a refused request leaves the level as it is."),
    (
        "wait = (1 - level) / rate",
        "wait = 1 / rate",
        "part of a token may be there already: only what is missing, 1 − level, has to flow in.",
    ),
    (
        "wait = (1 - level) / rate",
        "wait = (1 - level) * rate",
        "tokens divided by tokens per second are seconds.",
    ),
    ("if level < 1:", "if level <= 1:", "a level of exactly 1 is a whole token: admit the request."),
    ("if level < 1:", "if level <= 0:", "less than one token is not enough: requests take a whole one."),
    (
        "wait = (1 - level) / rate",
        "wait = max(1, (1 - level) / rate)",
        "return the seconds as they are, also below one: a fast bucket has its next token sooner.",
    ),
    (
        """
def take(level, elapsed, rate, capacity):
    level = level + rate * elapsed
    if level < 1:
        return level, (1 - level) / rate
    return min(capacity, level - 1), 0.0
""",
        "cap the level before the request takes its token: a full bucket holds capacity − 1 afterwards.",
    ),
]
REFUSED = [("return level - 1, 0.0", "return level - 1, True", "")]
RIGHT = [
    """
def take(level, elapsed, rate, capacity):
    now = level + elapsed * rate
    if now > capacity:
        now = capacity
    missing = max(0.0, 1 - now)
    return (now if missing else now - 1), missing / rate
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = []
    for _ in range(4):
        rate, capacity = float(rng.uniform(0.3, 5)), float(rng.integers(2, 9))
        drawn.append((float(rng.uniform(0, capacity)), float(rng.exponential(1)), rate, capacity))
    return [
        (5.0, 0.0, 2.0, 5.0),
        (0.0, 0.0, 2.0, 5.0),
        (0.25, 0.1, 2.0, 5.0),
        (0.5, 0.25, 2.0, 5.0),  # exactly one
        (0.0, 0.5, 2.0, 5.0),
        (3.0, 3600.0, 2.0, 5.0),  # after a long pause
        (0.75, 0.0, 0.5, 10.0),
        (4.5, 1.0, 2.0, 5.0),
        *drawn,
    ]


EXERCISE = Exercise(
    reference=take,
    minutes=5,
    difficulty=2,
    hints=(
        "How many tokens are in the bucket now? And how many could it hold at most?",
        "First the refill, then the request. If less than one token is there, how much is missing, and how long does "
        "that take to flow in?",
        "The level now is the smaller of `capacity` and level + rate · elapsed. With at least 1: one less, and 0.0. "
        "Otherwise the level stays, and the seconds are what is missing to 1, divided by the rate.",
    ),
    proves="the bucket fills at its rate up to its size, a refusal costs nothing, and the wait is what is missing",
)
