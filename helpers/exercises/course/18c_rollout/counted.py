"""counted: outcomes that are there early are no sample of all of them. Which may count?"""

from __future__ import annotations

from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def counted(requests: list[dict[str, Any]], hour: float, window: float) -> dict[str, list[bool]]:
    """The outcomes that count at this hour, for each version, in the order of the requests.

    requests: each has its version ("new" or "old"), served (the hour of its reply), and right: True, False, or None
    while nobody has looked at it. A request counts from `window` hours after its reply on. One without an outcome is
    left out.
    """
    found: dict[str, list[bool]] = {"new": [], "old": []}
    for request in requests:
        if request["right"] is not None and hour - request["served"] >= window:
            found[request["version"]].append(request["right"])
    return found


ANSWER = """
def counted(requests, hour, window):
    found = {"new": [], "old": []}
    for request in requests:
        age = hour - request["served"]
        if age >= window and request["right"] is not None:
            found[request["version"]].append(request["right"])
    return found
"""
SLIPS = [
    (
        """
def counted(requests, hour, window):
    found = {"new": [], "old": []}
    for request in requests:
        if request["right"] is not None:
            found[request["version"]].append(request["right"])
    return found
""",
        "outcomes of young requests count, too, and those hold too many mistakes: wait until the window has passed.",
    ),
    (
        "age >= window",
        "age <= window",
        "only young requests count, and those are the ones whose outcomes mislead: turn the comparison around.",
    ),
    ("age >= window", "age > window", "a request counts from exactly `window` hours after its reply on."),
    ("age >= window", "hour >= window", "the window begins anew with each reply: compare the age of each request."),
    (
        'request["right"] is not None',
        'request["right"]',
        "wrong readings are left out: only None means that there is no outcome.",
    ),
    (
        'if age >= window and request["right"] is not None:',
        "if age >= window:",
        "a request at which nobody has looked has no outcome: leave it out.",
    ),
    (
        """
def counted(requests, hour, window):
    found = {"new": [], "old": []}
    for request in requests:
        if hour - request["served"] >= window:
            found[request["version"]].append(bool(request["right"]))
    return found
""",
        "None counts as a wrong reading, but it means that nobody has looked: leave such a request out.",
    ),
    (
        'age >= window and request["right"]',
        '(age >= window or request["version"] == "old") and request["right"]',
        "the old version's outcomes need the same window, or the two sides differ in age.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [("    return found\n", '    return found["new"], found["old"]\n', "")]
RIGHT = [
    """
def counted(requests, hour, window):
    old_enough = [r for r in requests if r["served"] + window <= hour and r["right"] in (True, False)]
    return {version: [r["right"] for r in old_enough if r["version"] == version] for version in ("new", "old")}
""",
]


def _request(version: str, served: float, right: bool | None) -> dict[str, Any]:
    return {"version": version, "served": served, "right": right}


def cases(rng: Generator) -> list[tuple]:
    drawn = []
    for _ in range(4):
        window, hour = float(rng.integers(8, 40)), float(rng.integers(45, 90))
        hours = sorted(float(n) for n in rng.integers(0, int(hour), size=24))
        outcomes = [(True, False, None)[int(n)] for n in rng.integers(0, 3, size=24)]
        versions = [("new", "old")[int(n)] for n in rng.integers(0, 2, size=24)]
        drawn.append((list(map(_request, versions, hours, outcomes)), hour, window))
    few = [
        _request("old", 0.0, True),
        _request("old", 2.0, False),
        _request("new", 4.0, None),
        _request("new", 5.0, False),
        _request("old", 20.0, True),
        _request("new", 21.0, False),
        _request("old", 22.0, None),
    ]
    edge = [_request("new", 6.0, True), _request("old", 5.5, False), _request("new", 6.5, True)]
    return [(few, 24.0, 12.0), (edge, 16.0, 10.0), ([], 5.0, 1.0), (few, 3.0, 48.0), *drawn]


EXERCISE = Exercise(
    reference=counted,
    minutes=2,
    difficulty=1,
    hints=(
        "Which outcomes of the last few hours are there already, and which are still to come?",
        "The function takes every outcome that is there. It must ask one more question of each request: how old is it "
        "at this hour?",
        'A request\'s age is `hour` less its "served". It counts if it is at least as old as the window, whichever '
        "version wrote it, and if it has an outcome.",
    ),
    proves="an outcome counts when its request is old enough, right or wrong, new or old; what is missing is left out",
)
