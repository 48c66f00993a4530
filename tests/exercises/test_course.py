"""Every exercise with its own answers: right ones pass, wrong ones are refused with their own cause."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable
from functools import cache

import pytest

from helpers import exercises
from helpers.exercises.checking import registry
from helpers.exercises.checking.engine import Finding, Prepared, check, inputs_of, prepare
from helpers.exercises.checking.spec import Exercise
from helpers.exercises.checking.variants import Variant
from tests.exercises.answers import stub_source
from tests.tools.leaks import body_lines, normalized

COURSE = registry()
NAMES = sorted(COURSE.files)
each_exercise = pytest.mark.parametrize("name", NAMES)


def said(finding: Finding) -> str:
    return "\n".join([finding.status, *finding.lines, finding.traceback])


@cache
def prepared(name: str) -> Prepared:
    """The inputs and what the reference does with them, computed once for all answers to an exercise."""
    return prepare(COURSE[name])


def stub_of(spec: Exercise) -> Variant:
    return Variant(spec.name, stub_source(spec.name, spec.reference), "the stub")


def answered_otherwise(answers: Iterable[Variant], spec: Exercise, status: str, wanted: str = "{}") -> list[str]:
    """Each answer that gets another verdict than `status`, or is not told what belongs to it."""
    problems = []
    for answer in answers:
        finding = check(answer.function, spec, prepared(spec.name))
        if finding.status != status or wanted.format(answer.said) not in said(finding):
            problems.append(f"{answer.place} wants {answer.said!r} and gets {said(finding)}\n{answer.code}")
    return problems


@each_exercise
def test_reference_and_right_answers_pass(name):
    loaded = COURSE.load(name)
    finding = check(loaded.spec.reference, loaded.spec)
    assert finding.status == "passed", said(finding)
    assert finding.checks > len(inputs_of(loaded.spec))
    problems = answered_otherwise([loaded.answer, *loaded.right], loaded.spec, "passed")
    assert not problems, "\n".join(problems)


@each_exercise
def test_slips_are_refused_with_their_cause(name):
    loaded = COURSE.load(name)
    spec = dataclasses.replace(loaded.spec, planted=None)  # the planted bug is a slip like the others
    problems = answered_otherwise(loaded.slips, spec, "not yet", "Suspected cause: {}")
    assert not problems, "\n".join(problems)


@each_exercise
def test_other_wrong_answers_are_refused(name):
    loaded = COURSE.load(name)
    problems = answered_otherwise(loaded.refused, loaded.spec, "not yet")
    assert not problems, "\n".join(problems)


@each_exercise
def test_untouched_cell_is_not_attempted(name):
    loaded = COURSE.load(name)
    untouched = [stub_of(loaded.spec), *([loaded.planted] if loaded.planted else [])]
    problems = answered_otherwise(untouched, loaded.spec, "not attempted", "")
    assert not problems, "\n".join(problems)


@each_exercise
def test_rest_of_the_notebook_gets_this_very_object(name, capsys):
    loaded = COURSE.load(name)
    wrong = next(answer for answer in (*loaded.slips, *loaded.refused) if answer.code != untouched_code(loaded.planted))
    right = loaded.answer.function
    assert exercises.exercise(stub_of(loaded.spec).function) is loaded.spec.reference
    assert exercises.exercise(wrong.function) is loaded.spec.reference
    assert exercises.exercise(right) is right
    told = capsys.readouterr().out
    assert [told.count(f"[{status}] {name}") for status in ("not attempted", "not yet", "passed")] == [1, 1, 1]


def untouched_code(planted: Variant | None) -> str | None:
    return planted.code if planted else None


@each_exercise
def test_hints_grow_and_hold_no_solution(name):
    loaded = COURSE.load(name)
    hints = loaded.spec.hints
    assert len(hints[0]) < len(hints[1]) < len(hints[2])
    for source in (inspect.getsource(loaded.spec.reference), loaded.answer.code):
        solution = body_lines(source)
        for hint in hints:
            assert not any(normalized(line) in solution for line in hint.splitlines() if normalized(line))
            assert not any(line in normalized(hint) for line in solution if len(line) > 12)


@each_exercise
def test_inputs_repeat_and_are_five_or_more(name):
    spec = COURSE.load(name).spec
    assert repr(inputs_of(spec)) == repr(inputs_of(spec))
    assert len(inputs_of(spec)) >= 5


@each_exercise
def test_enough_answers(name):
    loaded = COURSE.load(name)
    assert len(loaded.slips) + len(loaded.refused) >= 3
    assert len(loaded.right) >= 1
    codes = [answer.code for answer in (*loaded.slips, *loaded.refused, *loaded.right)]
    assert len(set(codes)) == len(codes), "two answers have the same text"
