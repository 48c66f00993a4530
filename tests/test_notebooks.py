"""Every notebook runs twice: as committed under nbval, and once as a learner's, with every exercise answered.

NB=00_welcome (or a comma-separated list) chooses. Seconds and peak memory go into build/notebook_report.json; only the
memory is asserted, because a shared machine's clock says little. Both runs may stand beside another notebook's; where a
cell asserts a time (tagged `alone`), the run at laptop has the machine to itself, and the run at smoke asserts no time.
"""

from __future__ import annotations

import nbformat
import pytest

from tests.tools import runners
from tests.tools.notebook import ROOT, course, read, selected, stated_minutes, stated_peak_gb
from tests.tools.report import PEAK_MB_AT_MOST, record

pytestmark = [pytest.mark.notebooks, pytest.mark.slow]
COURSE = course()
PEAK_TOLERANCE = 0.3  # of the stated peak memory, as builds of PyTorch and allocators differ; it is rounded to 0.1 GB
LINES_SHOWN = 60  # of a failing run's output
NOTEBOOKS = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in selected(COURSE.names)]
AT_LAPTOP = [
    pytest.param(*param.values, marks=[*param.marks, pytest.mark.alone])
    if runners.asserts_a_time(COURSE.page(param.values[0]))
    else param
    for param in NOTEBOOKS
]


@pytest.fixture(autouse=True)
def while_there_is_time(request):
    """Under HANDS_ON_TEST_MINUTES, a notebook that would start too late is named instead."""
    if runners.time_is_over():
        name = request.node.callspec.params["name"]
        runners.leave_out(name)
        pytest.skip(f"{name} was not run: HANDS_ON_TEST_MINUTES are over")


@pytest.fixture(autouse=True)
def nothing_is_left_behind(while_there_is_time):
    """A run leaves nothing outside build/ and the cache; without git, nobody can tell."""
    before = runners.traces(ROOT)
    yield
    left = list(runners.left_behind(before, runners.traces(ROOT)))
    assert not left, f"the run left or changed {', '.join(left)}"


@pytest.fixture
def learner(name, tmp_path_factory):
    """One learner's progress for both runs of a notebook, so that the second is a run "twice in a row"."""
    folder = tmp_path_factory.getbasetemp() / "learners" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def reported(name: str, runner: str, seconds: float, peak_mb: float) -> None:
    """Record the run and hold its peak memory to what Binder gives."""
    record(name, runner, seconds, peak_mb, stated_minutes(COURSE.page(name)) or 0)
    assert peak_mb > 0, f"{name} under {runner}: no kernel was seen, so its memory was not measured"
    assert peak_mb <= PEAK_MB_AT_MOST, (
        f"{name} under {runner}: the kernel took {peak_mb:.0f} MB of {PEAK_MB_AT_MOST:.0f}"
    )


def tail(output: str) -> str:
    return "\n".join(output.splitlines()[-LINES_SHOWN:])


@pytest.mark.parametrize("name", AT_LAPTOP)
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


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_runs_at_smoke_from_the_repository_root_on_the_learners_answers(name, learner):
    """Each exercise untouched, then wrong, then right; the rest runs on the right answer, the learner's own."""
    page = COURSE.page(name)
    answers = {exercise: runners.answers_to(exercise) for _, exercise in page.exercises}
    asked = ROOT / "build" / "answered" / f"{name}.ipynb"
    asked.parent.mkdir(parents=True, exist_ok=True)
    asked.write_text(nbformat.v4.writes(runners.answered(runners.without_clocks(page.nb), answers)), encoding="utf-8")
    out = ROOT / "build" / "papermill" / f"{name}.ipynb"
    done = runners.papermill_run(asked, out, {"SCALE": "smoke"}, cwd=ROOT, learner=learner)
    assert done.returncode == 0, (
        f"{name} under papermill{' ran out of time' if done.timed_out else ''}:\n{tail(done.output)}"
    )
    reported(name, "papermill smoke", done.seconds, done.peak_mb)
    ran = read(out)
    assert len(runners.verdicts(ran)) == len(runners.VERDICTS) * len(answers)
    problems = runners.wrong_verdicts(ran)
    assert not problems, f"{name}: " + "\n\n".join(problems)
