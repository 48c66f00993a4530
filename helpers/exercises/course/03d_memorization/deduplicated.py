"""deduplicated: a line that stands in the text again and again is kept once, and everything else stays as it is."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property


def deduplicated(lines: list[str], least: int) -> list[str]:
    """The lines in their order, without those of at least `least` characters that have stood there before.

    The first of several equal lines stays. Shorter lines, such as empty ones, all stay: they carry no secret.
    """
    seen: set[str] = set()
    kept = []
    for line in lines:
        if len(line) < least or line not in seen:
            kept.append(line)
        seen.add(line)
    return kept


ANSWER = """
def deduplicated(lines, least):
    seen, kept = set(), []
    for line in lines:
        if len(line) >= least and line in seen:
            continue
        seen.add(line)
        kept.append(line)
    return kept
"""
SLIPS = [
    (
        "len(line) >= least and line in seen",
        "line in seen",
        "short lines are dropped, too: empty lines between paragraphs have to stay.",
    ),
    (
        "len(line) >= least and line in seen",
        "len(line) >= least and lines.count(line) > 1",
        "no copy of a repeated line is left: the first one has to stay.",
    ),
    (
        "len(line) >= least and line in seen",
        "len(line) > least and line in seen",
        "a line of exactly `least` characters counts as long.",
    ),
    (
        "len(line) >= least and line in seen",
        "len(line) >= least and kept and line == kept[-1]",
        "only copies right behind each other are found: compare with all earlier lines.",
    ),
    (
        "    return kept",
        "    return sorted(kept)",
        "the order of the lines is lost: keep it.",
    ),
]
REFUSED = [
    ("    return kept", "    return set(kept)", "Expected"),
    ("    return kept", "    kept", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    """
def deduplicated(lines, least):
    first = {}
    for place, line in enumerate(lines):
        first.setdefault(line, place)
    return [line for place, line in enumerate(lines) if len(line) < least or first[line] == place]
""",
]


def cases(rng: Generator) -> list[tuple]:
    names = ["Ada", "Ben", "Cleo"]
    secrets = [f"The safe of {name} opens with {int(rng.integers(1000, 9999))}." for name in names]
    drawn = []
    for _ in range(4):
        pool = [*secrets, "", "see below", "A line that stands once in every text of this kind."]
        drawn.append(([pool[int(i)] for i in rng.integers(len(pool), size=12)], 20))
    return [
        ([secrets[0], "", "text", "", secrets[0], "text", ""], 20),
        (["zebra line, quite long", "a line, quite long, too", "zebra line, quite long"], 10),
        (["exactly ten", "exactly ten", "short", "short"], 11),
        (["exactly ten", "exactly ten"], 12),
        ([], 20),
        *drawn,
    ]


def _subset(result: object, lines: list[str], least: int) -> bool:
    return isinstance(result, list) and set(result) == set(lines)


EXERCISE = Exercise(
    reference=deduplicated,
    minutes=2,
    difficulty=1,
    hints=(
        "What do you have to remember while you go through the lines?",
        "Go through the lines once. A long line that you have seen before is skipped; everything else is kept.",
        "Keep a set of the lines seen so far. Skip a line only if it is long enough and stands in that set; else put "
        "it into the set and behind the lines that you keep.",
    ),
    proves="the first copy of a long line stays, further ones go, short lines and the order stay",
    properties=[Property("no line disappears altogether", _subset)],
)
