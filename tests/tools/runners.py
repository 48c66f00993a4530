"""Run a notebook as the tests do: under nbval as committed, and under papermill with its exercises answered.

Each takes the notebook's file, so that the tests of the runners themselves can plant a bad one.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbformat import NotebookNode

from tests.tools import execute, hygiene
from tests.tools.notebook import ROOT, Course, Page, exercise_node, is_exercise, output_texts, parse, tags
from tests.tools.report import Measured, run_measured

CELL_SECONDS = 200  # at smoke; at laptop three times that: a guard against hanging, also on slow processors
WHOLE_SECONDS = 1800


def nbval(path: Path, cwd: Path, learner: Path | None = None, cell_seconds: float = 3 * CELL_SECONDS) -> Measured:
    """Re-run at laptop and compare cells tagged nbval-check-output. nbval's kernel works in the notebook's own folder.

    `learner` is a folder for the progress file, a temporary one where it is left out.
    Raises ValueError for a notebook stored without execution counts: nbval would compare nothing and pass.
    """
    if problems := hygiene.executed_in_order(Page(path, Course(path.parents[1]))):
        raise ValueError(problems[0])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval-lax",
        "--nbval-current-env",
        f"--nbval-cell-timeout={cell_seconds:g}",
    ]
    command += ["-p", "no:cacheprovider", "-x", "-q", "--no-header", "--color=no", str(path)]
    return _measured(command, cwd, learner)


def papermill_run(
    path: Path,
    out: Path,
    parameters: dict[str, Any],
    cwd: Path,
    learner: Path | None = None,
    cell_seconds: float = CELL_SECONDS,
) -> Measured:
    """Run with parameters injected and the kernel in `cwd`; the executed notebook is written to `out`.

    Raises ValueError for a parameter that the notebook does not have: papermill itself would only warn.
    """
    known = papermill.inspect_notebook(str(path))
    for name in parameters:
        if name not in known:
            raise ValueError(f"{path.stem} has no parameter {name!r}; it has {', '.join(known) or 'none'}.")
    out.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "papermill", str(path), str(out), "--cwd", str(cwd), "--kernel", "python3"]
    command += ["--execution-timeout", f"{cell_seconds:g}", "--no-progress-bar", "--log-level", "WARNING"]
    for name, value in parameters.items():
        command += ["-p", name, str(value)]
    return _measured(command, cwd, learner)


def _measured(command: list[str], cwd: Path, learner: Path | None) -> Measured:
    with tempfile.TemporaryDirectory(prefix="hands-on-") as scratch:
        env = execute.learner_environment(learner or Path(scratch))
        env = {name: value for name, value in env.items() if not name.startswith("PYTEST_")}  # of the run around it
        return run_measured(command, env, WHOLE_SECONDS, cwd)


# The learner's run ---------------------------------------------------------------------------------------------------

VERDICTS = ("not attempted", "not yet", "passed")  # what an exercise says to its stub, to a wrong and to a right answer


@dataclass(frozen=True)
class Answers:
    """Answers to one exercise, each the source of the definition without its decorator."""

    wrong: list[str]
    right: list[str]


def answers_to(name: str) -> Answers:
    """The answers to the exercise `name`. Raises KeyError, in a sentence, where there is none."""
    from helpers.exercises.checking import registry  # late: the other tools need neither helpers nor torch
    from tests.exercises.answers import as_cell

    if name not in registry():
        raise KeyError(f"the exercise {name!r} needs a wrong answer and a right one: it has no file")
    loaded = registry().load(name)
    planted = getattr(loaded.planted, "code", None)  # what stands in the cell: that is "not attempted"
    wrong = [slip for slip in (*loaded.slips, *loaded.refused) if slip.code != planted]
    right = (loaded.answer, *loaded.right)
    if not wrong:
        raise KeyError(f"the exercise {name!r} needs a wrong answer that is not the untouched cell")
    return Answers([as_cell(answer) for answer in wrong], [as_cell(answer) for answer in right])


def answered(book: NotebookNode, answers: Mapping[str, Answers]) -> NotebookNode:
    """A copy in which each exercise cell stands three times: untouched, with a wrong answer, with a right one.

    The rest of the notebook therefore runs on the learner's own function. Raises KeyError for one without an answer.
    """
    cells = []
    for cell in book.cells:
        cells.append(cell)
        node = exercise_node(cell.source) if cell.cell_type == "code" and is_exercise(cell) else None
        if node is not None:
            given = answers[node.name]
            for kind, answer in (("wrong", given.wrong[0]), ("right", given.right[-1])):
                filled = nbformat.from_dict(dict(cell))
                filled["id"] = f"{cell.id[:50]}-{kind}"  # an id has at most 64 characters
                filled["source"] = filled_cell(cell.source, answer)
                cells.append(filled)
    result = nbformat.from_dict(dict(book))
    result["cells"] = cells
    return result


def filled_cell(source: str, answer: str) -> str:
    """The cell with its decorated definition replaced; the decorator and everything around it stay.

    What the answer needs before its definition (imports, constants) comes before the decorator.
    """
    node = exercise_node(source)
    assert node is not None
    answer = answer.strip("\n")
    lines, new, tree = source.splitlines(), answer.splitlines(), parse(answer)
    own = [item.lineno - 1 for item in (tree.body if tree else []) if getattr(item, "name", None) == node.name]
    start = own[-1] if own else 0
    decorator = min(item.lineno for item in node.decorator_list) - 1
    before = [*lines[:decorator], *new[:start], *lines[decorator : node.lineno - 1]]
    return "\n".join([*before, *new[start:], *lines[node.end_lineno :]])


def wrong_verdicts(book: NotebookNode) -> list[str]:
    """One sentence for each exercise cell of an answered and executed notebook with a verdict that it must not have."""
    problems = []
    for number, (name, source, said) in enumerate(verdicts(book)):
        expected = VERDICTS[number % len(VERDICTS)]
        if f"[{expected}]" not in said:
            problems.append(f"{name} does not say [{expected}] but\n{said}\nto\n{source}")
    return problems


def verdicts(book: NotebookNode) -> list[tuple[str, str, str]]:
    """For each exercise cell its name, its source and the text of its outputs."""
    found = []
    for cell in book.cells:
        if cell.cell_type == "code" and is_exercise(cell):
            node = exercise_node(cell.source)
            found.append((node.name if node else "", cell.source, "\n".join(output_texts(cell))))
    return found


# What runs beside what, and what does not run ------------------------------------------------------------------------
NOT_RUN = ROOT / "build" / "notebooks_not_run.txt"


def asserts_a_time(page: Page) -> bool:
    """Whether a cell is tagged `alone`: it asserts what a clock says, so its notebook has the machine to itself."""
    return any("alone" in tags(cell) for cell in page.code)


def without_clocks(book: NotebookNode) -> NotebookNode:
    """A copy in which cells tagged `alone` assert nothing: for runs that have neighbors."""
    result = nbformat.from_dict(dict(book))
    for cell in result.cells:
        if cell.cell_type == "code" and "alone" in tags(cell):
            lines = cell.source.splitlines()
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Assert):
                    lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
                    lines[node.lineno - 1] = " " * node.col_offset + "pass"
            cell.source = "\n".join(lines)
    return result


def time_is_over() -> bool:
    """Whether the run's HANDS_ON_TEST_MINUTES have passed; `phases` says when that is."""
    return time.time() > float(os.environ.get("HANDS_ON_TEST_END") or "inf")


def leave_out(name: str, file: Path = NOT_RUN) -> None:
    """Note that a notebook did not run; lines are short enough to be written whole by workers side by side."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"{name}\n")


def not_run(file: Path = NOT_RUN) -> list[str]:
    return sorted(set(file.read_text(encoding="utf-8").split())) if file.is_file() else []


# What a run leaves behind --------------------------------------------------------------------------------------------

EXPECTED = ("build/", ".pytest_cache/", ".ruff_cache/", ".hypothesis/")


def traces(root: Path) -> dict[str, tuple[int, int]] | None:
    """What git sees beside the committed files, ignored ones too, with size and time of change; None without git.

    build/, caches of the test tools and Python's own `__pycache__` do not count.
    """
    command = [
        "git",
        "--no-optional-locks",
        "status",
        "--porcelain",
        "-z",
        "--no-renames",
        "--untracked-files=all",
        "--ignored=matching",
    ]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return {
        line: _stamp(root / line[3:]) for line in done.stdout.split("\0") if len(line) > 3 and not _expected(line[3:])
    }


def _expected(path: str) -> bool:
    return "__pycache__" in path or path.startswith(EXPECTED)


def _stamp(path: Path) -> tuple[int, int]:
    if not path.is_file():
        return (0, 0)
    status = path.stat()
    return (status.st_size, status.st_mtime_ns)


def left_behind(before: dict[str, tuple[int, int]] | None, after: dict[str, tuple[int, int]] | None) -> Iterable[str]:
    """Paths that appeared, vanished or changed between two looks."""
    before, after = before or {}, after or {}
    return sorted({key[3:] for key in before.keys() | after.keys() if before.get(key) != after.get(key)})
