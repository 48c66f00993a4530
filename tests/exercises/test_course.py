"""Every exercise with its own answers: right ones pass, wrong ones are refused with their own cause."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import pytest

from helpers import exercises
from helpers.exercises.checking import registry
from helpers.exercises.checking.engine import Prepared, check, inputs_of, prepare
from helpers.exercises.checking.spec import Exercise
from helpers.exercises.checking.variants import Variant
from helpers.exercises.solutions import solution_source
from tests.exercises.answers import right_answers, stub_source

COURSE = registry()
each_exercise = pytest.mark.parametrize("name", sorted(COURSE))


@pytest.fixture(autouse=True)
def patience(monkeypatch, request):
    """A busy machine gives the same verdicts; where slowness is the fault, the limit of the exercise holds."""
    name = request.node.callspec.params["name"] if hasattr(request.node, "callspec") else ""
    if name and COURSE[name].seconds == Exercise.seconds:
        monkeypatch.setenv("HANDS_ON_CHECK_SECONDS", "15")


def answered_otherwise(
    answers: Iterable[Variant], spec: Exercise, prepared: Prepared, status: str, wanted: str = "{}"
) -> list[str]:
    """Each answer that gets another verdict than `status`, or is not told what belongs to it."""
    problems = []
    for answer in answers:
        finding = check(answer.function, spec, prepared)
        told = "\n".join([finding.status, *finding.lines, finding.traceback])
        if finding.status != status or wanted.format(answer.said) not in told:
            problems.append(f"{answer.place} wants {answer.said!r} and gets {told}\n{answer.code}")
    return problems


@each_exercise
def test_right_answers_are_accepted(name):
    """The course's version, its text as a cell, and right answers that are written differently."""
    loaded = COURSE.load(name)
    spec, prepared = loaded.spec, prepare(loaded.spec)
    assert len(spec.hints) == 3 and spec.difficulty in (1, 2, 3)
    assert len(inputs_of(spec)) >= 5 and repr(inputs_of(spec)) == repr(inputs_of(spec))
    assert check(spec.reference, spec, prepared).checks > len(inputs_of(spec))
    others = {other: COURSE[other].reference for other, home in COURSE.notebooks().items() if home == spec.notebook}
    cell = Variant(name, solution_source(spec), "the solution", globals={**others, "exercise": lambda found: found})
    problems = answered_otherwise([loaded.answer, cell, *right_answers(loaded)], spec, prepared, "passed")
    assert not problems, "\n".join(problems)


@each_exercise
def test_slips_are_refused_with_their_cause(name):
    """And other wrong answers with what belongs to them; only the untouched cell counts as not attempted."""
    loaded = COURSE.load(name)
    spec, prepared = loaded.spec, prepare(loaded.spec)
    assert len(loaded.slips) + len(loaded.refused) >= 3
    bare = dataclasses.replace(spec, planted=None)  # the planted bug is a slip like the others
    problems = answered_otherwise(loaded.slips, bare, prepared, "not yet", "Suspected cause: {}")
    problems += answered_otherwise(loaded.refused, spec, prepared, "not yet")
    stub = Variant(name, stub_source(name, spec.reference), "the stub")
    untouched = [stub, *([loaded.planted] if loaded.planted else [])]
    problems += answered_otherwise(untouched, spec, prepared, "not attempted", "")
    assert not problems, "\n".join(problems)


def test_no_hint_holds_a_line_of_the_answer():
    for name in COURSE:
        loaded = COURSE.load(name)
        lines = ["".join(line.split()) for line in loaded.answer.code.splitlines()[1:]]
        hints = "".join("".join(loaded.spec.hints).split())
        assert not [line for line in lines if len(line) > 12 and line in hints], name


def test_an_exercise_gives_the_rest_of_the_notebook_what_it_says(capsys):
    loaded = COURSE.load("weights_bytes")
    stub = Variant("weights_bytes", stub_source("weights_bytes", loaded.spec.reference), "the stub").function
    assert exercises.exercise(stub) is loaded.spec.reference
    assert exercises.exercise(loaded.slips[0].function) is loaded.spec.reference
    right = loaded.answer.function
    assert exercises.exercise(right) is right
    told = capsys.readouterr().out
    assert [told.count(f"[{status}] weights_bytes") for status in ("not attempted", "not yet", "passed")] == [1, 1, 1]


def test_in_canary_splits_users_as_the_rollout_does():
    from helpers.old.serving.rollout import in_canary

    users = [(f"VE-{n}", share, salt) for n in range(300) for share in (0.0, 0.05, 0.5, 1.0) for salt in ("", "v1")]
    assert all(COURSE["in_canary"].reference(*user) == in_canary(*user) for user in users)
