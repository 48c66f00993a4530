"""Run a notebook as the tests do: under nbval, under papermill, and with every exercise answered.

Each takes the notebook's file, so that the tests of the runners themselves can plant a bad one.
"""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbformat import NotebookNode

from tests.tools import execute, hygiene
from tests.tools.notebook import Course, Page, exercise_node, is_exercise, output_texts, read
from tests.tools.report import KernelWatch, Measured, run_measured

CELL_SECONDS = 120  # at smoke; at laptop three times that
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
        return run_measured(command, execute.learner_environment(learner or Path(scratch)), WHOLE_SECONDS, cwd)


# The walk ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Walked:
    """A notebook run with its exercises answered: `verdicts` has the text under each answer, in order of the cells."""

    verdicts: list[tuple[str, str, str]]  # (exercise, answer's source, what the notebook said)
    seconds: float
    peak_mb: float


def answered(book: NotebookNode, answers: dict[str, list[str]]) -> NotebookNode:
    """A copy in which each exercise cell stands once per answer, one after the other: one run sees them all.

    An answer is the source of the definition without its decorator. Raises KeyError for an exercise without an answer.
    """
    cells = []
    for cell in book.cells:
        node = exercise_node(cell.source) if cell.cell_type == "code" and is_exercise(cell) else None
        if node is None:
            cells.append(cell)
            continue
        for number, answer in enumerate(answers[node.name]):
            filled = nbformat.from_dict(dict(cell))
            filled["id"] = f"{cell.id}-answer-{number}"
            filled["source"] = filled_cell(cell.source, answer)
            cells.append(filled)
    result = nbformat.from_dict(dict(book))
    result["cells"] = cells
    return result


def filled_cell(source: str, answer: str) -> str:
    """The cell with its decorated definition replaced; the decorator and everything around it stay."""
    node = exercise_node(source)
    assert node is not None
    lines = source.splitlines()
    return "\n".join([*lines[: node.lineno - 1], answer.strip("\n"), *lines[node.end_lineno :]])


def at_scale(book: NotebookNode, name: str) -> NotebookNode:
    """A copy whose parameters cell sets SCALE to `name`."""
    result = nbformat.from_dict(dict(book))
    for cell in result.cells:
        if cell.get("id") == "parameters":
            cell["source"] = f'SCALE = "{name}"'
    return result


def walk(path: Path, answers: dict[str, list[str]], scale: str = "smoke") -> Walked:
    """Run at `scale` with the answers filled in. Raises NotebookFailed where it does not reach the end."""
    import time

    book = at_scale(answered(read(path), answers), scale)
    start = time.perf_counter()
    with KernelWatch() as watch:
        done = execute.run(book, path.stem, path.parent, cell_seconds=CELL_SECONDS)
    return Walked(verdicts(done), time.perf_counter() - start, watch.peak_mb)


def verdicts(book: NotebookNode) -> list[tuple[str, str, str]]:
    """For each exercise cell its name, its source and the text of its outputs."""
    found = []
    for cell in book.cells:
        if cell.cell_type == "code" and is_exercise(cell):
            node = exercise_node(cell.source)
            found.append((node.name if node else "", cell.source, "\n".join(output_texts(cell))))
    return found


def exercise_rows() -> dict[str, Any]:
    """The answers to every exercise by its name: plausible wrong ones and right ones."""
    import tests.exercise_rows as package
    from helpers.exercises.checking import registry
    from tests.exercises.answers import as_cell

    modules = [
        importlib.import_module(f"{package.__name__}.{found.name}") for found in pkgutil.iter_modules(package.__path__)
    ]
    found = {row.name: row for module in modules for row in getattr(module, "ROWS", [])}
    for name in registry().files:
        loaded = registry().load(name)
        wrong = [
            slip for slip in (*loaded.slips, *loaded.refused) if slip.code != getattr(loaded.planted, "code", None)
        ]
        found[name] = package.Row(
            name,
            [package.Wrong(as_cell(answer), answer.said) for answer in wrong],
            [as_cell(answer) for answer in (loaded.answer, *loaded.right)],
        )
    return found


# What a run leaves behind --------------------------------------------------------------------------------------------

EXPECTED = ("build/", ".pytest_cache/", ".ruff_cache/", ".hypothesis/")


def traces(root: Path) -> dict[str, tuple[int, int]] | None:
    """What git sees beside the committed files, ignored ones too, with size and time of change; None without git.

    build/, caches of the test tools and Python's own `__pycache__` do not count.
    """
    command = ["git", "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignored=matching"]
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
