"""`catch_up`: a fresh kernel gets what the earlier sections leave, and every way it cannot is one sentence."""

from __future__ import annotations

import ast
import asyncio
import builtins
import inspect
import json
import os
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from IPython.core.compilerop import CachingCompiler

from helpers import exercises
from helpers.exercises import CannotCatchUp, catch_up, catching_up, kernel
from helpers.exercises.catching_up import Cell
from helpers.exercises.checking.spec import Exercise
from tests.tools import execute, runners, selection
from tests.tools.notebook import calls, course, output_texts, parse, read

COURSE = course()
WITH_STOP = [name for name in COURSE.names if any(calls(cell, "catch_up") for cell in COURSE.page(name).code)]


def double(x):
    return x + x


SPEC = Exercise(
    name="double",
    notebook="99_stop",
    minutes=1,
    difficulty=1,
    reference=double,
    cases=lambda rng: [(n,) for n in range(5)],
    hints=("Look.", "Look closely.", "Look very closely."),
    proves="five numbers",
)
STUB = '@exercise\ndef double(x):\n    """Twice x."""\n    ...'
CELLS = [
    ("code", "setup", "from pathlib import Path\nfrom helpers.exercises import exercise, predict", ["setup"]),
    ("code", "parameters", 'SCALE = "laptop"', ["parameters"]),
    ("markdown", "one", "## 1 · One\n\n```\n## 7 · no heading\n```", []),
    ("code", "guess", 'predict("99-x", "How many?", guess=3)', []),
    ("code", "start", "import math\n\nheight = 3\nprint('seen')", []),
    ("code", "double", STUB, ["exercise"]),
    ("markdown", "two", "As figures show.\n\n### 2 · Two", []),
    ("code", "slow", "from math import tau\n\nnever = 1 / 0", ["catch-up-skip"]),
    ("code", "built", "tower = double(height)\nloose = 1\ndel loose", []),
    ("markdown", "three", "## 3 · Three", []),
    ("code", "later", "raise RuntimeError('a later section ran')", []),
]


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """A kernel in which the set-up and the parameters cell of 99_stop have run; returns its namespace."""
    namespace: dict = {"SCALE": "laptop", "Path": Path, "exercise": exercises.exercise, "predict": exercises.predict}
    ipython = SimpleNamespace(user_ns=namespace, compile=CachingCompiler())
    monkeypatch.setattr(catching_up, "shell", lambda: ipython)
    monkeypatch.setattr(catching_up, "ROOT", tmp_path)
    for module in (catching_up, exercises):
        monkeypatch.setattr(module, "registry", lambda: {"double": SPEC})
    monkeypatch.setattr(kernel.session, "guesses", {})
    monkeypatch.setattr(kernel.session, "notebook", "")
    monkeypatch.setenv("HANDS_ON_STATIC", "1")
    monkeypatch.setenv("HANDS_ON_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    stored(tmp_path)
    return namespace


def stored(root: Path, name: str = "99_stop", **changed: str) -> Path:
    path = root / "notebooks" / f"{name}.ipynb"
    path.parent.mkdir(exist_ok=True)
    cells = [
        {"cell_type": kind, "id": i, "metadata": {"tags": tags}, "source": changed.get(i, text).splitlines(True)}
        for kind, i, text, tags in CELLS
    ]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return path


def test_the_earlier_sections_run_and_the_later_ones_do_not(fresh, capsys):
    catch_up(3, "99")
    assert fresh["tower"] == 6 and fresh["tau"] > 6 and "never" not in fresh and "loose" not in fresh
    said = capsys.readouterr().out
    assert said.splitlines()[0] == "[note] Sections 1 to 2 caught up"
    assert "4 cells ran." in said and "seen" not in said
    assert "The course's version is used of `double`." in said


def test_a_version_of_the_learner_that_is_saved_in_the_notebook_is_used(fresh, tmp_path, capsys):
    mine = "@exercise\ndef double(x):\n    return 2 * x  # mine"
    stored(tmp_path, double=mine)
    catch_up(3, "99")
    assert fresh["double"] is not double and fresh["double"](4) == 8
    assert "Your own version is used of `double`." in capsys.readouterr().out


@pytest.mark.parametrize("answer", [STUB, STUB.replace("...", "return x * x")])
def test_else_the_courses_version_is_used(fresh, tmp_path, answer):
    stored(tmp_path, double=answer)
    catch_up(3, "99")
    assert fresh["double"] is double


def test_no_try_and_no_guess_is_recorded_and_the_real_functions_come_back(fresh, tmp_path):
    stored(tmp_path, double=STUB.replace("...", "return 0"))
    catch_up(3, "99")
    assert not (tmp_path / "progress.json").exists() and not kernel.session.guesses
    assert fresh["exercise"] is exercises.exercise and fresh["predict"] is exercises.predict
    assert "quiz" not in fresh


def test_where_all_has_run_nothing_runs_again(fresh, capsys):
    catch_up(3, "99")
    fresh["tower"] = 7
    capsys.readouterr()
    catch_up(3, "99")
    assert fresh["tower"] == 7
    assert capsys.readouterr().out.startswith("[note] Sections 1 to 2 have run in this kernel")


def test_only_the_sections_asked_for_run(fresh):
    catch_up(2, "99")
    assert "height" in fresh and "tower" not in fresh


def test_figures_of_earlier_cells_are_closed_and_the_readers_own_stay_open(fresh, tmp_path):
    import matplotlib.pyplot as plt

    mine = plt.figure().number
    stored(tmp_path, start="import matplotlib.pyplot as plt\n\nheight = 3\nplt.figure()")
    catch_up(3, "99")
    assert plt.get_fignums() == [mine]
    plt.close(mine)


def test_the_running_notebook_is_the_one_that_jupyter_names(fresh, tmp_path, monkeypatch):
    stored(tmp_path, "99_stop")
    copy = stored(tmp_path, "99_stop-Copy1", start="height = 50")
    monkeypatch.setenv("JPY_SESSION_NAME", str(copy))
    catch_up(3)
    assert fresh["tower"] == 100


def test_in_vs_code_the_notebook_is_the_one_that_it_names(fresh, tmp_path):
    fresh["__vsc_ipynb_file__"] = str(stored(tmp_path, "99_stop-Copy1", start="height = 50"))
    catch_up(3, "99")
    assert fresh["tower"] == 100


def test_another_running_notebook_is_not_taken_for_the_one_asked_for(fresh, tmp_path, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", str(stored(tmp_path, "98_other", start="height = 50")))
    catch_up(3, "99")
    assert fresh["tower"] == 6


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((4, "99"), "99_stop has no section 4; its sections are 1 to 3."),
        (("3", "99"), "99_stop has no section '3'; its sections are 1 to 3."),
        ((3, "97"), "The course has no notebook '97'."),
        ((3, "../99"), "The course has no notebook '../99'."),
        ((3,), 'It is not known which notebook is running: name its number, as in catch_up(5, "02b").'),
    ],
)
def test_what_does_not_exist_is_one_sentence(fresh, arguments, sentence):
    with pytest.raises(CannotCatchUp) as raised:
        catch_up(*arguments)
    assert str(raised.value) == sentence
    assert "height" not in fresh


def test_before_the_first_section_there_is_nothing_to_catch_up_on(fresh, capsys):
    catch_up(1, "99")
    assert capsys.readouterr().out.startswith("[note] Section 1 is the first one")
    assert "height" not in fresh


def test_a_notebook_without_numbered_sections_says_so(fresh, tmp_path):
    stored(tmp_path, one="# One", two="## Two", three="## Three")
    with pytest.raises(CannotCatchUp, match="99_stop has no numbered section, so nothing in it can be caught up on."):
        catch_up(3, "99")


def test_the_setup_cell_has_to_run_first(fresh):
    del fresh["SCALE"]
    with pytest.raises(CannotCatchUp, match="Run the set-up cell and the parameters cell first: `SCALE` is not"):
        catch_up(3, "99")


def test_outside_a_notebook_it_says_so(monkeypatch):
    monkeypatch.setattr(catching_up, "shell", lambda: None)
    with pytest.raises(CannotCatchUp, match=r"^catch_up\(\) works in a notebook's cell: it runs the notebook's own"):
        catch_up(3)


def test_a_damaged_file_is_one_sentence(fresh, tmp_path):
    (tmp_path / "notebooks" / "99_stop.ipynb").write_text("{", encoding="utf-8")
    with pytest.raises(CannotCatchUp, match=r"99_stop.ipynb cannot be read as a notebook \(JSONDecodeError\)"):
        catch_up(3, "99")


def test_a_failing_cell_is_named_and_the_real_functions_come_back(fresh, tmp_path):
    stored(tmp_path, built="tower = height / 0")
    with pytest.raises(
        CannotCatchUp, match="The cell 'built' of section 2 failed: ZeroDivisionError: division by zero"
    ):
        catch_up(3, "99")
    assert fresh["exercise"] is exercises.exercise and fresh["height"] == 3


def test_cells_that_await_at_their_top_level_run_to_the_end_in_a_kernels_busy_loop(fresh, tmp_path):
    waiting = (
        "import asyncio\n\nawait asyncio.sleep(0)\ntower = await asyncio.gather(*[asyncio.sleep(0, n) for n in (1, 2)])"
    )
    stored(tmp_path, start="height = 3\nawait_ = 1", built=waiting)

    async def kernel_cell():
        catch_up(3, "99")
        await asyncio.sleep(0)  # the kernel's own loop still works

    asyncio.run(kernel_cell())
    assert fresh["tower"] == [1, 2]
    stored(tmp_path, built="import asyncio\n\nawait asyncio.sleep(0)\ntower = 1 / 0")
    del fresh["tower"]
    with pytest.raises(CannotCatchUp, match="The cell 'built' of section 2 failed: ZeroDivisionError"):
        asyncio.run(kernel_cell())


@pytest.mark.parametrize("name", WITH_STOP)
def test_every_cell_that_catching_up_runs_can_be_compiled(name):
    cells, _ = catching_up.read_cells(COURSE.page(name).path)
    shell = SimpleNamespace(compile=CachingCompiler())
    for cell in cells:
        catching_up._compiled(cell, shell)


def awaiting(name: str) -> list[str]:
    """The cells before a notebook's stop that await at their top level and are run by catching up."""
    cells, _ = catching_up.read_cells(COURSE.page(name).path)
    shell = SimpleNamespace(compile=CachingCompiler())
    stop = next(i for i, cell in enumerate(cells) if "catch_up(" in cell.source)
    return [c.name for c in cells[:stop] if catching_up._compiled(c, shell).co_flags & inspect.CO_COROUTINE]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in WITH_STOP if awaiting(name)])
def test_a_notebook_that_awaits_before_its_stop_is_caught_up_with_in_a_fresh_kernel(name):
    path = COURSE.page(name).path
    book = read(path)
    stop = next(i for i, cell in enumerate(book.cells) if catches_up(cell))
    frame = {cell.id: cell for cell in book.cells[:stop] if cell.id in ("setup", "parameters")}
    frame["parameters"].source = 'SCALE = "smoke"'
    book.cells = [*frame.values(), book.cells[stop]]
    done = execute.run(book, name, path.parent)
    assert any("caught up" in text for cell in done.cells for text in output_texts(cell))


def needed(source: ast.AST) -> set[str]:
    """Names that this code reads and nowhere binds."""
    named = [node for node in ast.walk(source) if isinstance(node, ast.Name)]
    bound = {node.id for node in named if not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in ast.walk(source) if isinstance(node, ast.arg)}
    for node in ast.walk(source):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {item.asname or item.name.split(".")[0] for item in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
    return {node.id for node in named} - bound - set(dir(builtins)) - {"get_ipython", "display"}


def missing_behind_the_stop(book) -> set[str]:
    """Names that a notebook needs if it is begun at its stop, and that nothing gives it then."""
    first = next(i for i, cell in enumerate(book.cells) if catches_up(cell))
    earlier = [cell for cell in book.cells[:first] if cell.cell_type == "code"]
    trees = [Cell(c.id, 0, c.source, tuple(c.metadata.get("tags", ()))).tree for c in earlier]
    trees += [parse(cell.source) for cell in book.cells[first:] if cell.cell_type == "code"]
    return needed(ast.Module([node for tree in trees for node in tree.body], []))


@pytest.mark.parametrize("name", WITH_STOP)
def test_nothing_behind_the_stop_needs_what_catching_up_leaves_out(name):
    assert not missing_behind_the_stop(read(COURSE.page(name).path))


def test_a_name_that_only_a_left_out_cell_gives_is_seen():
    cells = [("a", "x = 1", []), ("b", "y = x", ["catch-up-skip"]), ("c", "catch_up = print\ncatch_up(2)", [])]
    book = nbformat.v4.new_notebook()
    for name, source, tags in [*cells, ("d", "print([x for x in range(y)])", [])]:
        book.cells.append(nbformat.v4.new_code_cell(source, id=name, metadata={"tags": tags}))
    assert missing_behind_the_stop(book) == {"y"}
    book.cells[1].metadata["tags"] = []
    assert missing_behind_the_stop(book) == set()


def two_in_turn() -> list[str]:
    """The two whose turn it is by the commit: begun at the stop, a notebook runs half of itself once more."""
    assert len(WITH_STOP) > 2
    return selection.in_turn(WITH_STOP, [], selection.commit())[:2]


@pytest.mark.notebooks
@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_STOP if os.environ.get("HANDS_ON_EVERY_STOP") else two_in_turn())
def test_setup_parameters_and_catch_up_are_enough_for_the_rest_of_the_notebook(name):
    """A fresh kernel runs the set-up, the parameters, `catch_up(k)` and every cell after it, and nothing else."""
    if runners.time_is_over():
        runners.leave_out(f"{name}:from-its-stop")
        pytest.skip(f"{name} was not run from its marked stop: HANDS_ON_TEST_MINUTES are over")
    path = COURSE.page(name).path
    book = runners.without_clocks(read(path))
    first = next(i for i, cell in enumerate(book.cells) if catches_up(cell))
    frame = {cell.id: cell for cell in book.cells[:first] if cell.id in ("setup", "parameters")}
    frame["parameters"].source = 'SCALE = "smoke"'
    book.cells = [*frame.values(), *book.cells[first:]]
    done = execute.run(book, name, path.parent)
    said = "\n".join(text for cell in done.cells if catches_up(cell) for text in output_texts(cell))
    assert "caught up" in said, said


def catches_up(cell) -> bool:
    return cell.cell_type == "code" and bool(calls(cell, "catch_up"))
