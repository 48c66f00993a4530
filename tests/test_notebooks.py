"""Every notebook runs twice: as committed with its claims, and with small parameters and every exercise answered.

`make test NB=10_rag` (or a comma-separated list) chooses. Seconds and peak memory go into build/notebook_report.json.
"""

from __future__ import annotations

import subprocess
import tomllib

import pytest

from tests.tools import runners
from tests.tools.notebook import FOLDER, ROOT, chosen, code_cells, not_reworked, read, tags, title

pytestmark = pytest.mark.notebooks
PEAK_MB_AT_MOST = 2000  # what Binder gives
OLD = not_reworked()
SMALL = tomllib.loads((ROOT / "tests" / "small.toml").read_text(encoding="utf-8"))


def committed(name: str):
    """A notebook with a cell tagged `alone` asserts what a clock says, so nothing runs beside it."""
    alone = any("alone" in tags(cell) for cell in code_cells(read(FOLDER / f"{name}.ipynb")))
    return pytest.param(name, marks=pytest.mark.alone if alone else ())


def changed_files() -> str:
    return subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True).stdout


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    before = changed_files()
    yield
    assert changed_files() == before, "the run left or changed files outside of build/"


def went_well(name: str, runner: str, done: runners.Run) -> None:
    _, minutes, stated_gb = title(read(FOLDER / f"{name}.ipynb"))
    runners.record(name, runner, done, minutes)
    assert done.well, f"{name} under {runner}:\n{done.output}"
    most = PEAK_MB_AT_MOST if name in OLD else 1300 * stated_gb  # builds of PyTorch differ by up to 30 %
    assert 0 < done.peak_mb <= most, f"{name} under {runner} took {done.peak_mb:.0f} MB; at most {most:.0f}."


@pytest.mark.parametrize("name", [committed(name) for name in chosen()])
def test_it_repeats_its_outputs_and_its_claims_hold(name):
    went_well(name, "nbval", runners.nbval(FOLDER / f"{name}.ipynb", ROOT / "tests" / "claims" / f"{name}.py"))


@pytest.mark.parametrize("name", chosen())
def test_it_runs_small_on_the_learners_answers(name):
    """Each exercise is untouched, then wrong, then right; the rest of the notebook runs on the right answer."""
    injected = {"SCALE": "smoke"} if name in OLD else SMALL.get(name, {})
    done, out = runners.papermill(FOLDER / f"{name}.ipynb", injected)
    went_well(name, "papermill", done)
    problems = runners.wrong_verdicts(read(out))
    assert not problems, f"{name}: " + "\n\n".join(problems)
