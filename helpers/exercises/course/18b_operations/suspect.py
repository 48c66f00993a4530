"""suspect: from the lines of a log, the request that made the others wait."""

from __future__ import annotations

from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def suspect(lines: list[dict[str, Any]]) -> str:
    """The id of the request that most likely slowed down the slowest writer of a log.

    lines: per request its id, began and ended (seconds on one clock), first (seconds from began to its first token),
    read (prompt tokens), cached (those of them that were not read again), written (tokens of the reply).
    The victim: the request with the most seconds per token after its first one; requests of one token have none.
    The suspect: of the other requests that were under way at some moment of the victim's time, the one that had to
    read the most prompt tokens.
    """
    victim = max(
        (line for line in lines if line["written"] > 1),
        key=lambda line: (line["ended"] - line["began"] - line["first"]) / (line["written"] - 1),
    )
    others = [
        line
        for line in lines
        if line is not victim and line["began"] < victim["ended"] and line["ended"] > victim["began"]
    ]
    return max(others, key=lambda line: line["read"] - line["cached"])["id"]


ANSWER = """
def suspect(lines):
    def pace(line):
        writing = line["ended"] - line["began"] - line["first"]
        return writing / (line["written"] - 1)

    def work(line):
        return line["read"] - line["cached"]

    victim = max([line for line in lines if line["written"] > 1], key=pace)
    others = [line for line in lines if line["id"] != victim["id"]]
    there = [line for line in others if line["began"] < victim["ended"] and line["ended"] > victim["began"]]
    return max(there, key=work)["id"]
"""
SLIPS = [
    (
        "return max(there, key=work)",
        "return max(others, key=work)",
        "look only at requests that overlap the victim's time.",
    ),
    ("return max(there, key=work)", "return victim", "that is the victim: the suspect is another request."),
    (
        'return line["read"] - line["cached"]',
        'return line["read"]',
        "cached prompt tokens are not read again, so they stall nobody: subtract them.",
    ),
    (
        'return line["read"] - line["cached"]',
        'return line["written"]',
        "a long reply is written token by token beside the others; a long prompt is what stalls them.",
    ),
    (
        'line["ended"] - line["began"] - line["first"]',
        'line["ended"] - line["began"]',
        "the time to the first token is not the pace of writing: subtract `first`.",
    ),
    (
        'return max(there, key=work)["id"]',
        'return max([victim, *there], key=work)["id"]',
        "the victim itself is among your suspects: the suspect is one of the other requests.",
    ),
    (
        'writing / (line["written"] - 1)',
        'writing / line["written"]',
        "only the tokens after the first one were written in these seconds: divide by written − 1.",
    ),
    (
        'writing / (line["written"] - 1)',
        "writing",
        "a long reply takes long, also at a good pace: divide by the tokens after the first one.",
    ),
    (
        'line["began"] < victim["ended"] and line["ended"] > victim["began"]',
        'line["began"] >= victim["began"] and line["ended"] <= victim["ended"]',
        "a request may have begun before the victim, or end after it: any overlap counts.",
    ),
    (
        'line["began"] < victim["ended"] and line["ended"] > victim["began"]',
        'victim["began"] <= line["began"] < victim["ended"]',
        "a request that began before the victim and was still under way counts, too: any overlap does.",
    ),
    (
        'line["began"] < victim["ended"] and line["ended"] > victim["began"]',
        'victim["began"] < line["ended"] <= victim["ended"]',
        "a request that ended after the victim, but began before the victim's end, counts, too: any overlap does.",
    ),
    (
        'line["began"] < victim["ended"] and line["ended"] > victim["began"]',
        'line["began"] < victim["ended"]',
        "a request that had ended before the victim began cannot have slowed it down.",
    ),
    (
        'line["began"] < victim["ended"] and line["ended"] > victim["began"]',
        'line["ended"] > victim["began"]',
        "a request that began after the victim had ended cannot have slowed it down.",
    ),
]
REFUSED = [
    ('if line["written"] > 1', 'if line["written"]', "ZeroDivisionError"),
    ('key=work)["id"]', "key=work)", ""),
]
RIGHT = [
    """
def suspect(lines):
    paces = {}
    for line in lines:
        if line["written"] > 1:
            paces[line["id"]] = (line["ended"] - line["began"] - line["first"]) / (line["written"] - 1)
    victim = next(line for line in lines if line["id"] == max(paces, key=paces.get))
    found, most = None, -1
    for line in lines:
        apart = line["began"] >= victim["ended"] or line["ended"] <= victim["began"]
        if line is not victim and not apart and line["read"] - line["cached"] > most:
            found, most = line["id"], line["read"] - line["cached"]
    return found
""",
]


def _line(name: str, began: float, ended: float, first: float, read: int, cached: int, written: int) -> dict[str, Any]:
    numbers = dict(began=began, ended=ended, first=first, read=read, cached=cached, written=written)
    return {"id": name} | numbers


def _trace(rng: Generator, order: list[int]) -> list[dict[str, Any]]:
    """A victim, its suspect, and requests that each look guilty in one other way."""
    shift, slow = float(rng.uniform(0, 50)), float(rng.uniform(9, 12))
    names = [f"r{number:03}" for number in rng.permutation(900)[:10]]
    lines = [
        _line(names[0], 10, 10 + slow, 0.5, 40, 0, 21),  # the victim
        _line(names[1], 9, 30, 20.9, int(rng.integers(1200, 1600)), 0, 2),  # the suspect: long before and after
        _line(names[2], 12, 13, 0.6, 1900, 1850, 5),  # long, but cached
        _line(names[3], 40, 52, 8.0, 1800, 0, 30),  # long, but later
        _line(names[4], 0, 7.9, 6.0, 1990, 16, 12),  # long, but over before
        _line(names[5], 100, 160, 0.5, 60, 0, 400),  # writes much, at a good pace
        _line(names[6], 72, 76, 0.4, 350, 0, 16),
        _line(names[7], 70, 92, 21.9, 30, 0, 2),  # waited long for its first token
        _line(names[8], 120, 120.4, 0.4, 20, 0, 1),  # one token: no pace
        _line(names[9], 12, 15, 0.3, 45, 0, 30),  # writes more than the suspect
    ]
    moved = [line | {"began": line["began"] + shift, "ended": line["ended"] + shift} for line in lines]
    return [moved[i] for i in order]


def _small(rng: Generator) -> list[list[dict[str, Any]]]:
    """Traces of three lines, each with one question."""
    long = int(rng.integers(600, 1500))
    return [
        # a long prompt in the middle of it
        [_line("a", 0, 5, 1, 20, 0, 5), _line("b", 1, 6, 4.8, long, 0, 5), _line("c", 2, 3, 0.2, 30, 0, 2)],
        # a long prompt, most of it cached
        [_line("a", 0, 9, 1, 20, 0, 5), _line("b", 2, 5, 2, 300, 0, 5), _line("c", 3, 4, 0.5, long, long - 100, 3)],
        # the victim's own prompt is the longest
        [_line("a", 5, 15, 4, long, 0, 4), _line("b", 7, 9, 1, 80, 0, 9), _line("c", 8, 9, 0.5, 30, 0, 5)],
        # the victim has the more seconds per token only if the first one is not counted
        [_line("a", 0, 4, 1, 20, 0, 2), _line("b", 1, 3, 1, 40, 0, 3), _line("c", 10, 31, 1, 30, 0, 10)]
        + [_line("d", 11, 12, 0.5, long, 0, 2)],
        # the suspect began before the victim, or ended after it, or both
        [_line("a", 5, 15, 1, 20, 0, 4), _line("b", 3, 8, 4.9, long, 0, 2), _line("c", 6, 7, 0.5, 30, 0, 5)],
        [_line("a", 5, 15, 1, 20, 0, 4), _line("b", 9, 18, 8.9, long, 0, 2), _line("c", 6, 7, 0.5, 30, 0, 5)],
        [_line("a", 5, 15, 1, 20, 0, 4), _line("b", 3, 18, 14.9, long, 0, 2), _line("c", 6, 7, 0.5, 30, 0, 5)],
        # long prompts before and after the victim's time
        [_line("a", 5, 15, 1, 20, 0, 4), _line("b", 1, 4, 2, long, 0, 8), _line("c", 6, 7, 0.5, 30, 0, 5)],
        [_line("a", 5, 15, 1, 20, 0, 4), _line("b", 16, 19, 2, long, 0, 8), _line("c", 6, 7, 0.5, 30, 0, 5)],
        # a reply of one token has no pace
        [_line("a", 0, 3, 1, 20, 0, 4), _line("b", 1, 4, 2, 60, 0, 9), _line("c", 2, 8, 0.1, 30, 0, 1)],
    ]


def cases(rng: Generator) -> list[tuple]:
    orders = [[int(i) for i in rng.permutation(10)] for _ in range(3)]
    return [*((small,) for small in _small(rng)), *((_trace(rng, order),) for order in orders)]


def shown(lines: list[dict[str, Any]]) -> str:
    """The call with all its lines, to be copied."""
    told = (", ".join(f"{name}={value!r}" for name, value in line.items()) for line in lines)
    return f"suspect([{', '.join(f'dict({line})' for line in told)}])"


EXERCISE = Exercise(
    reference=suspect,
    minutes=6,
    difficulty=2,
    shown=shown,
    hints=(
        "Who waited? Compute for each request how many seconds one of its tokens took, after the first one.",
        "Then ask who else was there: two requests overlap if each begins before the other ends. Reading a prompt is "
        "what keeps everybody waiting, and a cached prompt is not read.",
        "The pace is (ended − began − first) / (written − 1), only where written is above 1. Among the other requests "
        "with began before the victim's end and ended after its beginning, take the largest read − cached.",
    ),
    proves="the victim is found by its pace, and the suspect among those under way by the prompt that had to be read",
)
