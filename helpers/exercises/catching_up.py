"""Start a notebook behind its marked stop: `catch_up(5)` leaves what the cells of sections 1 to 4 would have left.

    # in a fresh kernel, after the set-up cell and the parameters cell
    catch_up(5)

It reads the notebook's own file and runs the code cells of the earlier sections, silently. Of a cell that is tagged
`catch-up-skip` (slow, or only for the eye) the imports run and nothing else. An exercise's cell counts as it is saved:
the learner's version where it passes, the course's version otherwise; nothing is recorded as a try. A cell that awaits
at its top level runs in an event loop of its own, in a thread, while the kernel's loop waits for it.

What it does not do: keep that loop open (a connection that such a cell opens in it is of no use afterwards), run what
stands before section 1, or repeat anything where all of it has run in this kernel.
"""

from __future__ import annotations

import ast
import asyncio
import contextvars
import inspect
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

from helpers.display.boxes import Box
from helpers.display.frontend import is_static, shell
from helpers.exercises.checking import registry
from helpers.exercises.checking.engine import check
from helpers.exercises.kernel import session

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = "catch-up-skip"
SECTION = re.compile(r"^#{2,3} +(\d+)\b", re.MULTILINE)
FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
QUIET = ("hint", "predict", "progress", "quiz", "reveal", "solution", "catch_up")


class CannotCatchUp(RuntimeError):
    """One sentence: why nothing was run, or which cell failed."""


@dataclass(frozen=True)
class Cell:
    """One code cell: the section that it stands in (0 before the first) and what it is tagged."""

    name: str
    section: int
    source: str
    tags: tuple[str, ...]

    @property
    def tree(self) -> ast.Module:
        """What of the cell runs: all of it, or only its imports."""
        tree = ast.parse(self.source)
        if SKIPPED in self.tags:
            tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        return tree


def catch_up(section: int, notebook: str = "") -> None:
    """Put into this notebook what the cells of all sections before `section` leave, and say how long that took.

    `notebook`: its number, as in "02b"; needed only where Jupyter does not tell which notebook is running.
    Raises CannotCatchUp, one sentence, outside a notebook, for a section or a notebook that does not exist, before the
    set-up and the parameters cell have run, and where a cell fails.
    """
    ipython = shell()
    if ipython is None:
        raise CannotCatchUp("catch_up() works in a notebook's cell: it runs the notebook's own cells.")
    file = notebook_file(notebook)
    cells, sections = read_cells(file)
    if not sections:
        raise CannotCatchUp(f"{file.stem} has no numbered section, so nothing in it can be caught up on.")
    if section not in sections:
        raise CannotCatchUp(
            f"{file.stem} has no section {section!r}; its sections are {min(sections)} to {max(sections)}."
        )
    if section == min(sections):
        Box("note", f"Section {section} is the first one", ["There is nothing to catch up on: go ahead."]).show()
        return
    namespace = ipython.user_ns
    if missing := sorted(left_by([cell for cell in cells if cell.section == 0]) - namespace.keys()):
        raise CannotCatchUp(
            f"Run the set-up cell and the parameters cell first: `{missing[0]}` is not defined in this kernel yet."
        )
    earlier = [cell for cell in cells if 0 < cell.section < section]
    which = f"Sections {min(sections)} to {section - 1}" if section > min(sections) + 1 else f"Section {min(sections)}"
    if left_by(earlier) <= namespace.keys():
        some = "have" if which.startswith("Sections") else "has"
        Box("note", f"{which} {some} run in this kernel", ["There is nothing to catch up on: go ahead."]).show()
        return
    _report(which, *run(earlier, namespace, ipython))


def _report(which: str, seconds: float, n_cells: int, own: list[str], course: list[str]) -> None:
    lines = [f"{n_cells} cells ran in {seconds:.0f} s." if not is_static() else f"{n_cells} cells ran."]
    for names, whose in ((own, "Your own version is used of"), (course, "The course's version is used of")):
        if names:
            lines.append(f"{whose} {', '.join(f'`{name}`' for name in names)}.")
    Box("note", f"{which} caught up", lines).show()


# The notebook's file -------------------------------------------------------------------------------------------------


def notebook_file(number: str = "") -> Path:
    """The file of the running notebook: as Jupyter or VS Code names it, else the course's notebook of this number.

    Raises CannotCatchUp where nobody knows, or no notebook of the course has that number.
    """
    running = _running_file()
    if running is not None and running.stem.startswith(number and f"{number.split('_')[0]}_"):
        return running
    number = (number or session.current()).split("_")[0]
    if not number:
        raise CannotCatchUp('It is not known which notebook is running: name its number, as in catch_up(5, "02b").')
    found = sorted((ROOT / "notebooks").glob(f"{number}_*.ipynb")) if re.fullmatch(r"\w+", number) else []
    if not found:
        raise CannotCatchUp(f"The course has no notebook {number!r}.")
    return found[0]


def _running_file() -> Path | None:
    ipython = shell()
    told = (os.environ.get("JPY_SESSION_NAME", ""), ipython.user_ns.get("__vsc_ipynb_file__", "") if ipython else "")
    for name in filter(None, told):
        for path in (Path(name), Path.cwd() / Path(name).name):
            if path.suffix == ".ipynb" and path.is_file():
                return path
    return None


def read_cells(file: Path) -> tuple[list[Cell], list[int]]:
    """The code cells of a notebook, and the numbers of its sections in their order.

    Raises CannotCatchUp where the file is no notebook.
    """
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))["cells"]
        cells, sections, current = [], [], 0
        for number, item in enumerate(raw):
            source = "".join(item["source"])
            if item["cell_type"] == "markdown":
                begun = [int(found) for found in SECTION.findall(FENCE.sub("", source))]
                sections += begun
                if begun:
                    current = begun[-1]
            elif item["cell_type"] == "code":
                tags = tuple(item.get("metadata", {}).get("tags", ()))
                cells.append(Cell(item.get("id", f"number {number + 1}"), current, source, tags))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotCatchUp(f"{file.name} cannot be read as a notebook ({type(error).__name__}).") from None
    return cells, sections


def left_by(cells: list[Cell]) -> set[str]:
    """The names that these cells certainly leave: assigned, defined or imported at their top level, not deleted."""
    names: set[str] = set()
    for cell in cells:
        try:
            body = cell.tree.body
        except SyntaxError:  # running it will say so
            continue
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                names |= {item.asname or item.name.split(".")[0] for item in node.names}
            elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
                names |= _stored(node)
            elif isinstance(node, ast.Delete):
                names -= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _stored(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    inside = [item for target in targets for item in ast.walk(target)]
    return {item.id for item in inside if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)}


# Running -------------------------------------------------------------------------------------------------------------


def run(cells: list[Cell], namespace: dict[str, Any], ipython: Any) -> tuple[float, int, list[str], list[str]]:
    """Run the cells in `namespace` without any output.

    Returns the seconds, how many cells ran whole, and the exercises by whose version is used: the learner's and the
    course's. Raises CannotCatchUp, naming the cell, where one fails; what ran before it stays.
    """
    from tqdm import tqdm

    own: list[str] = []
    course: list[str] = []
    start, whole = time.perf_counter(), 0
    bar = tqdm(cells, desc="catching up", unit="cell", disable=is_static(), file=sys.stdout, leave=False)
    with _stand_ins(namespace, _judge(own, course)):
        for cell in bar:
            try:
                with _silence():
                    _execute(_compiled(cell, ipython), namespace)
            except Exception as error:
                bar.close()
                what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
                raise CannotCatchUp(f"The cell {cell.name!r} of section {cell.section} failed: {what}") from error
            whole += SKIPPED not in cell.tags
    return time.perf_counter() - start, whole, own, course


def _compiled(cell: Cell, ipython: Any) -> Any:
    """The cell's code under a file name by which tracebacks and `show` find its lines."""
    name = ipython.compile.cache(cell.source)
    return compile(cell.tree, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def _execute(code: CodeType, namespace: dict[str, Any]) -> None:
    """Run a cell; where it awaits at its top level, to the end, although this thread's own loop is busy with us."""
    if not code.co_flags & inspect.CO_COROUTINE:
        exec(code, namespace)
        return
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(contextvars.copy_context().run, asyncio.run, eval(code, namespace)).result()


def _judge(own: list[str], course: list[str]) -> Callable[[Any], Any]:
    """What stands for `@exercise` meanwhile: the same choice, without a verdict and without a record."""

    def chosen(obj: Any = None) -> Any:
        if obj is None:
            return chosen
        spec = registry().get(getattr(obj, "__name__", ""))
        if spec is None:
            return obj
        passed = check(obj, spec).status == "passed"
        (own if passed else course).append(spec.name)
        return obj if passed else spec.reference

    return chosen


@contextmanager
def _stand_ins(namespace: dict[str, Any], judge: Callable[[Any], Any]) -> Iterator[None]:
    """Meanwhile `exercise` is `judge`, and predictions, quizzes and hints neither speak nor record."""
    names = {name: _nothing for name in QUIET} | {"exercise": judge}
    before = {name: namespace[name] for name in names if name in namespace}
    namespace.update(names)
    try:
        yield
    finally:
        for name in names:
            if name in before:
                namespace[name] = before[name]
            else:
                namespace.pop(name, None)


def _nothing(*args: Any, **options: Any) -> None:
    """Stands for whatever only speaks to the reader."""


@contextmanager
def _silence() -> Iterator[None]:
    """Nothing that a cell prints or displays is shown, and no figure of its stays open."""
    from IPython.utils.capture import capture_output

    pyplot = sys.modules.get("matplotlib.pyplot")
    open_before = pyplot.get_fignums() if pyplot else []
    with capture_output():
        yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    for number in pyplot.get_fignums() if pyplot else []:
        if number not in open_before:
            pyplot.close(number)
