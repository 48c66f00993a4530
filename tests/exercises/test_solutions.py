"""Folded solutions are written under their exercises, and `solution` shows the same text."""

from __future__ import annotations

from helpers import exercises
from helpers.exercises.checking import registry
from tests.tools import scratch, solutions
from tests.tools.notebook import course, is_solution, read


def test_solutions_are_written_once_and_again_without_a_change(tmp_path):
    page = scratch.course(tmp_path)
    complete = page.path.read_bytes()
    assert not solutions.write(page.path, scratch.TASKS)
    book = read(page.path)
    book.cells = [cell for cell in book.cells if not is_solution(cell)]
    scratch.write(page.path, book)
    assert solutions.write(page.path, scratch.TASKS)
    assert page.path.read_bytes() == complete


def test_a_solution_goes_with_its_exercise(tmp_path):
    page = scratch.course(tmp_path)
    book = read(page.path)
    book.cells = [cell for cell in book.cells if cell.id != "exercise-halve"]
    left = solutions.with_solutions(book, scratch.TASKS)
    assert [cell.id for cell in left.cells if is_solution(cell)] == ["exercise-triple-solution"]


def test_solution_shows_what_stands_folded_in_the_notebook(capsys):
    name = "swap_residual"
    exercises.solution(name)
    page = course().page(registry()[name].notebook)
    folded = next(cell.source for cell in page.nb.cells if cell.get("id") == "swap-residual-solution")
    assert folded.split("```python\n")[1].split("\n```")[0] in capsys.readouterr().out
