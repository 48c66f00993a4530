"""replies: a slot that is taken has to be given back, however the reply ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def replies(slots: Any, pieces: Iterable[str]) -> Iterator[str]:
    """Yield the pieces of one reply, and hold one slot meanwhile: `slots.acquire()`, `slots.release()`.

    However the reply ends, the slot is given back once. An error of `pieces` reaches the caller.
    """
    slots.acquire()
    try:
        yield from pieces
    finally:
        slots.release()


ANSWER = """
def replies(slots, pieces):
    slots.acquire()
    try:
        for piece in pieces:
            yield piece
    finally:
        slots.release()
"""
FINALLY = "    finally:\n        slots.release()\n"
SLIPS = [
    (
        """
def replies(slots, pieces):
    slots.acquire()
    try:
        for piece in pieces:
            yield piece
    except Exception as error:
        print("the reply failed:", error)
        return
    slots.release()
""",
        "after an error the slot is not given back, and the caller takes half a reply for a whole one.",
    ),
    (
        FINALLY,
        '    except Exception as error:\n        print("the reply failed:", error)\n    slots.release()\n',
        "the error is swallowed, so the caller takes half a reply for a whole one; and a hang-up is no `Exception`.",
    ),
    (
        FINALLY,
        "    except Exception:\n        slots.release()\n        raise\n    slots.release()\n",
        "when the client hangs up, the generator is closed at its `yield`: that raises GeneratorExit, which is no "
        "`Exception`, and the slot leaks.",
    ),
    (
        FINALLY,
        "    except Exception:\n        pass\n    finally:\n        slots.release()\n",
        "the slot returns, but the error is swallowed: the caller takes half a reply for a whole one.",
    ),
    (
        """
def replies(slots, pieces):
    slots.acquire()
    for piece in pieces:
        yield piece
    slots.release()
""",
        "only a reply that is read to its end gives its slot back.",
    ),
    (
        """
def replies(slots, pieces):
    slots.acquire()
    slots.release()
    for piece in pieces:
        yield piece
""",
        "the slot is given back before the reply is written: any number of replies may run.",
    ),
    (
        "        for piece in pieces:\n            yield piece\n",
        "        for piece in pieces:\n            yield piece\n        slots.release()\n",
        "a reply that is read to its end gives its slot back twice.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [("    slots.acquire()\n", "", "")]
RIGHT = [
    """
def replies(slots, pieces):
    from contextlib import contextmanager

    @contextmanager
    def held():
        slots.acquire()
        try:
            yield
        finally:
            slots.release()

    with held():
        yield from pieces
""",
    """
def replies(slots, pieces):
    slots.acquire()
    try:
        for piece in pieces:
            yield piece
    except BaseException:
        slots.release()
        raise
    slots.release()
""",
]


class Slots:
    """Free slots, counted."""

    def __init__(self) -> None:
        self.free = 3

    def acquire(self) -> None:
        self.free -= 1

    def release(self) -> None:
        self.free += 1


def failing(pieces: list[str], after: int | None) -> Iterator[str]:
    for number, piece in enumerate(pieces):
        if number == after:
            raise ConnectionError("the engine failed")
        yield piece


def drive(write: Any, pieces: list[str], fails_after: int | None, hangs_up_after: int | None) -> dict[str, Any]:
    """One reply: what came, how many slots were free meanwhile and afterwards, and what the caller was told."""
    slots, came, free, told = Slots(), [], [], "nothing"
    stream = iter(write(slots, failing(pieces, fails_after)))
    try:
        while hangs_up_after is None or len(came) < hangs_up_after:
            came.append(next(stream))
            free.append(slots.free)
        stream.close()  # what a server does when its client is gone
    except StopIteration:
        told = "the end"
    except ConnectionError:
        told = "the error"
    return {"pieces": came, "free meanwhile": free, "the caller is told": told, "free afterwards": slots.free}


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
    ]


EXERCISE = Exercise(
    reference=replies,
    minutes=4,
    difficulty=2,
    drive=drive,
    hints=(
        "In how many ways can a reply end? Follow the slot through each of them.",
        "By itself, by an error, or by a hang-up, which raises GeneratorExit at the `yield`. What runs in all three?",
        "Take the slot, and put the loop into a `try` block whose `finally` gives it back. There is nothing to catch: "
        "leave out the `except`, so that errors reach the caller.",
    ),
    proves="the slot is held meanwhile and returns once after the end, an error or a hang-up, and errors are told",
)
