"""replies: a place that is taken has to be given back, however the reply ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def replies(places: Any, pieces: Iterable[str]) -> Iterator[str]:
    """Yield the pieces of one reply, and hold one place meanwhile: `places.acquire()`, `places.release()`.

    However the reply ends, the place is given back once. An error of `pieces` reaches the caller. If no place is free,
    `places.acquire()` raises: that reaches the caller, too, and there is nothing to give back.
    """
    places.acquire()
    try:
        yield from pieces
    finally:
        places.release()


ANSWER = """
def replies(places, pieces):
    places.acquire()
    try:
        for piece in pieces:
            yield piece
    finally:
        places.release()
"""
FINALLY = "    finally:\n        places.release()\n"
SLIPS = [
    (
        """
def replies(places, pieces):
    places.acquire()
    try:
        for text in pieces:
            yield text
    except Exception as error:
        print("the reply failed:", error)
        return
    places.release()
""",
        "after an error the place is not given back, and the caller takes half a reply for a whole one.",
    ),
    (
        FINALLY,
        '    except Exception as error:\n        print("the reply failed:", error)\n    places.release()\n',
        "the error is swallowed, so the caller takes half a reply for a whole one; and a hang-up is no `Exception`.",
    ),
    (
        FINALLY,
        "    except Exception:\n        places.release()\n        raise\n    places.release()\n",
        "when the client hangs up, the generator is closed at its `yield`: that raises GeneratorExit, which is no "
        "`Exception`, and the place leaks.",
    ),
    (
        FINALLY,
        "    except Exception:\n        pass\n    finally:\n        places.release()\n",
        "the place returns, but the error is swallowed: the caller takes half a reply for a whole one.",
    ),
    (
        """
def replies(places, pieces):
    places.acquire()
    for piece in pieces:
        yield piece
    places.release()
""",
        "only a reply that is read to its end gives its place back.",
    ),
    (
        """
def replies(places, pieces):
    places.acquire()
    places.release()
    for piece in pieces:
        yield piece
""",
        "the place is given back before the reply is written: any number of replies may run.",
    ),
    (
        "        for piece in pieces:\n            yield piece\n",
        "        for piece in pieces:\n            yield piece\n        places.release()\n",
        "a reply that is read to its end gives its place back twice.",
    ),
]
SLIPS += [
    (
        """
def replies(places, pieces):
    try:
        places.acquire()
        for piece in pieces:
            yield piece
    finally:
        places.release()
""",
        "where no place is free, `acquire` fails, and your `finally` gives back a place that was never taken: take it "
        "before the `try`.",
    ),
    (
        """
def replies(places, pieces):
    places.acquire()
    try:
        return list(pieces)
    finally:
        places.release()
""",
        "it is no generator any more: without `yield`, nobody sees a piece before the last one is written.",
    ),
]
SLIPS += [
    (
        FINALLY,
        "    except GeneratorExit:\n        places.release()\n        return\n    places.release()\n",
        "GeneratorExit is the hang-up alone: after an error of `pieces`, the place is not given back. A `finally` sees "
        "every end.",
    ),
    (
        FINALLY,
        "    except GeneratorExit:\n        places.release()\n        raise\n    finally:\n        places.release()\n",
        "after a hang-up the place is given back twice: the `finally` does it already.",
    ),
    (
        FINALLY,
        "    except Exception:\n        places.release()\n        raise\n    finally:\n        places.release()\n",
        "after an error the place is given back twice: the `finally` does it already.",
    ),
    (
        "for piece in pieces:",
        "for piece in list(pieces):",
        "`list(pieces)` waits for the last piece before it passes on the first, and an error takes all of them away: "
        "ask for one piece at a time.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [("    places.acquire()\n", "", "")]
RIGHT = [
    """
def replies(places, pieces):
    from contextlib import contextmanager

    @contextmanager
    def held():
        places.acquire()
        try:
            yield
        finally:
            places.release()

    with held():
        yield from pieces
""",
    """
def replies(places, pieces):
    places.acquire()
    try:
        for piece in pieces:
            yield piece
    except BaseException:
        places.release()
        raise
    places.release()
""",
]


class Full(Exception):
    """No place is free."""


class Places:
    """Free places, counted."""

    def __init__(self, free: int) -> None:
        self.free = free

    def acquire(self) -> None:
        if not self.free:
            raise Full
        self.free -= 1

    def release(self) -> None:
        self.free += 1


def failing(pieces: list[str], after: int | None) -> Iterator[str]:
    for number, piece in enumerate(pieces):
        if number == after:
            raise ConnectionError("the engine failed")
        yield piece


def drive(write: Any, pieces: list[str], fails_after: int | None, hangs_up_after: int | None, places: int = 3) -> Any:
    """One reply: what came, how many places were free meanwhile and afterwards, and what the caller was told."""
    held, came, free, told = Places(places), [], [], "nothing"
    try:
        stream = iter(write(held, failing(pieces, fails_after)))
        if not hasattr(stream, "close"):
            return f"no generator, but a {type(stream).__name__}, which cannot be closed"
        while hangs_up_after is None or len(came) < hangs_up_after:
            came.append(next(stream))
            free.append(held.free)
        stream.close()  # what a server does when its client is gone
    except StopIteration:
        told = "the end"
    except ConnectionError:
        told = "the error"
    except Full:
        told = "no place is free"
    return {"pieces": came, "free meanwhile": free, "the caller is told": told, "free afterwards": held.free}


def cases(rng: Generator) -> list[tuple]:
    pieces = [f"word{int(n)} " for n in rng.integers(0, 100, size=6)]
    return [
        (pieces, None, None),
        (pieces[:1], None, None),
        ([], None, None),
        (pieces, None, int(rng.integers(1, 5))),
        (pieces, None, 6),
        (pieces, int(rng.integers(1, 5)), None),
        (pieces, 0, None),
        (pieces, 5, 2),
        (pieces[:2], None, None, 1),
        (pieces[:2], None, None, 0),
    ]


def shown(pieces: list[str], fails_after: int | None, hangs_up_after: int | None, places: int = 3) -> str:
    """The situation in words: `drive` makes the calls."""
    told = [f"{len(pieces)} pieces", f"{places} places free"]
    if fails_after is not None:
        told.append(f"`pieces` raises an error after {fails_after}")
    if hangs_up_after is not None:
        told.append(f"the client hangs up after {hangs_up_after}")
    return "replies(places, pieces) with " + ", ".join(told)


EXERCISE = Exercise(
    reference=replies,
    minutes=4,
    difficulty=2,
    drive=drive,
    shown=shown,
    hints=(
        "In how many ways can a reply end? Follow the place through each of them.",
        "By itself, by an error, or by a hang-up, which raises GeneratorExit at the `yield`. What runs in all three?",
        "Take the place, and put the loop into a `try` block whose `finally` gives it back. There is nothing to catch: "
        "leave out the `except`, so that errors reach the caller.",
    ),
    proves="the place is held meanwhile and returns once after the end, an error or a hang-up, and errors are told",
)
