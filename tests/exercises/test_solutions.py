"""Folded solutions: each is right by itself, disturbs nothing of its notebook, and stands nowhere else."""

from __future__ import annotations

import ast
import dataclasses

import pytest

from helpers import exercises
from helpers.exercises.checking import registry
from helpers.exercises.checking.engine import check
from helpers.exercises.solutions import free_names, plain_definition, solution_source
from tests.tools import scratch, solutions
from tests.tools.leaks import leaks
from tests.tools.notebook import ROOT, course, is_exercise, is_solution, parse, read

COURSE = course()
EXERCISES = registry()


@pytest.mark.parametrize("name", list(EXERCISES))
def test_the_folded_text_answers_the_exercise_by_itself(name):
    """It runs where only `exercise` and the notebook's earlier exercises are defined, as in a fresh kernel."""
    page = COURSE.page(EXERCISES[name].notebook)
    order = [found for _, found in page.exercises]
    text = next(cell.source for cell in page.nb.cells if cell.get("id") == f"{exercise_cell(page, name).id}-solution")
    assert text.startswith("<details><summary>Solution</summary>\n\n```python\n"), "Markdown needs the blank line"
    code = text.split("```python\n")[1].split("\n```")[0]
    namespace = {found: EXERCISES[found].reference for found in order[: order.index(name)]}
    namespace |= {"__name__": "__main__", "exercise": lambda found: found}
    exec(compile(code, f"<solution {name}>", "exec"), namespace)
    finding = check(namespace[name], EXERCISES[name])
    assert finding.status == "passed", "\n".join([finding.status, *finding.lines, finding.traceback])


def exercise_cell(page, name):
    return next(cell for cell, found in page.exercises if found == name)


@pytest.mark.parametrize("notebook", COURSE.names)
def test_a_copied_solution_gives_no_other_meaning_to_a_name_that_the_notebook_assigns(notebook):
    page = COURSE.page(notebook)
    others = [cell for cell in page.code if not is_exercise(cell)]
    assigned = {name: cell.id for cell in others for name in assigned_names(parse(cell.source))}
    for _, name in page.exercises:
        bound = set(assigned_names(ast.parse(COURSE.tasks[name].solution))) - {name}
        clash = sorted(bound & set(assigned))
        assert not clash, f"the solution of {name} binds {clash[0]!r}, which the cell {assigned[clash[0]]!r} assigns"


def assigned_names(tree: ast.Module | None) -> list[str]:
    """What the top level of a cell assigns or defines; imports are left out, since they agree."""
    nodes = list(tree.body) if tree else []
    found = [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    stores = [
        item
        for node in nodes
        if not isinstance(node, ast.FunctionDef | ast.ClassDef)
        for item in ast.walk(node)
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    ]
    return found + [item.id for item in stores]


def test_it_is_drawn_folded_with_its_code_as_code():
    """By CommonMark, as on the web, and by nbconvert's own reading of Markdown, as in its HTML export."""
    from markdown_it import MarkdownIt
    from nbconvert.filters import markdown2html

    cell = next(cell for cell in COURSE.page("02_attention").nb.cells if is_solution(cell))
    for drawn in (MarkdownIt("commonmark").render(cell.source), markdown2html(cell.source)):
        folded, code = drawn.split("<summary>Solution</summary>")
        assert folded.strip() == "<details>", "open, or something stands before it"
        assert code.strip().endswith("</details>") and "<pre>" in code and "```" not in code


def test_no_text_of_the_repository_holds_a_solution():
    files = [ROOT / "README.md", *sorted((ROOT / "data").rglob("*.md"))]
    found = [
        f"{file.relative_to(ROOT)} holds lines of {task.name}"
        for file in files
        for task in COURSE.tasks.values()
        for source in (task.reference, task.solution)
        if leaks(source, file.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


def test_solutions_are_written_once_and_again_without_a_change(tmp_path):
    page = scratch.course(tmp_path)
    complete = page.path.read_bytes()
    assert not solutions.write(page.path, scratch.TASKS)
    book = read(page.path)
    book.cells = [cell for cell in book.cells if not is_solution(cell)]
    scratch.write(page.path, book)
    assert solutions.write(page.path, scratch.TASKS)
    assert page.path.read_bytes() == complete


def test_only_cells_of_solutions_change(tmp_path):
    page = scratch.course(tmp_path)
    before = read(page.path)
    changed = scratch.TASKS | {"triple": dataclasses.replace(scratch.TASKS["triple"], solution="@exercise\nother")}
    assert solutions.write(page.path, changed)
    after = read(page.path)
    different = [old.id for old, new in zip(before.cells, after.cells, strict=True) if old != new]
    assert different == ["exercise-triple-solution"]


def test_a_solution_goes_with_its_exercise(tmp_path):
    page = scratch.course(tmp_path)
    book = read(page.path)
    book.cells = [cell for cell in book.cells if cell.id != "exercise-halve"]
    left = solutions.with_solutions(book, scratch.TASKS)
    assert [cell.id for cell in left.cells if is_solution(cell)] == ["exercise-triple-solution"]


def test_an_unknown_notebook_is_refused_in_one_sentence(tmp_path, capsys):
    scratch.course(tmp_path)
    assert solutions.main(["--root", str(tmp_path), "00_frist"]) == 1
    assert capsys.readouterr().err == "There is no notebook '00_frist'; did you mean '00_first'?\n"


# The text ------------------------------------------------------------------------------------------------------------

WRITTEN = '''
@lru_cache(maxsize=None)
def f(
    x: Tensor,
    names: Sequence[str] = ("a", "b:c"),
    *rest: int,
    low: float = 1e-5,
) -> dict[str, int]:
    """One line.

    And more.
    """

    # why
    found: dict[str, int] = {}  # text

    def inner(y: int) -> int:
        return y + 1

    return f(found, inner(x))
'''


def test_annotations_decorators_and_the_docstring_are_left_out_and_the_rest_stays():
    assert plain_definition(WRITTEN, "g").splitlines() == [
        'def g(x, names=("a", "b:c"), *rest, low=1e-5):',
        "    # why",
        "    found = {}  # text",
        "",
        "    def inner(y):",
        "        return y + 1",
        "",
        "    return g(found, inner(x))",
    ]


def test_a_long_header_stays_on_several_lines_and_means_the_same():
    names = [f"argument_number_{n}" for n in range(8)]
    text = f"def f({', '.join(f'{name}: int' for name in names)}, /, *, last: int = 3) -> int:\n    return last\n"
    plain = plain_definition(text)
    assert max(map(len, plain.splitlines())) <= 120
    without = text.replace(": int", "").replace(" = 3", "=3").replace(" -> int", "")
    assert ast.dump(ast.parse(plain)) == ast.dump(ast.parse(without))


def test_names_that_are_built_in_local_or_defined_by_the_text_are_not_needed():
    assert free_names("def f(x):\n    y = [z * w for z in x]\n    return len(y) + LIMIT\n\nw = 2\n") == ["LIMIT"]


def test_solution_shows_what_stands_folded_in_the_notebook(capsys):
    name = "swap_residual"
    exercises.solution(name)
    printed = capsys.readouterr().out
    page = COURSE.page(EXERCISES[name].notebook)
    folded = next(cell.source for cell in page.nb.cells if cell.get("id") == "swap-residual-solution")
    assert folded.split("```python\n")[1].split("\n```")[0] in printed


def test_a_declared_answer_is_taken_and_what_it_needs_is_added():
    spec = EXERCISES["cosine_similarity"]
    answer = "def cosine_similarity(a, b):\n    return torch.nn.functional.normalize(a) @ b.T\n"
    text = solution_source(dataclasses.replace(spec, answer=answer))
    assert text == f"import torch\n\n\n@exercise\n{answer}"


def test_a_copied_body_is_a_leak_and_two_lines_of_it_are_not():
    source = 'def f(x):\n    """Doc."""\n    y = x + 1  # one\n    z = y * 2\n\n    w = z - "a"\n    return w\n'
    copied = "Look:\n  y=x+1\n  # a comment\n  z = y*2\n  w = z - 'a'\n"
    assert leaks(source, copied) == ['y=x+1\nz=y*2\nw=z-"a"']
    assert leaks(source, "y = x + 1\nz = y * 2\nprint(z)") == []
    assert leaks(source, 'def f(x):\n    """Doc."""\n    ...') == []
