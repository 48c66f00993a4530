"""assign_failure: the part that lost an answer is the one right after the last part that still had it."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def assign_failure(had: Mapping[str, bool]) -> str | None:
    """The part that lost the answer, or None where the last part has it, so that nothing failed.

    had: part → does what it hands on hold the answer? In the order in which they work; their names may be any.
    The part that lost the answer is the first one after the last part that had it; the very first, where none had it.
    """
    lost = None
    for part, has in reversed(had.items()):
        if has:
            return lost
        lost = part
    return lost


ANSWER = """
def assign_failure(had):
    parts = list(had)
    for n in range(len(parts) - 1, -1, -1):
        if had[parts[n]]:
            return parts[n + 1] if n + 1 < len(parts) else None
    return parts[0]
"""
LOOP = """    for n in range(len(parts) - 1, -1, -1):
        if had[parts[n]]:
            return parts[n + 1] if n + 1 < len(parts) else None
    return parts[0]
"""
REPAIRED = "a later part brought the answer back, so what an earlier part had lost was not lost in the end."
BEFORE = "this is the last part that *had* the answer; the one after it lost it."
SLIPS = [
    (
        LOOP,
        """    for part in parts:
        if not had[part]:
            return part
    return None
""",
        REPAIRED,
    ),
    (
        LOOP,
        """    if had[parts[-1]]:
        return None
    for part in parts:
        if not had[part]:
            return part
""",
        REPAIRED,
    ),
    (
        LOOP,
        """    for before, part in zip(parts, parts[1:]):
        if had[before] and not had[part]:
            return part
    return None if had[parts[-1]] else parts[0]
""",
        "it may be lost twice: where a later part brought it back, the *last* loss counts.",
    ),
    (
        LOOP,
        """    missing = [part for part in parts if not had[part]]
    return missing[-1] if missing else None
""",
        "this is the last part that lacks the answer; it may have been lost before.",
    ),
    (
        LOOP,
        """    missing = [part for part in parts if not had[part]]
    return missing[-1] if missing and not had[parts[-1]] else None
""",
        "this is the last part that lacks the answer; it may have been lost before.",
    ),
    ("return parts[n + 1] if n + 1 < len(parts) else None", "return parts[n]", BEFORE),
    (
        "return parts[n + 1] if n + 1 < len(parts) else None",
        "return parts[n] if n + 1 < len(parts) else None",
        BEFORE,
    ),
    (
        LOOP,
        """    return next((part for part in reversed(parts) if had[part]), None)
""",
        BEFORE,
    ),
    (
        LOOP,
        """    if had[parts[-1]]:
        return None
    return next((part for part in reversed(parts) if had[part]), parts[0])
""",
        BEFORE,
    ),
    ("    return parts[0]\n", "    return None\n", "where no part had the answer, the first one did not find it."),
    ("    return parts[0]\n", "    return parts[-1]\n", "where no part had the answer, the first one did not find it."),
    ("else None", "else parts[n]", "the last part has the answer: nothing failed, None."),
    ("else None", 'else ""', "the last part has the answer: nothing failed, None."),
]
REFUSED = [
    ("[n + 1] if n + 1 < len(parts) else None", "[n + 1]", "It stops with an error"),
    ("return parts[n + 1] if n + 1 < len(parts) else None", "return n + 1", "Expected"),
]
RIGHT = [
    """
def assign_failure(had):
    lost = None
    for part, has in had.items():
        if has:
            lost = None
        elif lost is None:
            lost = part
    return lost
""",
    """
def assign_failure(had):
    last = max((n for n, has in enumerate(had.values()) if has), default=-1)
    return dict(enumerate(had)).get(last + 1)
""",
]


def cases(rng: Generator) -> list[tuple]:
    parts = ("search", "filter", "cross-encoder", "quote")

    def had(*values: bool) -> tuple[dict[str, bool]]:
        return (dict(zip(parts, values, strict=True)),)

    drawn = [
        ({f"part {n}": bool(has) for n, has in enumerate(rng.random(size) < 0.5)},)
        for size in (5, 6, 7, 7, 8)
    ]  # fmt: skip
    return [
        had(True, True, True, True),
        had(True, True, True, False),
        had(True, True, False, False),
        had(True, False, False, False),
        had(False, False, False, False),
        had(False, True, True, True),  # brought back
        had(False, True, False, False),
        had(True, False, True, False),  # lost twice
        had(False, False, True, False),
        ({"search": False},),
        ({"search": True},),
        ({"rewriting": True, "search": False, "reading": False},),
        *drawn,
    ]


EXERCISE = Exercise(
    reference=assign_failure,
    minutes=5,
    difficulty=2,
    hints=(
        "The search missed the answer, but the filter, which moves others up, brought it in. Is the search to blame if "
        "the quote is wrong all the same?",
        "Look at the parts from the last to the first. As long as they lack the answer, the earliest one that you "
        "have seen is to blame. Stop at the first part that has it.",
        "`reversed(had.items())` goes from the last part to the first. Remember in a variable, None at first, which "
        "part you saw lacking the answer; it is what you return, as soon as a part has it and also where none does.",
    ),
    proves="what a later part brings back is forgiven, the last loss counts, and a right quote is no failure",
)
