"""Exercises that check themselves at once and never block the notebook.

    @exercise
    def weights_bytes(n_parameters, dtype):     # checked as soon as the cell runs: passed, not yet, or not attempted
        ...
    hint("weights_bytes")                       # the next of three hints
    solution("weights_bytes")                   # the course's version
    predict("memory", "How many MB?", 500, unit="MB")     # guess before you run …
    reveal("memory", 269)                                 # … and see how far off you were
    quiz("00"); progress()

Unless an exercise is passed, the course's version takes its place, so everything after it runs. `HANDS_ON_STRICT=1`
makes anything but "passed" raise `ExerciseNotPassed`, for graders.

What this module does *not* do: checking (`checking.engine`), storing (`progress_file`), drawing (`display.boxes`).
"""

from __future__ import annotations

import difflib
import os
import sys
from typing import Any

from helpers.display.boxes import Box, tidy
from helpers.display.source import Source, show
from helpers.exercises import progress_file as store
from helpers.exercises.checking import BrokenExercise, registry
from helpers.exercises.checking.engine import Finding, check
from helpers.exercises.checking.spec import Exercise
from helpers.exercises.kernel import session
from helpers.exercises.predictions import predict, reveal
from helpers.exercises.progress_report import progress
from helpers.exercises.quizzes import quiz
from helpers.exercises.solutions import solution_source

__all__ = [
    "ExerciseNotPassed",
    "catch_up",
    "exercise",
    "hint",
    "predict",
    "progress",
    "quiz",
    "reveal",
    "solution",
]

PRINTED_LINES = 5
UNCHECKED = "Your definition stands as it is, unchecked."


class ExerciseNotPassed(Exception):
    """Raised instead of carrying on where `HANDS_ON_STRICT=1`; its text is the verdict."""


def exercise(obj: Any = None) -> Any:
    """Check the decorated function or class now, say how it went, and return what the rest of the notebook will use.

    That is the learner's own object where it passed, and the course's version otherwise.
    Raises ExerciseNotPassed where `HANDS_ON_STRICT=1` and it did not pass.
    """
    if obj is None:  # written as `@exercise()`
        return exercise
    name = getattr(obj, "__name__", type(obj).__name__)
    try:
        spec = registry().get(name)
        if spec is None:
            return _unknown_exercise(obj, name)
        session.enter(spec.notebook)
        finding = check(obj, spec)
    except BrokenExercise as error:
        return _unchecked(obj, Box("not yet", f"`{name}` cannot be checked", [str(error), UNCHECKED]))
    notice = store.record_exercise(name, spec.notebook, finding.status, session.guesses)
    box = _verdict(spec, finding, notice)
    if finding.status != "passed" and _strict():
        raise ExerciseNotPassed(box.text())
    box.show()
    return obj if finding.status == "passed" else spec.reference


def hint(name: str) -> None:
    """Show the next of the exercise's three hints: a nudge, the approach, nearly the code; then the third again."""
    spec = _find(name)
    if spec is None:
        return
    rung = max(session.hints.get(name, 0), _recorded_hints(name)) + 1
    session.hints[name] = rung

    def change(data: dict) -> None:
        entry = data["exercises"].setdefault(name, {"passed": False, "tries": 0, "status": "not attempted"})
        entry["notebook"] = spec.notebook
        entry["hints"] = min(rung, 3)

    notice = store.update(change)
    shown = min(rung, 3)
    lines = [spec.hints[shown - 1]]
    if rung > 3:
        lines.append(f'That was the last hint; `solution("{name}")` shows the course\'s version.')
    Box("hint", f"`{name}`, {shown} of 3", [*lines, *filter(None, [notice])]).show()


def solution(name: str) -> None:
    """Show the course's version of an exercise: the text that stands folded under its cell."""
    spec = _find(name)
    if spec is None:
        return
    Box("note", f"The course's version of `{name}`", ["Yours may look different and be just as right."]).show()
    show(Source(f"solution of {spec.name}, for the whole cell of the exercise", solution_source(spec).rstrip()))


def catch_up(section: int, notebook: str = "") -> None:
    """Say how to start in the middle: the older notebooks call this where a section goes on with earlier ones."""
    title = "To go on here in a fresh kernel, run the notebook from the top: Run > Restart Kernel and Run All Cells."
    Box("note", title).show()


def _recorded_hints(name: str) -> int:
    return store.read()[0]["exercises"].get(name, {}).get("hints", 0)


def _find(name: Any) -> Exercise | None:
    """The exercise of this name; without one, say so in one sentence and return None."""
    name = getattr(name, "__name__", name)  # hint(weights_bytes) means hint("weights_bytes")
    try:
        spec = registry().get(name) if isinstance(name, str) else None
    except BrokenExercise as error:
        Box("note", f"`{name}` cannot be shown", [str(error)]).show()
        return None
    if spec is None:
        Box("note", _no_such_exercise(str(name))).show()
    return spec


def _nearest(name: str) -> str | None:
    return next(iter(difflib.get_close_matches(name, registry(), n=1, cutoff=0.6)), None)


def _no_such_exercise(name: str) -> str:
    if near := _nearest(name):
        return f"There is no exercise called `{name}`; did you mean `{near}`?"
    return f"There is no exercise called `{name}`; `progress()` lists those of this course."


def _unknown_exercise(obj: Any, name: str) -> Any:
    """A misspelt name: say so, and give the rest of the notebook the name that it will ask for."""
    near = _nearest(name)
    lines = [UNCHECKED]
    namespace = getattr(obj, "__globals__", None) or getattr(
        sys.modules.get(getattr(obj, "__module__", "")), "__dict__", None
    )
    if near and namespace is not None and near not in namespace:
        namespace[near] = registry()[near].reference
        lines.append(
            f"Until you rename it, the course's version of `{near}` is used, so that the rest of the notebook runs."
        )
    return _unchecked(obj, Box("not yet", _no_such_exercise(name), lines))


def _unchecked(obj: Any, box: Box) -> Any:
    if _strict():
        raise ExerciseNotPassed(box.text())
    box.show()
    return obj


def _verdict(spec: Exercise, finding: Finding, notice: str) -> Box:
    extra = [*_printed(finding.printed), *filter(None, [notice])]
    if finding.status == "passed":
        lines = [f"{finding.checks} checks: {spec.proves}.", "Your own version is used from here on."]
        return Box("passed", f"`{spec.name}`", [*lines, *extra])
    if finding.status == "not attempted":
        start = (
            "The bug is still in: find it, change the cell and run it again"
            if spec.planted
            else "Write your version over the `...` and run the cell again"
        )
        lines = [
            "Using the course's version so that the rest of the notebook runs.",
            f'{start}; `hint("{spec.name}")` gives a nudge.',
        ]
        return Box("not attempted", f"`{spec.name}` {spec.dots} {spec.minutes} min", [*lines, *extra])
    after = [
        *extra,
        "The course's version is used from here on, so that the rest of the notebook runs.",
        f'Change the cell and run it again; `hint("{spec.name}")` helps.',
    ]
    return Box("not yet", f"`{spec.name}`", finding.lines, code=finding.traceback, after=after)


def _printed(text: str) -> list[str]:
    lines = list(dict.fromkeys(tidy(text).strip().splitlines()))  # every call of the check prints the same line again
    if not lines:
        return []
    shown = " ⏎ ".join(line.strip()[:80] for line in lines[:PRINTED_LINES])
    return [f"It printed: {shown}{' ⏎ …' if len(lines) > PRINTED_LINES else ''}"]


def _strict() -> bool:
    return os.environ.get("HANDS_ON_STRICT", "") not in ("", "0")
