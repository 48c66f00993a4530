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
"""

from __future__ import annotations

import difflib
import os
from typing import Any

from helpers.display.boxes import Box, tidy
from helpers.display.source import Source, show
from helpers.exercises import progress_file as store
from helpers.exercises.checking import registry
from helpers.exercises.checking.engine import Finding, check
from helpers.exercises.checking.spec import BrokenExercise, Exercise
from helpers.exercises.predictions import predict, reveal
from helpers.exercises.progress_file import progress
from helpers.exercises.quizzes import quiz
from helpers.exercises.solutions import solution_source

__all__ = ["ExerciseNotPassed", "catch_up", "exercise", "hint", "predict", "progress", "quiz", "reveal", "solution"]

PRINTED_LINES = 5
UNCHECKED = "Your definition stands as it is, unchecked."
USED = "The course's version is used from here on, so that the rest of the notebook runs."


class ExerciseNotPassed(Exception):
    """Raised instead of carrying on where `HANDS_ON_STRICT=1`; its text is the verdict."""


def exercise(obj: Any) -> Any:
    """Check the decorated function or class now, say how it went, and return what the rest of the notebook will use.

    That is the learner's own object where it passed, and the course's version otherwise.
    """
    name = getattr(obj, "__name__", type(obj).__name__)
    try:
        spec = registry().get(name)
        if spec is None:
            return _unknown_exercise(obj, name)
        store.session.notebook = spec.notebook
        finding = check(obj, spec)
    except BrokenExercise as error:
        _say(Box("not yet", f"`{name}` cannot be checked", [str(error), UNCHECKED]))
        return obj
    notice = store.record_exercise(name, spec.notebook, finding.status, store.session.guesses)
    _say(_verdict(spec, finding, [notice] if notice else []), passed=finding.status == "passed")
    return obj if finding.status == "passed" else spec.reference


def hint(name: str) -> None:
    """Show the next of the exercise's three hints: a nudge, the approach, nearly the code; then the third again."""
    spec = _find(name)
    if spec is None:
        return
    entry: dict = {}

    def change(data: dict) -> None:
        nonlocal entry
        entry = data["exercises"].setdefault(spec.name, {"passed": False, "tries": 0, "status": "not attempted"})
        entry.update(notebook=spec.notebook, hints=entry.get("hints", 0) + 1)

    notice = store.update(change)
    shown = min(entry["hints"], 3)
    last = (
        f'That was the last hint; `solution("{spec.name}")` shows the course\'s version.' if entry["hints"] > 3 else ""
    )
    Box("hint", f"`{spec.name}`, {shown} of 3", [spec.hints[shown - 1], *filter(None, [last, notice])]).show()


def solution(name: str) -> None:
    """Show the course's version of an exercise: the text that stands folded under its cell."""
    spec = _find(name)
    if spec is not None:
        Box("note", f"The course's version of `{spec.name}`", ["Yours may look different and be just as right."]).show()
        header = f"solution of {spec.name}, for the whole cell of the exercise"
        show(Source(header, solution_source(spec).rstrip()))


def catch_up(section: int, notebook: str = "") -> None:
    """Say how to start in the middle: the older notebooks call this where a section goes on with earlier ones."""
    title = "To go on here in a fresh kernel, run the notebook from the top: Run > Restart Kernel and Run All Cells."
    Box("note", title).show()


def _find(name: Any) -> Exercise | None:
    """The exercise of this name; without one, say so in one sentence and return None."""
    name = getattr(name, "__name__", name)  # hint(weights_bytes) means hint("weights_bytes")
    try:
        spec = registry().get(name)
    except BrokenExercise as error:
        Box("note", f"`{name}` cannot be shown", [str(error)]).show()
        return None
    if spec is None:
        Box("note", _no_such_exercise(name)[0]).show()
    return spec


def _no_such_exercise(name: Any) -> tuple[str, str]:
    """The sentence that says so, and the name that was probably meant."""
    near = next(iter(difflib.get_close_matches(str(name), registry(), n=1)), "")
    cure = f"did you mean `{near}`?" if near else "`progress()` counts those of this course."
    return f"There is no exercise called `{name}`; {cure}", near


def _unknown_exercise(obj: Any, name: str) -> Any:
    """A misspelt name: say so, and give the rest of the notebook the name that it will ask for."""
    sentence, near = _no_such_exercise(name)
    lines = [UNCHECKED]
    namespace = getattr(obj, "__globals__", {})
    if near and near not in namespace:
        namespace[near] = registry()[near].reference
        lines.append(f"Until you rename it, the course's version of `{near}` stands in for it.")
    _say(Box("not yet", sentence, lines))
    return obj


def _say(box: Box, passed: bool = False) -> None:
    if not passed and os.environ.get("HANDS_ON_STRICT", "") not in ("", "0"):
        raise ExerciseNotPassed(box.text())
    box.show()


def _verdict(spec: Exercise, finding: Finding, notice: list[str]) -> Box:
    title, extra = f"`{spec.name}`", notice
    if printed := list(dict.fromkeys(tidy(finding.printed).strip().splitlines())):  # every call prints the same again
        shown = [line.strip()[:80] for line in printed[:PRINTED_LINES]] + ["…"] * (len(printed) > PRINTED_LINES)
        extra = [f"It printed: {' ⏎ '.join(shown)}", *notice]
    if finding.status == "passed":
        lines = [f"{finding.checks} checks: {spec.proves}.", "Your own version is used from here on."]
        return Box("passed", title, [*lines, *extra])
    if finding.status == "not attempted":
        start = "Write your version over the `...` and run the cell again"
        if spec.planted:
            start = "The bug is still in: find it, change the cell and run it again"
        used = "Using the course's version so that the rest of the notebook runs."
        lines = [used, f'{start}; `hint("{spec.name}")` gives a nudge.', *extra]
        return Box("not attempted", f"{title} {spec.dots} {spec.minutes} min", lines)
    after = [*extra, USED, f'Change the cell and run it again; `hint("{spec.name}")` helps.']
    return Box("not yet", title, finding.lines, code=finding.traceback, after=after)
