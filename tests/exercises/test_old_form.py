"""Every exercise against its table: reference, stub, plausible wrong answers, differently written right ones."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import pytest

from helpers.exercises.checking import gather, registry
from helpers.exercises.checking.engine import _same as same_outcome
from helpers.exercises.checking.engine import check, inputs_of, outcomes
from tests.exercise_rows import define, rows
from tests.exercises.answers import stub_source
from tests.tools.leaks import body_lines, leaks, normalized

# those that are not yet a file of their own; tests/exercises has the others
EXERCISES = {name: registry()[name] for name in registry() if name not in registry().files}
ROWS = rows()
NAMES = list(EXERCISES)
WRONG = [(row.name, wrong) for row in ROWS.values() for wrong in row.wrong]
RIGHT = [(row.name, code) for row in ROWS.values() for code in row.right]


def label(value: object) -> str | None:
    return value if isinstance(value, str) and value.isidentifier() else None


def said(finding) -> str:
    return "\n".join([finding.status, *finding.lines, finding.traceback])


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_passes(name):
    finding = check(EXERCISES[name].reference, EXERCISES[name])
    assert finding.status == "passed", said(finding)
    assert finding.checks > len(inputs_of(EXERCISES[name]))


@pytest.mark.parametrize("name", NAMES)
def test_the_untouched_cell_is_not_attempted(name):
    spec = EXERCISES[name]
    if spec.planted is not None:
        code = inspect.getsource(spec.planted).replace(spec.planted.__name__, name)
        untouched = define(name, "from __future__ import annotations\n" + code)
        assert check(untouched, spec).status == "not attempted"
    stub = define(name, stub_source(name, spec.reference))
    assert check(stub, spec).status == "not attempted"


@pytest.mark.parametrize(("name", "wrong"), WRONG, ids=label)
def test_a_plausible_wrong_answer_is_refused_with_the_intended_message(name, wrong):
    finding = check(define(name, wrong.code), EXERCISES[name])
    if finding.status == "not attempted":  # a debug exercise whose bug is still in
        pytest.fail("the wrong answer is the untouched cell")
    assert finding.status == "not yet"
    assert wrong.message in said(finding), said(finding)


@pytest.mark.parametrize(("name", "code"), RIGHT, ids=label)
def test_a_differently_written_right_answer_passes(name, code):
    finding = check(define(name, code), EXERCISES[name])
    assert finding.status == "passed", said(finding)


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_has_enough_answers(name):
    assert name in ROWS, f"tests/exercise_rows/ has no row for {name}"
    assert len(ROWS[name].wrong) >= 3
    assert len(ROWS[name].right) >= 1


def test_every_row_belongs_to_an_exercise():
    assert set(ROWS) <= set(EXERCISES)


@pytest.mark.parametrize("name", NAMES)
def test_hints_grow_and_do_not_hold_the_solution(name):
    hints = EXERCISES[name].hints
    assert len(hints[0]) < len(hints[1]) < len(hints[2])
    solution = body_lines(inspect.getsource(EXERCISES[name].reference))
    for hint in hints:
        assert not any(normalized(line) in solution for line in hint.splitlines() if normalized(line))
        assert not any(line in normalized(hint) for line in solution if len(line) > 12)


@pytest.mark.parametrize("name", NAMES)
def test_every_known_mistake_differs_from_the_reference_and_is_named_when_made(name):
    spec = EXERCISES[name]
    inputs = inputs_of(spec)[: len(inputs_of(spec)) - len(spec.raises)]
    expected = outcomes(spec.reference, spec, inputs)
    for mistake in spec.mistakes:
        made = outcomes(mistake.variant, spec, inputs)
        assert not all(same_outcome(spec, e, m) for e, m in zip(expected, made, strict=True)), mistake.cause


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_the_same_on_every_run_and_hold_at_least_five_cases(name):
    spec = EXERCISES[name]
    assert repr(inputs_of(spec)) == repr(inputs_of(spec))
    assert len(inputs_of(spec)) >= 5


def test_two_exercises_of_one_name_are_an_error():
    spec = registry()["weights_bytes"]
    topics = [SimpleNamespace(__name__=name, EXERCISES=[spec]) for name in ("one", "another")]
    with pytest.raises(ValueError, match="`weights_bytes` is defined in one and in another"):
        gather(topics)


def test_a_copied_body_is_a_leak_and_two_lines_of_it_are_not():
    source = 'def f(x):\n    """Doc."""\n    y = x + 1  # one\n    z = y * 2\n\n    w = z - "a"\n    return w\n'
    copied = "Look:\n  y=x+1\n  # a comment\n  z = y*2\n  w = z - 'a'\n"
    assert leaks(source, copied) == ['y=x+1\nz=y*2\nw=z-"a"']
    assert leaks(source, "y = x + 1\nz = y * 2\nprint(z)") == []
    assert leaks(source, 'def f(x):\n    """Doc."""\n    ...') == []
