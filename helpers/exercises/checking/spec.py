"""What an exercise is: a reference, inputs to try, properties that must hold, and slips that we can name.

The files state these (`loading` says how); `engine` does the checking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.random import Generator

from helpers.exercises.checking.variants import Variant


class Property(NamedTuple):
    """Something every right result has: `text` completes "a property does not hold: …"; `cause` may be empty."""

    text: str
    predicate: Callable[..., bool]  # predicate(result, *args) -> bool
    cause: str = ""
    evidence: Callable[..., str] | None = None  # evidence(result, *args): a sentence that shows where it does not hold


class BadInput(NamedTuple):
    """Arguments that must be refused: the learner's function has to raise `exception` (or a subclass of it)."""

    args: tuple
    exception: type[Exception]
    because: str  # completes "…, because", e.g. "no dtype is called fp7"
    mentions: str = ""  # what the message has to name, e.g. "fp7"


class BrokenExercise(ValueError):
    """An exercise itself is at fault, not the answer; the text is one sentence that names its file."""


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One exercise. `cases(rng)` gives fresh argument tuples from a generator that is seeded by the exercise's name.

    In a file of the old form, name, notebook, place, cases, mistakes and planted stand elsewhere: `loading` adds them.
    """

    name: str = ""
    notebook: str = ""  # "00_welcome"
    place: str = ""  # its file from the repository's root
    minutes: int
    difficulty: int  # 1 to 3 dots
    reference: Callable[..., Any] | type
    cases: Callable[[Generator], list[tuple]] = None  # type: ignore[assignment]
    hints: Sequence[str]
    proves: str  # completes "n checks: "
    properties: Sequence[Property] = ()
    mistakes: Sequence[Variant] = ()  # where the learner's results equal those of one, what is said of it is told
    drive: Callable[..., Any] | None = None  # drive(obj, *case) -> a value to compare; for classes and higher order
    shown: Callable[..., str] | None = None  # shown(*case) -> the call that is told, where `drive` makes other ones
    first_call: int | None = None  # arguments of the first of two calls, where it reads f(a)(b, c); None: all of them
    planted: Callable[..., Any] | type | None = None  # what stands in the cell; unchanged means "not attempted"
    raises: Sequence[BadInput] = ()
    tolerance: float = 1e-5  # absolute and relative, for floating point only
    seconds: float = 5.0  # for all cases together

    @property
    def dots(self) -> str:
        """Difficulty as three dots, `●●○`."""
        return "●" * self.difficulty + "○" * (3 - self.difficulty)
