"""`solution` shows what stands folded in the notebook."""

from __future__ import annotations

from helpers import exercises
from helpers.exercises.checking import registry
from tests.tools.notebook import FOLDER, read


def test_solution_shows_what_stands_folded_in_the_notebook(capsys):
    name = "swap_residual"
    exercises.solution(name)
    book = read(FOLDER / f"{registry()[name].notebook}.ipynb")
    folded = next(cell.source for cell in book.cells if cell.get("id") == "swap-residual-solution")
    assert folded.split("```python\n")[1].split("\n```")[0] in capsys.readouterr().out
