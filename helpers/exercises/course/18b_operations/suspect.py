"""suspect: from the lines of a log, the request that made the others wait."""

from __future__ import annotations

from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def suspect(lines: list[dict[str, Any]]) -> str:
    """The id of the request that most likely caused the longest pause of a log.

    lines: per request its id, began and ended (seconds on one clock), first (seconds from began to its first token),
    pause (seconds of its longest pause between two tokens), read (prompt tokens), cached (those of them that were not
    read again), written (tokens of the reply).
    The victim: the request with the longest pause. It writes from began + first until ended.
    The suspect: of the other requests that were reading at some moment while the victim was writing, the one that had
    to read the most prompt tokens. A request reads from began until began + first.
    """
    victim = max(lines, key=lambda line: line["pause"])
    starts, ends = victim["began"] + victim["first"], victim["ended"]
    reading = [
        line for line in lines if line is not victim and line["began"] < ends and line["began"] + line["first"] > starts
    ]
    return max(reading, key=lambda line: line["read"] - line["cached"])["id"]


ANSWER = """
def suspect(lines):
    def work(line):
        return line["read"] - line["cached"]

    victim = max(lines, key=lambda line: line["pause"])
    starts, ends = victim["began"] + victim["first"], victim["ended"]
    others = [line for line in lines if line["id"] != victim["id"]]
    reading = [line for line in others if line["began"] < ends and line["began"] + line["first"] > starts]
    return max(reading, key=work)["id"]
"""
READING = 'line["began"] < ends and line["began"] + line["first"] > starts'
PACE = '(line["ended"] - line["began"] - line["first"]) / max(1, line["written"] - 1)'
SLIPS = [
    (
        "return max(reading, key=work)",
        "return max(others, key=work)",
        "look only at requests that were reading while the victim was writing.",
    ),
    ("return max(reading, key=work)", "return victim", "that is the victim: the suspect is another request."),
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
        'return max(reading, key=work)["id"]',
        'return max([victim, *reading], key=work)["id"]',
        "the victim itself is among your suspects: the suspect is one of the other requests.",
    ),
    (
        'key=lambda line: line["pause"]',
        f"key=lambda line: {PACE}",
        "seconds per token are an average, and in a long reply it hides a stall: the victim has the longest `pause`.",
    ),
    (
        'key=lambda line: line["pause"]',
        'key=lambda line: line["first"]',
        "a long wait for the first token is no pause between two tokens: the victim has the longest `pause`.",
    ),
    (
        'key=lambda line: line["pause"]',
        'key=lambda line: line["ended"] - line["began"]',
        "a long reply takes long, also without a stall: the victim has the longest `pause`.",
    ),
    (
        READING,
        'line["began"] < ends and line["ended"] > starts',
        "a request stalls others while it reads its prompt, until began + first. Afterwards it only writes.",
    ),
    (
        READING,
        'line["began"] < ends and line["ended"] > victim["began"]',
        "being under way at the same time is not enough: the suspect was *reading* while the victim was *writing*.",
    ),
    (
        READING,
        'line["began"] < ends and line["began"] + line["first"] > victim["began"]',
        "before began + first the victim has no token yet, so nothing can make a pause between its tokens.",
    ),
    (
        READING,
        'line["began"] >= starts and line["began"] + line["first"] <= ends',
        "a request may have begun to read before the victim wrote, or read on after its end: any overlap counts.",
    ),
    (
        READING,
        'starts <= line["began"] < ends',
        "a request that began before the victim wrote, and was still reading, counts, too: any overlap does.",
    ),
    (
        READING,
        'starts < line["began"] + line["first"] <= ends',
        "a request that was still reading when the victim ended counts, too: any overlap does.",
    ),
    (
        READING,
        'line["began"] < ends',
        "a request that had read its prompt before the victim wrote cannot have stalled it.",
    ),
    (
        READING,
        'line["began"] + line["first"] > starts',
        "a request that began after the victim had ended cannot have stalled it.",
    ),
]
REFUSED = [
    ('key=work)["id"]', "key=work)", ""),
    ('victim = max(lines, key=lambda line: line["pause"])', "victim = lines[0]", ""),
]
RIGHT = [
    """
def suspect(lines):
    by_pause = sorted(lines, key=lambda line: line["pause"])
    *others, victim = by_pause
    found, most = None, -1
    for line in others:
        done = line["began"] + line["first"]
        apart = line["began"] >= victim["ended"] or done <= victim["began"] + victim["first"]
        if not apart and line["read"] - line["cached"] > most:
            found, most = line["id"], line["read"] - line["cached"]
    return found
""",
]


def _line(
    name: str, began: float, ended: float, first: float, pause: float, read: int, cached: int, written: int
) -> dict[str, Any]:
    numbers = dict(began=began, ended=ended, first=first, pause=pause, read=read, cached=cached, written=written)
    return {"id": name} | numbers


def _trace(rng: Generator, order: list[int]) -> list[dict[str, Any]]:
    """A victim, its suspect, and requests that each look guilty in one other way."""
    shift, slow = float(rng.uniform(0, 50)), float(rng.uniform(9, 12))
    names = [f"r{number:03}" for number in rng.permutation(900)[:11]]
    lines = [
        _line(names[0], 10, 10 + slow, 0.5, 4.2, 40, 0, 201),  # the victim: a stall, and a good pace
        _line(names[1], 9, 30, 20.9, 0.1, int(rng.integers(1200, 1600)), 0, 2),  # the suspect: long before and after
        _line(names[2], 12, 13, 0.6, 0.1, 1900, 1850, 5),  # long, but cached
        _line(names[3], 40, 52, 8.0, 0.2, 1800, 0, 30),  # long, but later
        _line(names[4], 0, 7.9, 6.0, 0.2, 1990, 16, 12),  # long, but over before
        _line(names[5], 1, 30, 5.0, 0.3, 1960, 0, 300),  # long, and still writing, but it had read before
        _line(names[6], 9.8, 11, 0.4, 0.1, 1950, 0, 9),  # long, but read while the victim had no token yet
        _line(names[7], 70, 78, 1.0, 1.1, 350, 0, 8),  # slow tokens all the time, but no stall
        _line(names[8], 69, 92, 22.9, 0.1, 30, 0, 2),  # waited long for its first token
        _line(names[9], 71, 160, 0.5, 0.4, 60, 0, 400),  # writes long
        _line(names[10], 120, 120.4, 0.4, 0.0, 20, 0, 1),  # one token: no pause
    ]
    moved = [line | {"began": line["began"] + shift, "ended": line["ended"] + shift} for line in lines]
    return [moved[i] for i in order]


def _small(rng: Generator) -> list[list[dict[str, Any]]]:
    """Traces of few lines, each with one question."""
    long = int(rng.integers(600, 1500))
    victim = _line("a", 5, 15, 1, 3, 20, 0, 40)
    other = _line("c", 6.5, 8, 0.5, 0.2, 30, 0, 8)
    return [
        # a long prompt in the middle of it
        [victim, _line("b", 8, 12, 3.1, 0.2, long, 0, 5), other],
        # a long prompt, most of it cached
        [victim, _line("b", 7, 10, 2, 0.4, 300, 0, 5), _line("c", 8, 9, 0.5, 0.1, long, long - 100, 3)],
        # the victim's own prompt is the longest
        [
            victim | {"first": 4, "read": long},
            _line("b", 9.5, 12, 1, 0.2, 80, 0, 9),
            _line("c", 10, 11, 0.5, 0.1, 30, 0, 5),
        ],
        # the suspect began to read before the victim wrote, or read on after its end, or both
        [victim, _line("b", 3, 9, 4.9, 0.2, long, 0, 12), other],
        [victim, _line("b", 9, 18, 8.9, 0.1, long, 0, 2), other],
        [victim, _line("b", 3, 18, 14.9, 0.1, long, 0, 2), other],
        # long prompts before and after the victim's time
        [victim, _line("b", 1, 4, 2, 0.3, long, 0, 8), other],
        [victim, _line("b", 16, 19, 2, 0.3, long, 0, 8), other],
        # a long prompt that had been read before the victim came, and ended while the victim had no token yet
        [victim, _line("b", 3, 5.5, 1.5, 0.3, long, 0, 8), other],
        # a long prompt that had been read before the victim came, and one that was read before its first token
        [victim, _line("b", 0, 30, 4, 0.3, long, 0, 90), other],
        [victim, _line("b", 4, 7, 1.5, 0.3, long, 0, 12), other],
        # the average accuses a steady reply, the longest pause does not
        [victim | {"written": 201}, _line("b", 9, 13, 2.8, 0.2, long, 0, 6), _line("c", 20, 30, 1, 1.0, 30, 0, 10)]
        + [_line("d", 21, 24, 2, 0.3, 2 * long, 0, 5)],
    ]


def cases(rng: Generator) -> list[tuple]:
    orders = [[int(i) for i in rng.permutation(11)] for _ in range(3)]
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
        "Who stood still for longest, and from when until when was that request writing?",
        "Then ask who was reading meanwhile: two spans of time overlap if each begins before the other ends. Reading a "
        "prompt is what keeps everybody waiting, and a cached prompt is not read.",
        "The victim has the largest pause, and writes from its began + first to its ended. Among the other requests "
        "with began before that end and began + first after that start, take the largest read − cached.",
    ),
    proves="the victim is found by its longest pause, and the suspect among those that were reading meanwhile",
)
