"""Rules about exercises in a notebook: stubs, announcements, the mix, no leaked solution, no code that stands twice."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from helpers.exercises.checking.stubs import not_attempted
from tests.tools import solutions
from tests.tools.leaks import leaks
from tests.tools.notebook import (
    Page,
    Task,
    course_order,
    defined_exercise,
    exercise_node,
    is_exercise,
    is_solution,
    label,
    output_texts,
    parse,
    tags,
)

HELPER_LINES = 15
FIRST_EXERCISE_MINUTES = 3
IMPORTED_NAMES = 20


def exercise_cells(page: Page) -> list[str]:
    """An exercise cell is tagged `exercise`, starts with `@exercise` and defines one thing, declared for this page."""
    problems = []
    for cell, name in page.exercises:
        tree = parse(cell.source)
        if "exercise" not in tags(cell):
            problems.append(f"The exercise in {label(cell)} lacks the tag 'exercise'.")
        if not cell.source.startswith("@exercise") or not tree or len(tree.body) != 1 or not name:
            problems.append(f"The exercise in {label(cell)} is not one definition that starts with @exercise.")
        elif name not in page.course.tasks:
            problems.append(f"The exercise {name!r} of {label(cell)} is not declared in helpers/exercises.")
        elif page.course.tasks[name].notebook != page.name:
            problems.append(
                f"The exercise {name!r} is declared for {page.course.tasks[name].notebook}, not for {page.name}."
            )
    names = [name for _, name in page.exercises]
    problems += [f"The exercise {name!r} stands in two cells." for name in sorted(set(names)) if names.count(name) > 1]
    for task in own_tasks(page):
        if task.name not in names:
            problems.append(f"The exercise {task.name!r} is declared for this notebook, which does not hold it.")
    return problems


def own_tasks(page: Page) -> list[Task]:
    return [task for task in page.course.tasks.values() if task.notebook == page.name]


def stubs(page: Page) -> list[str]:
    """A committed exercise is a stub, a debug exercise its planted version; the checker's own test decides."""
    problems = []
    for cell, name in page.exercises:
        node = exercise_node(cell.source)
        if node is None:
            continue
        planted = page.course.tasks[name].planted if name in page.course.tasks else None
        definition = bare_definition(node)
        if planted is None and not not_attempted(definition):
            problems.append(f"The exercise {name!r} is not a stub: the notebook holds somebody's answer.")
        if planted is not None and (not_attempted(definition) or not not_attempted(definition, planted)):
            problems.append(f"The debug exercise {name!r} is not its planted version.")
    return problems


def bare_definition(node: ast.FunctionDef | ast.ClassDef) -> Any:
    """The definition as an object, made without running the notebook: no decorators, bases or defaults."""
    tree = ast.Module([_stripped(node)], type_ignores=[])
    space: dict[str, Any] = {}
    exec(compile(ast.fix_missing_locations(tree), "<exercise>", "exec"), space)  # definitions only
    return space[node.name]


def _stripped(node: ast.stmt) -> ast.stmt:
    if isinstance(node, ast.ClassDef):
        body = [_stripped(item) for item in node.body if isinstance(item, ast.FunctionDef)] or [ast.Pass()]
        return _class(node.name, body)
    assert isinstance(node, ast.FunctionDef)
    copy = ast.parse(ast.unparse(node)).body[0]
    assert isinstance(copy, ast.FunctionDef)
    copy.decorator_list, copy.returns = [], None
    arguments = copy.args
    for item in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]:
        if item is not None:
            item.annotation = None
    arguments.defaults = [ast.Constant(None) for _ in arguments.defaults]
    arguments.kw_defaults = [ast.Constant(None) if default else None for default in arguments.kw_defaults]
    return copy


def _class(name: str, body: list[ast.stmt]) -> ast.ClassDef:
    node = ast.parse(f"class {name}: pass").body[0]
    assert isinstance(node, ast.ClassDef)
    node.body = body
    return node


def stored_verdicts(page: Page) -> list[str]:
    """What a reader of the committed notebook sees under each exercise is "not attempted"."""
    return [
        f"The stored output of the exercise {name!r} does not say 'not attempted'."
        for cell, name in page.exercises
        if not any("not attempted" in text for text in output_texts(cell))
    ]


def announced(page: Page) -> list[str]:
    """Markdown right before an exercise says "**Your turn** ●●○ 6 min", with the registry's difficulty and minutes."""
    problems = []
    for position, cell in enumerate(page.nb.cells):
        name = defined_exercise(cell.source) if cell.cell_type == "code" and is_exercise(cell) else None
        if name is None or name not in page.course.tasks:
            continue
        task = page.course.tasks[name]
        dots = "●" * task.difficulty + "○" * (3 - task.difficulty)
        before = page.nb.cells[position - 1] if position else None
        wanted = f"**Your turn** {dots} {task.minutes:g} min"
        if before is None or before.cell_type != "markdown" or not re.search(re.escape(wanted) + r"\b", before.source):
            problems.append(f"The markdown right before the exercise {name!r} does not say {wanted!r}.")
    return problems


def mix(page: Page) -> list[str]:
    """At least one exercise is a bug to find, and the first exercise takes under three minutes."""
    found = [page.course.tasks[name] for _, name in page.exercises if name in page.course.tasks]
    problems = []
    if not any(task.planted is not None for task in found):
        problems.append("There is no debug exercise (one with a planted bug).")
    if found and found[0].minutes >= FIRST_EXERCISE_MINUTES:
        problems.append(
            f"The first exercise takes {found[0].minutes:g} minutes instead of under {FIRST_EXERCISE_MINUTES}."
        )
    return problems


def no_leaks(page: Page) -> list[str]:
    """No three consecutive lines of a reference or a solution stand in its notebook or an earlier one, or are printed.

    Folded solutions are left out here: `folded` holds that they stand where they belong and hold nothing else.
    """
    problems = []
    for task in page.course.tasks.values():
        if course_order(task.notebook) < course_order(page.name):
            continue
        for cell in page.nb.cells:
            text = "" if is_solution(cell) else _visible(cell, task)
            for found in [*leaks(task.reference, text), *leaks(task.solution, text)]:
                problems.append(
                    f"The solution of {task.name!r} ({task.notebook}) stands in {label(cell)}: {str(found)[:120]}"
                )
                break
    return problems


def folded(page: Page) -> list[str]:
    """Right under each exercise stands its folded solution, as `make notebooks` writes it, and nowhere else."""
    problems, expected = [], set()
    following = [*page.nb.cells[1:], None]
    for cell, after in zip(page.nb.cells, following, strict=True):
        name = defined_exercise(cell.source) if cell.cell_type == "code" and is_exercise(cell) else None
        if name is None or name not in page.course.tasks:
            continue
        wanted = solutions.folded_cell(cell, page.course.tasks[name])
        if after is None or not is_solution(after) or after.get("id") != wanted.id:
            problems.append(f"The exercise {name!r} has no folded solution right under it: run make notebooks.")
            continue
        expected.add(after.id)
        if dict(after) != dict(wanted):
            problems.append(f"The folded solution of {name!r} is not the one of helpers: run make notebooks.")
    for cell in page.nb.cells:
        if is_solution(cell) and cell.get("id") not in expected:
            problems.append(
                f"The folded solution in {label(cell)} belongs to no exercise above it: run make notebooks."
            )
    return problems


def _visible(cell: dict, task: Task) -> str:
    """Source and outputs; the source of a debug exercise itself rightly resembles the reference and is left out."""
    if cell.cell_type != "code":
        return cell.source
    planted = task.planted is not None and defined_exercise(cell.source) == task.name
    return "\n".join(([] if planted else [cell.source]) + list(output_texts(cell)))


def helper_lengths(page: Page) -> list[str]:
    """No function or class that a notebook defines for itself is longer than 15 lines."""
    return [
        f"The helper {node.name!r} in {label(cell)} has {length} lines; over {HELPER_LINES} it belongs into helpers."
        for cell in page.code
        if not is_exercise(cell)
        for node in _definitions(parse(cell.source))
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > HELPER_LINES
    ]


def few_imports(page: Page) -> list[str]:
    """Outside of the set-up cell, at most 20 names come from helpers: more hide what the notebook teaches."""
    names = {
        alias.name
        for cell in page.code
        if "setup" not in tags(cell) and (tree := parse(cell.source))
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "helpers"
        for alias in node.names
    }
    if len(names) <= IMPORTED_NAMES:
        return []
    return [f"{len(names)} names are imported from helpers, more than {IMPORTED_NAMES}: {', '.join(sorted(names))}."]


def written_once(page: Page) -> list[str]:
    """No function body of two statements or more stands both in the notebook and in helpers."""
    known = helper_bodies(page.course.root / "helpers")
    problems = []
    for cell in page.code:
        if is_exercise(cell):
            continue
        for node in _definitions(parse(cell.source)):
            if (body := _body(node)) and body in known:
                problems.append(
                    f"The body of {node.name!r} in {label(cell)} stands in {known[body]} too: import or show() it."
                )
    return problems


@lru_cache(maxsize=8)
def helper_bodies(folder: Path) -> dict[str, str]:
    found = {}
    for file in sorted(folder.rglob("*.py")):
        for node in _definitions(ast.parse(file.read_text(encoding="utf-8"))):
            if body := _body(node):
                found[body] = f"{file.relative_to(folder.parent).as_posix()} as {node.name!r}"
    return found


def _definitions(tree: ast.Module | None) -> list[ast.FunctionDef | ast.ClassDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)] if tree else []


def _body(node: ast.FunctionDef | ast.ClassDef) -> str:
    """The body without its docstring, normalized; "" for classes and for one line, which anybody would write."""
    if isinstance(node, ast.ClassDef):
        return ""
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    text = "\n".join(ast.unparse(item) for item in statements)
    return text if len(text.splitlines()) >= 2 else ""


RULES = (
    exercise_cells,
    stubs,
    stored_verdicts,
    announced,
    mix,
    no_leaks,
    folded,
    helper_lengths,
    few_imports,
    written_once,
)
