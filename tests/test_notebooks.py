"""Every notebook runs: as committed under nbval, at smoke under papermill, and with every exercise answered.

NB=00_welcome (or a comma-separated list) chooses. Seconds and peak memory go into build/notebook_report.json; only the
memory is asserted, because a shared machine's clock says little. The runs at laptop and at smoke have the machine to
themselves, for their seconds are held against the budgets; the walks may run side by side.
"""

from __future__ import annotations

import pytest

from tests.tools import runners
from tests.tools.execute import NotebookFailed
from tests.tools.notebook import ROOT, course, read, selected, stated_minutes, stated_peak_gb
from tests.tools.report import PEAK_MB_AT_MOST, record

pytestmark = [pytest.mark.notebooks, pytest.mark.slow]
COURSE = course()
NOTEBOOKS = selected(COURSE.names)
PEAK_TOLERANCE = 0.3  # of the stated peak memory, as builds of PyTorch and allocators differ; it is rounded to 0.1 GB
LINES_SHOWN = 60  # of a failing run's output


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    """A run leaves nothing outside build/ and the cache; without git, nobody can tell."""
    before = runners.traces(ROOT)
    yield
    left = list(runners.left_behind(before, runners.traces(ROOT)))
    assert not left, f"the run left or changed {', '.join(left)}"


@pytest.fixture(scope="module")
def learner(tmp_path_factory):
    """One learner's progress for the runs under nbval and papermill, so that the second is a run "twice in a row"."""
    return tmp_path_factory.mktemp("learner")


def reported(name: str, runner: str, seconds: float, peak_mb: float) -> None:
    """Record the run and hold its peak memory to what Binder gives."""
    record(name, runner, seconds, peak_mb, stated_minutes(COURSE.page(name)) or 0)
    assert peak_mb > 0, f"{name} under {runner}: no kernel was seen, so its memory was not measured"
    assert peak_mb <= PEAK_MB_AT_MOST, (
        f"{name} under {runner}: the kernel took {peak_mb:.0f} MB of {PEAK_MB_AT_MOST:.0f}"
    )


def tail(output: str) -> str:
    return "\n".join(output.splitlines()[-LINES_SHOWN:])


@pytest.mark.alone
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_repeats_its_committed_outputs_at_laptop(name, learner):
    """The kernel works in notebooks/."""
    done = runners.nbval(COURSE.page(name).path, cwd=ROOT, learner=learner)
    assert done.returncode == 0, (
        f"{name} under nbval{' ran out of time' if done.timed_out else ''}:\n{tail(done.output)}"
    )
    reported(name, "nbval laptop", done.seconds, done.peak_mb)
    stated = stated_peak_gb(COURSE.page(name)) or 0
    took = done.peak_mb / 1000
    assert abs(took - stated) <= PEAK_TOLERANCE * stated + 0.05, f"{name} states {stated} GB and took {took:.2f} GB"


@pytest.mark.alone
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_runs_at_smoke_from_the_repository_root_with_nothing_attempted(name, learner):
    """The kernel works in the repository's root."""
    out = ROOT / "build" / "papermill" / f"{name}.ipynb"
    done = runners.papermill_run(COURSE.page(name).path, out, {"SCALE": "smoke"}, cwd=ROOT, learner=learner)
    assert done.returncode == 0, f"{name} under papermill:\n{tail(done.output)}"
    reported(name, "papermill smoke", done.seconds, done.peak_mb)
    for exercise, _, said in runners.verdicts(read(out)):
        assert "[not attempted]" in said, f"{name}: the untouched exercise {exercise} says {said!r}"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_reaches_the_end_with_every_wrong_answer(name):
    """Each wrong answer of each exercise in turn, the first one last: the rest of the notebook runs after that."""
    answers = {row.name: [wrong.code for wrong in (*row.wrong[1:], row.wrong[0])] for row in rows_of(name)}
    walked_with(name, answers, "not yet", "walk wrong")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_reaches_the_end_with_every_right_answer(name):
    """Each right answer in turn; the rest of the notebook runs on the last one, which is the learner's own function."""
    walked_with(name, {row.name: list(row.right) for row in rows_of(name)}, "passed", "walk right")


def rows_of(name: str) -> list:
    """The rows of the notebook's exercises; one that has none fails here with a sentence, not later with a KeyError."""
    rows = runners.exercise_rows()
    names = [exercise for _, exercise in COURSE.page(name).exercises]
    missing = [exercise for exercise in names if exercise not in rows]
    assert not missing, f"{name}: no row in tests/exercise_rows/ answers {', '.join(missing)}"
    return [rows[exercise] for exercise in names]


def walked_with(name: str, answers: dict[str, list[str]], verdict: str, runner: str) -> None:
    try:
        walked = runners.walk(COURSE.page(name).path, answers)
    except NotebookFailed as error:
        pytest.fail(str(error))
    reported(name, runner, walked.seconds, walked.peak_mb)
    assert len(walked.verdicts) == sum(map(len, answers.values()))
    for exercise, answer, said in walked.verdicts:
        assert f"[{verdict}]" in said, f"{name}: {exercise} does not say {verdict!r} but\n{said}\nto\n{answer}"
