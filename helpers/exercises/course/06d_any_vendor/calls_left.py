"""calls_left: how many calls may go out now, by the two limits that a service tells in its headers."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def calls_left(headers: dict[str, str], tokens: int) -> int:
    """How many calls of at most `tokens` tokens each may go out now, by the headers of the last reply.

    headers: "x-ratelimit-remaining-requests" and "x-ratelimit-remaining-tokens", texts such as "59". Both limits hold,
    and a call that fits only in part must not go out.
    """
    requests = int(headers["x-ratelimit-remaining-requests"])
    left = int(headers["x-ratelimit-remaining-tokens"])
    return min(requests, left // tokens)


ANSWER = """
def calls_left(headers, tokens):
    requests = int(headers["x-ratelimit-remaining-requests"])
    left = int(headers["x-ratelimit-remaining-tokens"])
    return min(requests, left // tokens)
"""
SLIPS = [
    (
        "left // tokens",
        "left",
        "calls are compared with tokens: first ask how many calls of `tokens` tokens the tokens that are left allow.",
    ),
    ("left // tokens", "left / tokens", "a call that fits only in part must not go out: divide with `//`."),
    ("left // tokens", "round(left / tokens)", "a call that fits only in part must not go out: divide with `//`."),
    ("left // tokens", "-(-left // tokens)", "a call that fits only in part must not go out: divide with `//`."),
    ("min(", "max(", "both limits hold at the same time, so the smaller one decides."),
    ("min(requests, left // tokens)", "requests", "the limit on tokens holds as well."),
    ("min(requests, left // tokens)", "left // tokens", "the limit on requests holds as well."),
]
PLANTED = SLIPS[0]
REFUSED = [("return min(", "return 1 + min(", "is wrong")]
RIGHT = [
    """
def calls_left(headers, tokens):
    calls, left = 0, float(headers["x-ratelimit-remaining-tokens"])
    while calls < int(headers["x-ratelimit-remaining-requests"]) and left >= tokens:
        calls, left = calls + 1, left - tokens
    return calls
""",
]


def cases(rng: Generator) -> list[tuple]:
    def told(requests: int, tokens: int) -> dict[str, str]:
        return {"x-ratelimit-remaining-requests": str(requests), "x-ratelimit-remaining-tokens": str(tokens)}

    each = int(rng.integers(60, 400))
    return [
        (told(59, 2000), 300),  # the tokens decide
        (told(4, 39_000), 300),  # the requests decide
        (told(9, 7 * each), each),  # exactly seven
        (told(9, 7 * each - 1), each),
        (told(3, 0), each),
        (told(0, 5000), each),
        (told(100, 90), 100),
    ]


EXERCISE = Exercise(
    reference=calls_left,
    minutes=2,
    difficulty=1,
    hints=(
        "What is the unit of each of the two numbers that `min` compares?",
        "2,000 tokens are left, and a call takes at most 300: how many calls is that?",
        "Divide the tokens that are left by `tokens`, rounded down, before you take the smaller of the two.",
    ),
    proves="both limits hold at once, in calls, and no call goes out that fits only in part",
)
