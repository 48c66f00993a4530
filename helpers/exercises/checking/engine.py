"""Check a learner's function or class against an exercise, and say the first thing that is wrong.

Order: call signature, running at all, kind and shape, dtype, input left alone, properties, first differing value,
bad input.
The suspected cause is never guessed: it is said only where a known mistake gives the very same results.
"""

from __future__ import annotations

import copy
import inspect
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

import numpy as np

from helpers.exercises.checking import compare, settings, stubs, tracebacks
from helpers.exercises.checking.randomness import preserved_randomness, seed_everything
from helpers.exercises.checking.signature import call_text, signature_problem
from helpers.exercises.checking.spec import BrokenExercise, Exercise
from helpers.exercises.checking.variants import Variant
from helpers.exercises.checking.watchdog import captured_output, limit_seconds, watch

ENOUGH = 3  # wrong results that must equal a known mistake's before it is named for part of an answer


@dataclass
class Finding:
    """What a check found: `status` is passed, not attempted or not yet; the rest is for the reader."""

    status: str
    checks: int = 0
    lines: list[str] = field(default_factory=list)
    traceback: str = ""
    printed: str = ""


@dataclass
class Outcome:
    """What one call did: the value or the error, and the arguments as they were afterwards."""

    args: tuple
    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class Prepared:
    """The inputs of an exercise, and what the reference does with each."""

    inputs: list[tuple]
    expected: list[Outcome]


def check(obj: Any, spec: Exercise, prepared: Prepared | None = None) -> Finding:
    """Run every check of `spec` on the learner's `obj`.

    Never raises what `obj` raises; restores random state and settings. Raises BrokenExercise where the exercise itself
    is at fault. prepared: what `prepare(spec)` gave, to check many answers to one exercise.
    """
    if stubs.not_attempted(obj, spec.planted):
        return Finding("not attempted")
    if problem := signature_problem(obj, spec):
        return Finding("not yet", lines=[problem])
    with preserved_randomness():
        return _check_results(obj, spec, prepared or prepare(spec))


def prepare(spec: Exercise) -> Prepared:
    """Compute the inputs and what the reference does with them; BrokenExercise where it fails its own checks."""
    with preserved_randomness():
        try:
            inputs = inputs_of(spec)
        except Exception as error:
            raise BrokenExercise(f"{spec.place}: `cases` stops with {type(error).__name__}: {error}.") from error
        prepared = Prepared(inputs, outcomes(spec.reference, spec, inputs))
    if fault := _fault(spec, prepared):
        raise BrokenExercise(f"{spec.place}: {fault}.")
    return prepared


def _fault(spec: Exercise, prepared: Prepared) -> str:
    """What the reference does against its own exercise; empty where nothing."""
    n_cases = len(prepared.inputs) - len(spec.raises)
    for i, (case, outcome) in enumerate(zip(prepared.inputs, prepared.expected, strict=True)):
        called, error = f"the reference, called as `{call_text(spec, case)}`,", outcome.error
        if i < n_cases and error is not None:
            return f"{called} raises {type(error).__name__}, which `raises` does not declare: {error}"
        if i >= n_cases and not _refused(spec, i - n_cases, outcome, outcome):
            bad = spec.raises[i - n_cases]
            naming = f" that names {bad.mentions!r}" if bad.mentions else ""
            return f"{called} does not raise a {bad.exception.__name__}{naming}"
        for prop in spec.properties if i < n_cases else ():
            if not _holds(prop.predicate, outcome.value, case):
                return f"{called} does not have the property that {prop.text}"
    return ""


def inputs_of(spec: Exercise) -> list[tuple]:
    """The argument tuples to try, the same on every run; the bad inputs come last."""
    rng = np.random.default_rng(zlib.crc32(spec.name.encode()))
    return [*spec.cases(rng), *(bad.args for bad in spec.raises)]


def _check_results(obj: Any, spec: Exercise, prepared: Prepared) -> Finding:
    inputs, home = prepared.inputs, _home(obj)
    found: list[Outcome] = []
    changed: dict[str, str] = {}

    def run_all(stop: Event) -> None:
        here = settings.snapshot()
        outcomes(obj, spec, inputs, into=found, stop=stop)
        changed.update(settings.changes(here, settings.snapshot()))

    before = settings.snapshot()
    with captured_output() as sink, _visible_by_name(obj, spec.name):
        run = watch(run_all, limit_seconds(spec.seconds))
    changed.update(settings.changes(before, settings.snapshot()))
    settings.restore(before, changed)
    printed = sink.kept
    if run.state != "finished":
        current = inputs[min(len(found), len(inputs) - 1)]
        finding = Finding("not yet", lines=_unfinished(run, spec, current, home), printed=printed)
    elif run.error is not None:  # the checker's own fault: say so where it happens
        raise run.error
    else:
        finding = _judge(spec, inputs, prepared.expected, found, home, printed)
    if changed:  # it comes first: a changed setting often is why a result is wrong
        return replace(finding, status="not yet", checks=0, lines=[*changed.values(), *finding.lines])
    return finding


def outcomes(
    function: Any,
    spec: Exercise,
    inputs: list[tuple],
    into: list[Outcome] | None = None,
    stop: Event | None = None,
    only: int | None = None,
) -> list[Outcome]:
    """Call `function` on a copy of each input, or of number `only`; the seed of a call is its number on every run.

    Leave once `stop` is set.
    """
    results = [] if into is None else into
    for i, case in enumerate(inputs):
        if only not in (None, i):
            continue
        args = _copy(case)
        seed_everything(i)
        outcome = Outcome(args)
        try:
            value = spec.drive(function, *args) if spec.drive else function(*args)
            outcome.value = _copy(value)
        except BaseException as error:  # SystemExit and KeyboardInterrupt too: the learner's code may raise anything
            if stop is not None and stop.is_set():
                return results
            outcome.error = error
        outcome.args = _copy(args)
        results.append(outcome)
    return results


def _judge(
    spec: Exercise, inputs: list[tuple], expected: list[Outcome], found: list[Outcome], home: str, printed: str
) -> Finding:
    n_cases = len(inputs) - len(spec.raises)
    good = [i for i in range(n_cases) if expected[i].error is None]

    def fail(i: int, *lines: str, cause: str = "", traceback: str = "") -> Finding:
        suspicion = suspected_cause(spec, inputs, expected, found, i) or cause
        extra = [f"Suspected cause: {suspicion}"] if suspicion else []
        return Finding("not yet", lines=[*lines, *extra], traceback=traceback, printed=printed)

    for i in good:
        if (error := found[i].error) is not None:
            headline = f"It stops with an error when called as `{call_text(spec, inputs[i])}`."
            if isinstance(error, SystemExit | KeyboardInterrupt):
                headline = f"It tries to end the whole program ({type(error).__name__}) instead of returning a value."
            return fail(i, headline, cause=_advice(error), traceback=tracebacks.explain(error, home))
    wanted = [i for i in good if expected[i].value is not None]
    if wanted and all(found[i].value is None for i in wanted) and len(wanted) == len(good):
        also = " Printing a value shows it, but does not give it back." if printed.strip() else ""
        return fail(wanted[0], f"It returns None. Did you forget `return`?{also}")
    for i in wanted if len(wanted) == len(good) else []:  # where None is no right answer, it is an unfinished branch
        if found[i].value is None:
            return fail(i, f"It returns None for `{call_text(spec, inputs[i])}`, and a value for other calls.")
    problems = {i: compare.differences(expected[i].value, found[i].value, spec.tolerance) for i in good}
    for stage in ("kind", "shape", "dtype"):
        for i in good:
            for difference in problems[i]:
                if difference.stage == stage:
                    headline = f"The {stage} of the result is wrong for `{call_text(spec, inputs[i])}`."
                    return fail(i, headline, difference.text)
    for i in good:
        if lines := _argument_problem(spec, inputs[i], expected[i], found[i]):
            return fail(i, *lines)
    for prop in spec.properties:
        for i in good:
            if not _holds(prop.predicate, found[i].value, inputs[i]):
                lines = [f"A property does not hold: {prop.text}.", f"It fails for `{call_text(spec, inputs[i])}`."]
                # of many numbers, the first that differs need not be the one without the property
                shown = [] if compare.all_finite(found[i].value) else [d.text for d in problems[i][:1]]
                if prop.evidence is not None:
                    shown = [prop.evidence(found[i].value, *_copy(inputs[i]))]
                return fail(i, *lines, *shown, cause=prop.cause)
    for i in good:
        if problems[i]:
            return fail(i, f"The result is wrong for `{call_text(spec, inputs[i])}`.", problems[i][0].text)
    for i in range(len(inputs)):
        if expected[i].error is not None and not _refused(spec, i - n_cases, expected[i], found[i]):
            return fail(i, *_refusal_lines(spec, i - n_cases, inputs[i], expected[i], found[i]))
    checks = 1 + len(good) * (2 + len(spec.properties)) + len(inputs) - len(good)
    return Finding("passed", checks=checks, printed=printed)


def suspected_cause(
    spec: Exercise, inputs: list[tuple], expected: list[Outcome], found: list[Outcome], failing: int
) -> str:
    """The sentence of the known mistake whose results are the learner's; empty where there is none.

    A mistake equal on every input is preferred to one that is equal only on the inputs where the learner's is wrong;
    and that one counts only where there are at least `ENOUGH` of those, since on one or two it may be chance.
    """
    n_cases = len(inputs) - len(spec.raises)

    def accepted(i: int, outcome: Outcome) -> bool:
        if expected[i].error is not None:
            return _refused(spec, i - n_cases, expected[i], outcome)
        return outcome.error is None and _same(spec, expected[i], outcome)

    # Whether bad input is refused is another question than which values come out, so each is matched by itself.
    same_sort = range(n_cases) if failing < n_cases else range(n_cases, len(inputs))
    wrong = [i for i in same_sort if not accepted(i, found[i])]
    partial = ""
    limit = limit_seconds(spec.seconds)
    deadline = time.monotonic() + 2 * limit
    for mistake in spec.mistakes:
        if time.monotonic() > deadline:
            break
        theirs = _made(mistake, spec, inputs, found[failing], failing, seconds=limit / 2)
        if theirs is None:
            continue
        if all(_same(spec, theirs[i], found[i]) for i in wrong) and failing in wrong:
            if all(i in wrong or accepted(i, theirs[i]) for i in same_sort):
                return mistake.said
            partial = partial or (mistake.said if len(wrong) >= ENOUGH else "")
    return partial


def _made(
    mistake: Variant, spec: Exercise, inputs: list[tuple], wanted: Outcome, at: int, seconds: float
) -> list[Outcome] | None:
    """What a known mistake gives for every input.

    None where it differs from `wanted` for input number `at`, cannot be defined, or does not come to an end.
    """
    made: list[Outcome] = []

    def run(stop: Event) -> None:
        variant = mistake.function
        there = outcomes(variant, spec, inputs, stop=stop, only=at)
        if there and _same(spec, there[0], wanted):  # most are ruled out by one call
            outcomes(variant, spec, inputs, into=made, stop=stop)

    with captured_output():
        done = watch(run, seconds)
    return made if done.state == "finished" and done.error is None and len(made) == len(inputs) else None


def _same(spec: Exercise, one: Outcome, other: Outcome) -> bool:
    if one.error is not None or other.error is not None:
        return type(one.error) is type(other.error) and str(one.error) == str(other.error)
    return compare.equal(one.value, other.value, spec.tolerance) and compare.equal(one.args, other.args, spec.tolerance)


def _holds(predicate: Callable[..., bool], value: Any, case: tuple) -> bool:
    try:
        return bool(predicate(value, *_copy(case)))
    except Exception:  # a result on which the property cannot even be asked does not have it
        return False


def _argument_problem(spec: Exercise, before: tuple, expected: Outcome, found: Outcome) -> list[str]:
    """Sentences about the first argument that is not as the reference leaves it; empty where all are."""
    names = _argument_names(spec, before)
    for name, old, want, have in zip(names, before, expected.args, found.args, strict=False):
        if compare.equal(want, have, spec.tolerance):
            continue
        detail = compare.differences(want, have, spec.tolerance)[0].text
        if compare.equal(old, want, spec.tolerance):
            return [
                f"It changes its input `{name}`, which belongs to the caller: work on a copy.",
                f"Seen after `{call_text(spec, before)}`. {detail}",
            ]
        return [f"After the call `{call_text(spec, before)}`, `{name}` is not as it should be.", detail]
    return []


def _argument_names(spec: Exercise, case: tuple) -> list[str]:
    if spec.drive:
        names = list(inspect.signature(spec.drive).parameters)[1:]
    else:
        names = list(inspect.signature(spec.reference).parameters)
    return names[: len(case)] + [f"argument {i + 1}" for i in range(len(names), len(case))]


def _refused(spec: Exercise, index: int, expected: Outcome, found: Outcome) -> bool:
    wanted = spec.raises[index].exception if index >= 0 else type(expected.error)
    mentions = spec.raises[index].mentions if index >= 0 else ""
    return isinstance(found.error, wanted) and mentions in str(found.error)


def _refusal_lines(spec: Exercise, index: int, case: tuple, expected: Outcome, found: Outcome) -> list[str]:
    wanted = spec.raises[index].exception if index >= 0 else type(expected.error)
    because = f", because {spec.raises[index].because}" if index >= 0 else ""
    did = f"it raises {type(found.error).__name__}" if found.error else f"it returns {compare.describe(found.value)}"
    if isinstance(found.error, wanted):
        named = spec.raises[index].mentions
        return [f"The message for `{call_text(spec, case)}` should name {named!r}; yours is {str(found.error)!r}."]
    return [f"Bad input must be refused: `{call_text(spec, case)}` should raise {wanted.__name__}{because}; {did}."]


def _unfinished(run: Any, spec: Exercise, case: tuple, home: str) -> list[str]:
    where = tracebacks.where_stuck(run.frames, home)
    if run.state == "interrupted":
        return ["You stopped the check.", *([where] if where else [])]
    if run.state == "too deep":
        endless = f"Called as `{call_text(spec, case)}`, it calls itself again and again, so the check stopped it."
        return [endless, f"Suspected cause: {_advice(RecursionError())}"]
    limit = limit_seconds(spec.seconds)
    called = f"Called as `{call_text(spec, case)}`, it did not finish within {limit:g} seconds"
    end = ", so the check stopped it."
    if run.state == "abandoned":
        end = " and could not be stopped: it goes on in the background until you restart the kernel."
    return [called + end, *([where] if where else [])]


def _advice(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "the function calls itself without ever reaching a case that returns."
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return "`exit()`, `quit()` or `sys.exit()` stands in the function; use `return` to leave a function."
    if isinstance(error, UnicodeDecodeError) and error.reason == "unexpected end of data":
        return "the bytes end in the middle of a character: decode them when the rest of it is there."
    return ""


def _home(obj: Any) -> str:
    """The file name under which the learner's cell was compiled."""
    code = next(iter(stubs.methods(obj).values()), None) if isinstance(obj, type) else stubs.code_of(obj)
    return code.co_filename if code else ""


class _visible_by_name:
    """While it is checked, the learner's object stands under its own name, so that it can call itself."""

    def __init__(self, obj: Any, name: str) -> None:
        function = inspect.unwrap(obj) if callable(obj) and not isinstance(obj, type) else obj
        self.namespace = getattr(function, "__globals__", None)
        if isinstance(obj, type):
            self.namespace = getattr(sys.modules.get(obj.__module__), "__dict__", None)
        self.name, self.obj = name, obj

    def __enter__(self) -> None:
        if self.namespace is not None:
            self.before = self.namespace.get(self.name, self)
            self.namespace[self.name] = self.obj

    def __exit__(self, *_: object) -> None:
        if self.namespace is not None:
            if self.before is self:
                self.namespace.pop(self.name, None)
            else:
                self.namespace[self.name] = self.before


def _copy(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:  # generators, open files and tensors inside a graph cannot be copied; they are used as they are
        return value
