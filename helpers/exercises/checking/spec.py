"""What an exercise is: a reference, inputs to try, properties that must hold, and mistakes we can name.

A topic module states these as data; `engine` does the checking. A worked example:

    Exercise(
        name="double", notebook="00_welcome", minutes=2, difficulty=1,
        reference=double,
        cases=lambda rng: [(int(rng.integers(100)),), (0,), (-3,)],
        hints=("What is twice three?", "Add the number to itself.", "Return `x` plus `x`."),
        proves="it doubles positive numbers, negative numbers and zero",
        mistakes=[Mistake(lambda x: x * x, "You square `x` instead of doubling it.")],
    )
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.random import Generator


@dataclass(frozen=True)
class Property:
    """Something every right result has: `text` completes "a property does not hold: …"; `cause` may be empty."""

    text: str
    predicate: Callable[..., bool]  # predicate(result, *args) -> bool
    cause: str = ""
    evidence: Callable[..., str] | None = None  # evidence(result, *args): a sentence that shows where it does not hold


@dataclass(frozen=True)
class Mistake:
    """A known wrong version. If the learner's results equal its results, `cause` is what we say."""

    variant: Callable[..., Any]
    cause: str


@dataclass(frozen=True)
class BadInput:
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

    In its own file, name, notebook, cases, mistakes, planted and answer stand elsewhere: `loading` fills them in.
    """

    name: str = ""
    notebook: str = ""  # "00_welcome"
    minutes: int
    difficulty: int  # 1 to 3 dots
    reference: Callable[..., Any] | type
    cases: Callable[[Generator], list[tuple]] = None  # type: ignore[assignment]  # filled in by `loading`
    hints: tuple[str, str, str]
    proves: str  # completes "n checks: "
    properties: Sequence[Property] = ()
    mistakes: Sequence[Mistake] = ()
    drive: Callable[..., Any] | None = None  # drive(obj, *case) -> a value to compare; for classes and higher order
    shown: Callable[..., str] | None = None  # shown(*case) -> the call that is told, where `drive` makes other ones
    first_call: int | None = None  # arguments of the first of two calls, where it reads f(a)(b, c); None: all of them
    planted: Callable[..., Any] | type | None = None  # what stands in the cell; unchanged means "not attempted"
    raises: Sequence[BadInput] = ()
    tolerance: float = 1e-5  # absolute and relative, for floating point only
    seconds: float = 5.0  # for all cases together
    answer: str = ""  # a right answer as a learner writes it; empty: the reference's source is one
    module: str = ""  # whose imports and definitions `answer` sees

    def __post_init__(self) -> None:
        if len(self.hints) != 3:
            raise ValueError(f"exercise `{self.name}` needs three hints, not {len(self.hints)}")
        if not 1 <= self.difficulty <= 3:
            raise ValueError(f"exercise `{self.name}` has difficulty {self.difficulty}; it must be 1, 2 or 3")
        if isinstance(self.reference, type) and self.drive is None:
            raise ValueError(f"exercise `{self.name}` is a class, so it needs `drive`")

    @property
    def place(self) -> str:
        """Its file from the repository's root, or its name where it stands in no file of its own."""
        return self.module.replace(".", "/") + ".py" if self.module else f"exercise `{self.name}`"

    @property
    def dots(self) -> str:
        """Difficulty as three dots, `●●○`."""
        return "●" * self.difficulty + "○" * (3 - self.difficulty)
