"""The tests' own machine finds what it is there for: planted notebooks that must fail."""

from __future__ import annotations

import copy
import json
import re
import sys

import nbformat
import pytest

from helpers.exercises.checking import registry
from tests.tools import lessons, notebook, numbers, runners

TITLE = "# A title\n\n**Does every rule hold?**\n\n**5 minutes** · needs: nothing · peak memory 0.1 GB"


def text(source: str):
    return nbformat.v4.new_markdown_cell(source)


def code(source: str, *tags: str, shows: str = "", name: str = "stdout"):
    outputs = [nbformat.v4.new_output("stream", name=name, text=shows)] if shows else []
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}, outputs=outputs)


def tiny(folder, *cells, parameters="STEPS = 3", title=TITLE):
    """A lesson in which every rule holds, `cells` aside."""
    frame = [text(title), code("import math", "setup"), code(parameters, "parameters")]
    cells = [copy.deepcopy(cell) for cell in (*frame, *cells, text("**So:** it does."))]
    book = nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
    for number, cell in enumerate(book.cells):
        cell.id = f"cell-{number}"
    for number, cell in enumerate(notebook.code_cells(book)):
        cell.execution_count = number + 1
    path = folder / "99_tiny.ipynb"
    path.write_text(nbformat.v4.writes(book), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def no_other_lesson(monkeypatch):
    monkeypatch.setattr(lessons, "SET_UP", {})


SECTION = text("## 1 · How many?\n\nThe sum is 55.2 ms, that is 37 % of 149.")
SUM = code("print(1)", "nbval-check-output", shows="55.17 ms of 149.2, a share of 0.37\n")
FIGURE = nbformat.v4.new_output("display_data", data={"image/png": "aGVsbG8="}, metadata={"image/png": {"alt": ""}})


def test_a_sound_lesson_passes(tmp_path):
    path = tiny(tmp_path, SECTION, SUM)
    assert lessons.stored_well(path) + lessons.limits(path) + numbers.unshown(path) == []


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([text("word " * 2001)], r"2,00\d words, at most 2,000"),
        ([code("\n".join(["x = 1"] * 20))] * 11, "220 lines of code, at most 200"),
        ([code("\n".join(["x = 1"] * 46))], "46 lines in its longest cell, at most 45"),
        ([code("\n".join(["x = 1"] * 21))] * 2, "2 cells of more than 20 lines, at most 1"),
        ([code("x = " + "1" * 85)], "1 lines over 88 characters"),
        ([text("\n".join(f"## {n} · A" for n in range(1, 7)))], "6 numbered sections, at most 5"),
        ([text("## 2 · A")], "sections are numbered 2"),
        ([code('predict("a", "b")')] * 3, "3 predictions, at most 2"),
        ([code(f"from helpers.x import {', '.join(f'n{i}' for i in range(13))}")], "13 names from helpers, at most 12"),
        ([code("assert 1")] * 6, "6 asserts, at most 5"),
        ([code("catch_up(3)")], "holds catch_up"),
        ([code("progress()")], "calls progress()"),
        ([code("@exercise\ndef f(x):\n    ...")] * 3, "3 checked exercises"),
        ([code("@exercise\ndef f(x):\n    return 1")], "does not show \\[not attempted\\]"),
        ([nbformat.v4.new_code_cell("1", outputs=[FIGURE] * 5)], "5 measured figures, at most 4"),
        ([nbformat.v4.new_code_cell("1", outputs=[FIGURE])], "has no alt text"),
    ],
)
def test_a_broken_limit_is_one_sentence_with_its_figure(tmp_path, cells, said):
    problems = lessons.limits(tiny(tmp_path, *cells))
    assert any(re.search(said, problem) for problem in problems), problems


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"title": TITLE.replace("hold?", "hold.")}, "not followed by one question"),
        ({"title": TITLE.replace("5 minutes", "five minutes")}, "lacks the line"),
        ({"parameters": "STEPS, MODEL = 3, 4"}, "not NAME = literal"),
        ({"parameters": "STEPS = len([])"}, "not NAME = literal"),
    ],
)
def test_a_broken_frame_is_one_sentence(tmp_path, changed, said):
    [problem] = lessons.limits(tiny(tmp_path, **changed))
    assert said in problem


@pytest.mark.parametrize(
    ("prose", "unshown"),
    [
        ("It takes 55.3 ms.", "55.3 ms"),
        ("It is 38 % of all.", "38 %"),
        ("About 2,500 words.", "2,500"),
        ("In 2017, with `99` and $x^{77}$, 3 of 4 in [a table](x.html?n=123), at 55 ms of 150,000.", "150,000"),
        ("*Example.* Say 400 ms.", None),
        ("## A heading with 99.9 %", None),
        ("It took 55.2 milliseconds, 37 %.", None),
    ],
)
def test_a_number_that_no_output_shows_is_found(tmp_path, prose, unshown):
    problems = numbers.unshown(tiny(tmp_path, text("## 1 · One"), SUM, text(prose)))
    assert len(problems) == (unshown is not None) and all(f'"{unshown}"' in problem for problem in problems), problems


def test_a_number_of_a_section_before_the_last_one_does_not_count(tmp_path):
    cells = [text("## 1 · One"), SUM, text("## 2 · Two"), text("## 3 · Three\n\nIt takes 55.2 ms.")]
    [problem] = numbers.unshown(tiny(tmp_path, *cells))
    assert "\"55.2 ms\" in section '3 · Three'" in problem


@pytest.fixture
def build(tmp_path, monkeypatch):
    monkeypatch.setattr(runners, "BUILD", tmp_path / "build")
    monkeypatch.setattr(runners, "REPORT", tmp_path / "build" / "report.json")


@pytest.mark.parametrize(
    ("shows", "claim", "well"),
    [("3\n", "assert total == 3", True), ("3\n", "assert total > 3", False), ("4\n", "", False)],
)
def test_a_false_claim_and_another_output_fail_under_nbval(tmp_path, build, shows, claim, well):
    path = tiny(tmp_path, code("total = 1 + 2\nprint(total)", "nbval-check-output", shows=shows))
    claims = tmp_path / "claims.py"
    claims.write_text(claim + "\n", encoding="utf-8")
    done = runners.nbval(path, claims)
    assert done.well == well and done.peak_mb > 20, done.output
    assert well or "total > 3" in done.output or "mismatch" in done.output


def test_papermill_injects_what_the_lesson_has_and_refuses_what_it_has_not(tmp_path, build):
    path = tiny(tmp_path, code("print('steps', STEPS)"))
    done, out = runners.papermill(path, {"STEPS": 1})
    shown = [line for cell in notebook.code_cells(notebook.read(out)) for line in notebook.output_texts(cell)]
    assert done.well and "".join(shown) == "steps 1\n"
    with pytest.raises(ValueError, match="99_tiny.ipynb has no parameter STEP, which the tests inject."):
        runners.papermill(path, {"STEP": 1})


def test_each_exercise_is_a_stub_then_wrong_then_right():
    name = min(registry())
    cell = code(f'LIMIT = 1\n@exercise\ndef {name}(a, b):\n    """Doc."""\n    ...\nprint(LIMIT)')
    stub, wrong, right = runners.answered(nbformat.v4.new_notebook(cells=[cell])).cells
    assert stub.source == cell.source and wrong.source != right.source
    for filled in (wrong, right):
        assert notebook.exercise_node(filled).name == name and filled.source.endswith("print(LIMIT)")
    for verdict, each in zip(("not attempted", "not yet", "not yet"), (stub, wrong, right), strict=True):
        each.outputs = code("", shows=f"[{verdict}] {name}").outputs
    [problem] = runners.wrong_verdicts(nbformat.v4.new_notebook(cells=[stub, wrong, right]))
    assert "does not say [passed]" in problem


def test_what_runs_too_long_is_stopped_with_what_it_started_and_says_its_last_lines():
    child = "import time; print('begun', flush=True); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    done = runners.run([sys.executable, "-c", parent], seconds=1)
    assert not done.well and done.seconds < 20
    assert done.output.splitlines() == ["begun", "stopped after 1 seconds"]


def test_the_report_keeps_one_row_for_each_notebook_and_runner(build):
    for seconds in (1.0, 2.0):
        runners.record("99_tiny", "nbval", runners.Run(False, "", seconds, 100), 5)
    runners.record("98_tiny", "papermill", runners.Run(True, "", 3.0, 100), 5)
    rows = json.loads(runners.REPORT.read_text(encoding="utf-8"))
    assert [(row["notebook"], row["seconds"], row["minutes"]) for row in rows] == [
        ("98_tiny", 3.0, 5),
        ("99_tiny", 2.0, 5),
    ]


def test_an_unknown_notebook_is_refused(monkeypatch):
    monkeypatch.setenv("NB", "00_welcom")
    with pytest.raises(ValueError, match="There is no notebook '00_welcom'; there are 00_welcome"):
        notebook.chosen()
