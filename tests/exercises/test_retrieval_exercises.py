"""The cells of the retrieval exercises: untouched, callable like their references, and the same in the notebooks."""

from __future__ import annotations

import inspect

import pytest

from helpers.exercises.checking import registry
from helpers.exercises.checking.engine import check
from helpers.exercises.checking.variants import Variant
from tests.exercises.retrieval_cells import CELLS
from tests.tools.notebook import ROOT, defined_exercise, is_exercise, read

NOTEBOOKS = ("10_rag", "10b_rag_quality")
EXERCISES = {name: spec for name, spec in registry().items() if spec.notebook in NOTEBOOKS}


def test_every_exercise_of_the_two_notebooks_has_its_cell():
    assert set(CELLS) == set(EXERCISES)


@pytest.mark.parametrize("name", CELLS)
def test_the_cell_is_not_attempted_and_takes_what_its_reference_takes(name):
    cell, spec = Variant(name, CELLS[name], "the cell").function, EXERCISES[name]
    assert check(cell, spec).status == "not attempted"
    ours, theirs = (inspect.signature(f).parameters.values() for f in (spec.reference, cell))
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]
    assert inspect.getdoc(cell)


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_the_notebook_holds_these_cells(notebook):
    path = ROOT / f"notebooks/{notebook}.ipynb"
    if not path.exists():
        pytest.skip("the notebook is not there yet")
    cells = {defined_exercise(c.source): c.source for c in read(path).cells if c.cell_type == "code" and is_exercise(c)}
    wanted = {
        name: f"@exercise\n{CELLS[name].strip()}" for name, spec in EXERCISES.items() if spec.notebook == notebook
    }
    assert cells == wanted
