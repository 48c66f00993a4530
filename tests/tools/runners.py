"""Run a notebook as the tests do: under nbval as committed, and under papermill with its exercises answered."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from filelock import FileLock
from nbformat import NotebookNode

from tests.tools.notebook import ROOT, exercise_node, output_texts, parameters, read, tags

BUILD = ROOT / "build"
REPORT = BUILD / "notebook_report.json"
CELL_SECONDS, WHOLE_SECONDS = 600, 1500  # against hanging, also on a slow machine
LAST_LINES = 60  # shown of a run that failed
VERDICTS = ("not attempted", "not yet", "passed")  # to a stub, a wrong and a right answer
LEARNERS_OWN = ("HANDS_ON_", "PYTEST_", "MPLBACKEND", "NB")  # what a developer may have set


@dataclass(frozen=True)
class Run:
    """A finished command: whether all went well, the end of what it printed, and what it took."""

    well: bool
    output: str
    seconds: float
    peak_mb: float


def environment(scratch: Path) -> dict[str, str]:
    """A learner's environment: this checkout's helpers, progress and build/mine in `scratch`, no network."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(LEARNERS_OWN)}
    env |= {name: os.environ[name] for name in ("HANDS_ON_CACHE",) if name in os.environ}
    return env | {
        "PYTHONPATH": str(ROOT),
        "HANDS_ON_STATIC": "1",
        "HANDS_ON_PROGRESS": str(scratch / "progress.json"),
        "HANDS_ON_MINE": str(scratch / "mine"),
        "IPYTHONDIR": str(scratch / "ipython"),
        "HF_HUB_OFFLINE": "1",
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def run(command: list[str], cwd: Path = ROOT, seconds: float = WHOLE_SECONDS) -> Run:
    """Run a command in a learner's environment; after `seconds` it is stopped with everything that it started."""
    start, peak, late = time.monotonic(), 0.0, False
    with tempfile.TemporaryDirectory(prefix="hands-on-", ignore_cleanup_errors=True) as scratch:
        log = Path(scratch) / "log"
        with log.open("wb") as stream:
            env = environment(Path(scratch))
            process = psutil.Popen(
                command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
            )
            try:
                while process.poll() is None and not late:
                    asked = time.monotonic()
                    peak = max(peak, megabytes(process))
                    late = asked - start > seconds
                    time.sleep(max(0.1, 10 * (time.monotonic() - asked)))  # asking takes a tenth of a core at most
            finally:
                stop(process)
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
    if late:
        lines.append(f"stopped after {seconds:g} seconds")
    return Run(process.returncode == 0 and not late, "\n".join(lines), time.monotonic() - start, peak)


def megabytes(process: psutil.Process) -> float:
    """Resident memory of what a process started (a kernel and its servers), in 10^6 bytes; shared pages count once."""
    total = 0
    with contextlib.suppress(psutil.Error):
        tree = process.children(recursive=True)
        for child in tree:
            with contextlib.suppress(psutil.Error):
                info = child.memory_full_info() if len(tree) > 1 else child.memory_info()
                total += getattr(info, "pss", info.rss)
    return total / 1e6


def stop(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.Error):
        for member in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.Error):
                member.kill()
    process.wait()


def stored(book: NotebookNode, folder: str, name: str) -> Path:
    path = BUILD / folder / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.v4.writes(book), encoding="utf-8")
    return path


def nbval(path: Path, claims: Path | None = None, cell_seconds: float = CELL_SECONDS) -> Run:
    """Compare outputs of cells tagged nbval-check-output; with claims a copy runs, which has them as its last cell."""
    if claims is not None and claims.exists():
        book = read(path)
        book.cells.append(nbformat.v4.new_code_cell(claims.read_text(encoding="utf-8"), id="claims"))
        path = stored(book, "nbval", path.stem)
    command = [sys.executable, "-m", "pytest", "-p", "nbval.plugin", "--nbval-lax", "--nbval-current-env"]
    command += [f"--nbval-cell-timeout={cell_seconds:g}", "-p", "no:cacheprovider", "-x", "-q", "--color=no", str(path)]
    return run(command)


def papermill(path: Path, injected: dict[str, object], cell_seconds: float = CELL_SECONDS) -> tuple[Run, Path]:
    """Run with `injected` parameters and each exercise a stub, then wrong, then right; also the executed notebook."""
    book = read(path)
    if unknown := sorted(set(injected) - set(parameters(book))):
        raise ValueError(f"{path.name} has no parameter {unknown[0]}, which the tests inject.")
    asked = stored(answered(without_clocks(book)), "answered", path.stem)
    out = BUILD / "papermill" / path.name
    out.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "papermill", str(asked), str(out), "--cwd", str(ROOT), "--kernel", "python3"]
    command += ["--execution-timeout", f"{cell_seconds:g}", "--no-progress-bar", "--log-level", "WARNING"]
    return run([*command, "--parameters_yaml", json.dumps(injected)]), out


def without_clocks(book: NotebookNode) -> NotebookNode:
    """Cells tagged `alone` assert what a clock says: beside another notebook they assert nothing."""
    for cell in book.cells:
        if "alone" in tags(cell):
            tree = ast.parse(cell.source)
            tree.body = [node for node in tree.body if not isinstance(node, ast.Assert)]
            cell.source = ast.unparse(tree)
    return book


# Exercises ------------------------------------------------------------------------------------------------------------


def answered(book: NotebookNode) -> NotebookNode:
    """Each exercise cell stands three times: untouched, with a wrong answer, with a right one, which the rest uses."""
    cells = []
    for cell in book.cells:
        cells.append(cell)
        if node := exercise_node(cell):
            for kind, answer in zip(("wrong", "right"), answers_to(node.name), strict=True):
                filled = nbformat.from_dict(dict(cell) | {"id": f"{cell.id[:50]}-{kind}"})  # at most 64 characters
                filled["source"] = filled_cell(cell.source, node, answer)
                cells.append(filled)
    book.cells = cells
    return book


def answers_to(name: str) -> tuple[str, str]:
    """A wrong and a right answer to an exercise, as the text of a cell. Raises KeyError, in a sentence, without one."""
    from helpers.exercises.checking import registry  # late: only exercises need torch
    from tests.exercises.answers import as_cell

    if name not in registry():
        raise KeyError(f"The exercise {name!r} has no file.")
    loaded = registry().load(name)
    planted = getattr(loaded.planted, "code", None)  # it stands in the cell untouched
    wrong = next(slip for slip in (*loaded.slips, *loaded.refused) if slip.code != planted)
    return as_cell(wrong), as_cell((loaded.answer, *loaded.right)[-1])


def filled_cell(source: str, node: ast.FunctionDef | ast.ClassDef, answer: str) -> str:
    """The cell with its definition replaced; decorators stay, and what the answer needs first comes before them."""
    lines, new = source.splitlines(), answer.strip("\n").splitlines()
    own = [item.lineno - 1 for item in ast.parse(answer.strip("\n")).body if getattr(item, "name", "") == node.name]
    first = node.decorator_list[0].lineno - 1
    before = [*lines[:first], *new[: own[-1]], *lines[first : node.lineno - 1]]
    return "\n".join([*before, *new[own[-1] :], *lines[node.end_lineno :]])


def wrong_verdicts(book: NotebookNode) -> list[str]:
    """One sentence for each exercise cell of an answered and executed notebook whose verdict it must not have."""
    cells = [cell for cell in book.cells if exercise_node(cell)]
    problems = []
    for number, cell in enumerate(cells):
        expected, said = VERDICTS[number % len(VERDICTS)], "\n".join(output_texts(cell))
        if f"[{expected}]" not in said:
            problems.append(f"The cell {cell.id!r} does not say [{expected}] but\n{said}\nto\n{cell.source}")
    return problems


# The report -----------------------------------------------------------------------------------------------------------


def record(notebook: str, runner: str, done: Run, minutes: int | None) -> None:
    """Write one row of build/notebook_report.json in the place of an earlier one; runs may stand side by side."""
    numbers = {"seconds": round(done.seconds, 1), "peak_mb": round(done.peak_mb), "minutes": minutes}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{REPORT}.lock"):
        rows = [row for row in rows_of(REPORT) if (row["notebook"], row["runner"]) != (notebook, runner)]
        rows.append({"notebook": notebook, "runner": runner} | numbers)
        rows.sort(key=lambda row: (row["notebook"], row["runner"]))
        aside = REPORT.with_suffix(".part")
        aside.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        os.replace(aside, REPORT)


def rows_of(file: Path) -> list[dict]:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
