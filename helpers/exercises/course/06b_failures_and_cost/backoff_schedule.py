"""backoff_schedule: how long a client waits between its tries, and when it gives up."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.hosted import backoff


def backoff_schedule(
    retry_after: list[float | None],
    draws: list[float],
    base: float = 0.5,
    cap: float = 8.0,
    deadline: float = 60.0,
) -> list[float]:
    """The waits, in seconds, of a request that fails again and again: one after each failure, until it is given up.

    Failure number n (n = 0, 1, 2, …) is followed by a wait of two parts, added up: the seconds that the server asked
    for, retry_after[n] (None: it asked for nothing), and a random part, draws[n] · ceiling. The ceiling is `base` at
    first, doubles with each failure, and never exceeds `cap`. draws: random numbers from 0 to 1, drawn already.

    All waits together take at most `deadline` seconds. The first wait that would exceed it is not begun: the list ends
    before it, also if later waits would be short enough.
    """
    return backoff.backoff_schedule(retry_after, draws, base, cap, deadline)


ANSWER = """
def backoff_schedule(retry_after, draws, base=0.5, cap=8.0, deadline=60.0):
    waits = []
    for n, (asked, draw) in enumerate(zip(retry_after, draws)):
        ceiling = min(cap, base * 2**n)
        wait = (asked or 0.0) + draw * ceiling
        if sum(waits) + wait > deadline:
            break
        waits.append(wait)
    return waits
"""
STOP = "        if sum(waits) + wait > deadline:\n            break\n"
TOO_EARLY = (
    "`cap` bounds the random part only: a client that comes back earlier than the server asked is refused again."
)
SLIPS = [
    ("base * 2**n", "base * 2 ** (n + 1)", "the ceiling after the first failure, n = 0, is `base` itself."),
    ("base * 2**n", "base * (n + 1)", "the ceiling doubles with each failure: base, 2 · base, 4 · base …"),
    ("base * 2**n", "base**n", "the ceiling is `base` times a power of 2, not a power of `base`."),
    ("min(cap, base * 2**n)", "base * 2**n", "the ceiling must not exceed `cap`: after ten failures it is 512 · base."),
    ("min(cap, base * 2**n)", "max(cap, base * 2**n)", "the smaller of the two is the ceiling: `min`."),
    (
        "wait = (asked or 0.0) + draw * ceiling",
        "wait = min(cap, (asked or 0.0) + draw * ceiling)",
        TOO_EARLY,
    ),
    (
        [
            ("min(cap, base * 2**n)", "base * 2**n"),
            ("wait = (asked or 0.0) + draw * ceiling", "wait = min(cap, (asked or 0.0) + draw * ceiling)"),
        ],
        TOO_EARLY,
    ),
    (
        [("min(cap, base * 2**n)", "base * 2**n"), ("waits.append(wait)", "waits.append(min(cap, wait))")],
        TOO_EARLY,
    ),
    ("waits.append(wait)", "waits.append(min(cap, wait))", TOO_EARLY),
    (
        "draw * ceiling",
        "__import__('random').uniform(0, ceiling)",
        "the random numbers are drawn already: use those in `draws`, so that your waits can be checked.",
    ),
    (
        "draw * ceiling",
        "__import__('random').random() * ceiling",
        "the random numbers are drawn already: use those in `draws`, so that your waits can be checked.",
    ),
    (
        "        ceiling = min(cap",
        "        if n == 0:\n            continue\n        ceiling = min(cap",
        "the first failure, number 0, is followed by a wait as well.",
    ),
    (
        [
            ("        ceiling = min(cap, base * 2**n)\n", ""),
            ("wait = (asked or 0.0) + draw * ceiling", "wait = (asked or 0.0) + min(cap, draw * base * 2**n)"),
        ],
        "bound the ceiling first and multiply by the draw then. In this order, most late waits are exactly `cap`, and "
        "clients that failed together return together.",
    ),
    (
        "(asked or 0.0) + draw * ceiling",
        "max(asked or 0.0, draw * ceiling)",
        "the two parts are added: with the larger of them, all clients that were told 30 seconds return together.",
    ),
    (
        "(asked or 0.0) + draw * ceiling",
        "asked if asked is not None else draw * ceiling",
        "the random part is missing where the server asked for a time: all clients that were told the same return "
        "together.",
    ),
    (
        "(asked or 0.0) + draw * ceiling",
        "asked or draw * ceiling",
        "the random part is missing where the server asked for a time: all clients that were told the same return "
        "together.",
    ),
    ("(asked or 0.0) + draw * ceiling", "draw * ceiling", "what the server asked for (Retry-After) is ignored."),
    ("(asked or 0.0)", "asked", "the server may have asked for nothing: None cannot be added, take 0 seconds."),
    ("draw * ceiling", "ceiling", "nothing is random: all clients that failed together return together."),
    (
        "draw * ceiling",
        "ceiling * (0.5 + draw / 2)",
        "the whole ceiling is drawn, from 0 on, not only its upper half: draw · ceiling.",
    ),
    (
        "draw * ceiling",
        "draw + ceiling",
        "the draw is a share of the ceiling: multiply.",
    ),
    (STOP, "", "the deadline is ignored."),
    (
        "sum(waits) + wait > deadline",
        "wait > deadline",
        "the deadline holds for all waits together: add up those before.",
    ),
    (
        "sum(waits) + wait > deadline",
        "sum(waits) > deadline",
        "the wait that exceeds the deadline is begun all the same: count it before you add it to the list.",
    ),
    ("sum(waits) + wait > deadline", "sum(waits) + wait >= deadline", "exactly the deadline is allowed."),
    (
        "            break\n",
        "            continue\n",
        "the list ends before the first wait that is too long; no later one is taken in its place.",
    ),
    (
        "            break\n",
        "            waits.append(deadline - sum(waits))\n            break\n",
        "a wait is not shortened to fit: the server would refuse again, and the last moment is lost.",
    ),
    ("return waits", "return sum(waits)", "return the list of the waits, not their sum."),
]
REFUSED = [("draw * ceiling", "draw", "First difference at [1]")]
RIGHT = [
    """
def backoff_schedule(retry_after, draws, base=0.5, cap=8.0, deadline=60.0):
    result, left, ceiling = [], deadline, min(base, cap)
    for number in range(len(draws)):
        seconds = ceiling * draws[number]
        if retry_after[number] is not None:
            seconds += retry_after[number]
        if seconds > left:
            return result
        result.append(seconds)
        left -= seconds
        ceiling = min(2 * ceiling, cap)
    return result
""",
]


def _reached(waits: list[float], asked: list[float | None]) -> bool:
    return all(wait >= (seconds or 0) for wait, seconds in zip(waits, asked, strict=False))


PROPERTIES = [
    Property(
        "no wait is shorter than the server asked for",
        lambda waits, retry_after, *_: not isinstance(waits, list) or _reached(waits, retry_after),
    ),
]


def cases(rng: Generator) -> list[tuple]:
    def draws(n: int) -> list[float]:
        return [round(float(draw), 3) for draw in rng.uniform(0.1, 0.9, size=n)]

    nothing = [None] * 8
    return [
        ([None], [0.5]),
        (nothing[:4], draws(4)),
        (nothing, draws(8)),  # beyond the cap
        (nothing[:6], draws(6), 2.0, 10.0),
        ([None, 3.0, None], draws(3)),
        ([20.0, None, 1.5], draws(3)),  # beyond the cap
        ([0.0, None], draws(2)),
        ([None, None, None, 0.25], draws(4)),  # less than the random part
        (nothing[:5], [0.5] * 5, 1.0, 64.0, 7.5),  # exactly the deadline: 0.5, 1, 2, 4
        (nothing[:5], [0.5] * 5, 1.0, 64.0, 7.25),
        ([None, 100.0, None, None], draws(4)),  # the second wait is too long, later ones are not
        ([45.0, 40.0], draws(2)),
        ([90.0], [0.2]),
        ([], []),
    ]


EXERCISE = Exercise(
    reference=backoff_schedule,
    minutes=7,
    difficulty=2,
    properties=PROPERTIES,
    hints=(
        "Write down the ceilings of the first six failures with base 0.5 and cap 8. Which of them are random?",
        "Per failure: first the ceiling, then the wait as the sum of two parts, then the question whether there is "
        "still time for it. Only then does it go into the list.",
        "The ceiling is the smaller of `cap` and `base` times 2 to the power of n, with n from 0. None asks for 0 "
        "seconds. Leave the loop as soon as the sum so far and the new wait together are above the deadline.",
    ),
    proves="waits are spread from 0 to a doubling ceiling, never earlier than the server allows, and end in time",
)
