"""Check a learner's function or class against an exercise, and say the first thing that is wrong.

Order: call signature, running at all, kind and shape, dtype, input left alone, properties, first differing value,
bad input.
The suspected cause is never guessed: it is said only where a known slip gives the very same results.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any, NamedTuple

import numpy as np

from helpers.exercises.checking import compare, signature, tracebacks, watchdog
from helpers.exercises.checking.signature import call_text
from helpers.exercises.checking.spec import BadInput, BrokenExercise, Exercise, Property
from helpers.exercises.checking.watchdog import Watched, captured_output, limit_seconds, watch

ENOUGH = 3  # wrong results that must equal a known slip's before it is named for part of an answer


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


class Prepared(NamedTuple):
    """The inputs of an exercise, the `n_cases` good ones first, and what the reference does with each."""

    inputs: list[tuple]
    expected: list[Outcome]
    n_cases: int


def check(obj: Any, spec: Exercise, prepared: Prepared | None = None) -> Finding:
    """Run every check of `spec` on the learner's `obj`; `prepared`, from `prepare(spec)`, is for many answers to one.

    Never raises what `obj` raises; restores random state and settings. Raises BrokenExercise for the exercise's faults.
    """
    if signature.not_attempted(obj, spec.planted):
        return Finding("not attempted")
    if problem := signature.signature_problem(obj, spec):
        return Finding("not yet", lines=[problem])
    with watchdog.preserved_randomness():
        return _check_results(obj, spec, prepared or prepare(spec))


def prepare(spec: Exercise) -> Prepared:
    """Compute the inputs and what the reference does with them; BrokenExercise where it fails its own checks."""
    with watchdog.preserved_randomness():
        try:
            inputs = inputs_of(spec)
        except Exception as error:
            raise BrokenExercise(f"{spec.place}: `cases` stops with {type(error).__name__}: {error}.") from error
        expected = outcomes(spec.reference, spec, inputs, Event(), [])
    prepared = Prepared(inputs, expected, len(inputs) - len(spec.raises))
    verdict = _judge(spec, prepared, expected, home="", printed="")
    if verdict.status != "passed":
        raise BrokenExercise(f"{spec.place}: the reference fails its own checks: {' '.join(verdict.lines)}")
    return prepared


def inputs_of(spec: Exercise) -> list[tuple]:
    """The argument tuples to try, the same on every run; the bad inputs come last."""
    rng = np.random.default_rng(zlib.crc32(spec.name.encode()))
    return [*spec.cases(rng), *(bad.args for bad in spec.raises)]


def _check_results(obj: Any, spec: Exercise, prepared: Prepared) -> Finding:
    codes = signature.methods(obj).values() if isinstance(obj, type) else [signature.code_of(obj)]
    code = next(iter(codes), None)
    home = code.co_filename if code else ""  # the file name under which the learner's cell was compiled
    found: list[Outcome] = []
    changed: dict[str, str] = {}

    def run_all(stop: Event) -> None:
        here = watchdog.snapshot()
        outcomes(obj, spec, prepared.inputs, stop, found)
        changed.update(watchdog.changes(here))

    before = watchdog.snapshot()
    with captured_output() as sink, _visible_by_name(obj, spec.name):
        run = watch(run_all, limit_seconds(spec.seconds))
    changed.update(watchdog.changes(before))
    watchdog.restore(before, changed)
    if run.state != "finished":
        current = prepared.inputs[min(len(found), len(prepared.inputs) - 1)]
        finding = Finding("not yet", lines=_unfinished(run, spec, current, home), printed=sink.kept)
    elif run.error is not None:  # the checker's own fault: say so where it happens
        raise run.error
    else:
        finding = _judge(spec, prepared, found, home, sink.kept)
    if changed:  # it comes first: a changed setting often is why a result is wrong
        return replace(finding, status="not yet", checks=0, lines=[*changed.values(), *finding.lines])
    return finding


def outcomes(function: Any, spec: Exercise, inputs: list[tuple], stop: Event, into: list[Outcome]) -> list[Outcome]:
    """Call `function` on every input; leave once `stop` is set."""
    for i, case in enumerate(inputs):
        made = outcome(function, spec, case, i)
        if stop.is_set():
            break
        into.append(made)
    return into


def outcome(function: Any, spec: Exercise, case: tuple, seed: int) -> Outcome:
    """Call `function` on a copy of one input."""
    made = Outcome(_copy(case))
    watchdog.seed_everything(seed)
    try:
        called = spec.drive(function, *made.args) if spec.drive else function(*made.args)
        made.value = _copy(called)
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: a learner may raise anything
        made.error = error
    made.args = _copy(made.args)
    return made


def _judge(spec: Exercise, prepared: Prepared, found: list[Outcome], home: str, printed: str) -> Finding:
    inputs, expected, good = prepared.inputs, prepared.expected, range(prepared.n_cases)
    called = [f"`{call_text(spec, case)}`" for case in inputs]

    def fail(i: int, *lines: str, cause: str = "", traceback: str = "") -> Finding:
        suspicion = suspected_cause(spec, prepared, found, i) or cause
        extra = [f"Suspected cause: {suspicion}"] if suspicion else []
        return Finding("not yet", lines=[*lines, *extra], traceback=traceback, printed=printed)

    for i in good:
        if (error := found[i].error) is not None:
            told = tracebacks.explain(error, home)
            return fail(i, f"It stops with an error when called as {called[i]}.", cause=_advice(error), traceback=told)
    if good and all(expected[i].value is not None for i in good):  # then None is an unfinished branch
        if all(found[i].value is None for i in good):
            also = " Printing a value shows it, but does not give it back." if printed.strip() else ""
            return fail(0, f"It returns None. Did you forget `return`?{also}")
        for i in good:
            if found[i].value is None:
                return fail(i, f"It returns None for {called[i]}, and a value for other calls.")
    problems = {i: compare.differences(expected[i].value, found[i].value, spec.tolerance) for i in good}
    for stage in ("kind", "shape", "dtype"):
        for i in good:
            for difference in problems[i]:
                if difference.stage == stage:
                    return fail(i, f"The {stage} of the result is wrong for {called[i]}.", difference.text)
    for i in good:
        if lines := _argument_problem(spec, inputs[i], called[i], expected[i], found[i]):
            return fail(i, *lines)
    for prop in spec.properties:
        for i in good:
            if not _holds(prop, found[i].value, inputs[i]):
                # of many numbers, the first that differs need not be the one without the property
                shown = [] if compare.all_finite(found[i].value) else [d.text for d in problems[i][:1]]
                if prop.evidence is not None:
                    shown = [prop.evidence(found[i].value, *_copy(inputs[i]))]
                lines = [f"A property does not hold: {prop.text}.", f"It fails for {called[i]}.", *shown]
                return fail(i, *lines, cause=prop.cause)
    for i in good:
        if problems[i]:
            return fail(i, f"The result is wrong for {called[i]}.", problems[i][0].text)
    for i, bad in enumerate(spec.raises, len(good)):
        if not _refuses(found[i], bad):
            error, wanted = found[i].error, bad.exception
            did = f"it raises {type(error).__name__}" if error else f"it returns {compare.describe(found[i].value)}"
            line = f"{called[i]} should raise {wanted.__name__}, because {bad.because}; {did}."
            if isinstance(error, wanted):
                return fail(i, f"The message for {called[i]} should name {bad.mentions!r}; yours is {str(error)!r}.")
            return fail(i, f"Bad input must be refused: {line}")
    checks = 1 + len(good) * (2 + len(spec.properties)) + len(spec.raises)
    return Finding("passed", checks=checks, printed=printed)


def suspected_cause(spec: Exercise, prepared: Prepared, found: list[Outcome], failing: int) -> str:
    """What is said of the slip whose results are the learner's; empty where there is none.

    A slip equal on every input is preferred to one that is equal only on the inputs where the learner's is wrong;
    and that one counts only where there are at least `ENOUGH` of those, since on one or two it may be chance.
    """
    n_cases, expected = prepared.n_cases, prepared.expected

    def accepted(i: int, outcome: Outcome) -> bool:
        if i >= n_cases:
            return _refuses(outcome, spec.raises[i - n_cases])
        return outcome.error is None and _same(spec, expected[i], outcome)

    # Whether bad input is refused is another question than which values come out, so each is matched by itself.
    same_sort = range(n_cases) if failing < n_cases else range(n_cases, len(expected))
    wrong = [i for i in same_sort if not accepted(i, found[i])]
    partial, limit = "", limit_seconds(spec.seconds)
    deadline = time.monotonic() + 2 * limit
    for slip in spec.mistakes:
        if time.monotonic() > deadline or failing not in wrong:
            break
        theirs: list[Outcome] = []

        def run(stop: Event, slip: Any = slip, theirs: list[Outcome] = theirs) -> None:
            there = outcome(slip.function, spec, prepared.inputs[failing], failing)
            if _same(spec, there, found[failing]):  # most are ruled out by one call
                outcomes(slip.function, spec, prepared.inputs, stop, theirs)

        with captured_output():
            done = watch(run, limit / 2)
        complete = done.state == "finished" and len(theirs) == len(expected)
        if complete and all(_same(spec, theirs[i], found[i]) for i in wrong):
            if all(i in wrong or accepted(i, theirs[i]) for i in same_sort):
                return slip.said
            partial = partial or (slip.said if len(wrong) >= ENOUGH else "")
    return partial


def _same(spec: Exercise, one: Outcome, other: Outcome) -> bool:
    if one.error is not None or other.error is not None:
        return type(one.error) is type(other.error) and str(one.error) == str(other.error)
    return compare.equal(one.value, other.value, spec.tolerance) and compare.equal(one.args, other.args, spec.tolerance)


def _holds(prop: Property, value: Any, case: tuple) -> bool:
    try:
        return bool(prop.predicate(value, *_copy(case)))
    except Exception:  # a result on which the property cannot even be asked does not have it
        return False


def _refuses(found: Outcome, bad: BadInput) -> bool:
    return isinstance(found.error, bad.exception) and bad.mentions in str(found.error)


def _argument_problem(spec: Exercise, before: tuple, called: str, expected: Outcome, found: Outcome) -> list[str]:
    """Sentences about the first argument that is not as the reference leaves it; empty where all are."""
    for name, old, want, have in zip(signature.argument_names(spec), before, expected.args, found.args, strict=False):
        if compare.equal(want, have, spec.tolerance):
            continue
        detail = compare.differences(want, have, spec.tolerance)[0].text
        if compare.equal(old, want, spec.tolerance):
            headline = f"It changes its input `{name}`, which belongs to the caller: work on a copy."
            return [headline, f"Seen after {called}. {detail}"]
        return [f"After the call {called}, `{name}` is not as it should be.", detail]
    return []


def _unfinished(run: Watched, spec: Exercise, case: tuple, home: str) -> list[str]:
    where = tracebacks.where_stuck(run.frames, home)
    called = f"Called as `{call_text(spec, case)}`, it did not finish within {limit_seconds(spec.seconds):g} seconds"
    told = {
        "interrupted": "You stopped the check.",
        "stopped": f"{called}, so the check stopped it.",
        "abandoned": f"{called} and could not be stopped: it goes on in the background until you restart the kernel.",
    }
    return [told[run.state], *([where] if where else [])]


def _advice(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "the function calls itself without ever reaching a case that returns."
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return "`exit()`, `quit()` or `sys.exit()` stands in the function; use `return` to leave a function."
    if isinstance(error, UnicodeDecodeError) and error.reason == "unexpected end of data":
        return "the bytes end in the middle of a character: decode them when the rest of it is there."
    return ""


@contextlib.contextmanager
def _visible_by_name(obj: Any, name: str) -> Iterator[None]:
    """While it is checked, the learner's object stands under its own name, so that it can call itself."""
    home = sys.modules.get(obj.__module__) if isinstance(obj, type) else None
    namespace = vars(home) if home else getattr(inspect.unwrap(obj), "__globals__", {})
    before = {name: namespace[name]} if name in namespace else {}
    namespace[name] = obj
    try:
        yield
    finally:
        namespace.pop(name, None)
        namespace.update(before)


def _copy(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:  # generators, open files and tensors inside a graph cannot be copied; they are used as they are
        return value
