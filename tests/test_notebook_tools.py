"""The tools that execute and measure notebooks, each against a small notebook made for the test."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys

import nbformat
import pytest

from tests.tools import execute, report, runners, scratch
from tests.tools.notebook import ROOT, Course, Page, read, registered_tasks
from tests.tools.scratch import cell, code, md, picture, shown, text

DRAWING = """import matplotlib.pyplot as plt
figure, axes = plt.subplots(figsize=(2, 1))
axes.plot([1, 2, 3])
plt.show()"""


def book(*cells):
    return nbformat.v4.new_notebook(cells=[md("title", "# Title"), *cells], metadata={"kernelspec": execute.KERNELSPEC})


def stored(tmp_path, *cells):
    return scratch.write(tmp_path / "notebooks" / "00_first.ipynb", book(*cells))


# Execution -----------------------------------------------------------------------------------------------------------


@pytest.mark.notebooks
def test_a_second_execution_gives_the_same_bytes(tmp_path):
    where = "import os, random; print(os.path.basename(os.getcwd()), os.environ['HANDS_ON_STATIC'], flush=True)"
    path = stored(
        tmp_path,
        code("where", where + "\nprint('more')"),
        code("figure", DRAWING),
        code("seconds", "import time; print(time.perf_counter())", "timing"),
        code("last", "1 + 1"),
    )
    assert execute.execute(path)
    first = path.read_bytes()
    assert not execute.execute(path)
    assert path.read_bytes() == first

    done = read(path)
    assert [item.id for item in done.cells] == ["title", "where", "figure", "seconds", "last"]
    assert [item.execution_count for item in done.cells[1:]] == [1, 2, 3, 4]
    assert cell(done, "where").outputs == [text("notebooks 1\nmore\n")]
    assert "image/png" in cell(done, "figure").outputs[0].data
    assert done.metadata.kernelspec.name == "python3" and "version" not in done.metadata.language_info
    assert not list(path.parent.glob(".*"))

    assert execute.execute(path, fresh=True), "a fresh timing differs from the stored one"
    before, after = json.loads(first), json.loads(path.read_bytes())
    changed = [new["id"] for old, new in zip(before["cells"], after["cells"], strict=True) if old != new]
    assert changed == ["seconds"]


@pytest.mark.notebooks
def test_a_failing_notebook_is_left_untouched_and_named(tmp_path, capsys):
    path = stored(tmp_path, code("fine", "1"), code("broken", "print('x')\nundefined_name"))
    before = path.read_bytes()
    assert execute.main(["--root", str(tmp_path), "00_first"]) == 1
    shown_error = capsys.readouterr().err
    assert "00_first: cell 'broken' failed: NameError: name 'undefined_name' is not defined" in shown_error
    assert len(shown_error.splitlines()) == 1
    assert path.read_bytes() == before and [item.name for item in path.parent.iterdir()] == ["00_first.ipynb"]


@pytest.mark.notebooks
def test_a_cell_that_never_ends_is_stopped_and_named(tmp_path, capsys):
    stored(tmp_path, code("endless", "while True: pass"))
    assert execute.main(["--root", str(tmp_path), "--cell-seconds", "2"]) == 1
    assert "cell 'endless' failed: it ran longer than 2 s" in capsys.readouterr().err


@pytest.mark.parametrize(("failures", "cells_before", "tries"), [(2, 0, 3), (3, 0, 3), (1, 1, 1)])
def test_a_kernel_that_never_started_is_tried_again_and_one_that_died_at_work_is_not(
    tmp_path, monkeypatch, failures, cells_before, tries
):
    tried = []

    class Client:
        def __init__(self, book, on_cell_execute, **options):
            self.reach = on_cell_execute

        def execute(self, env):
            tried.append(1)
            for i in range(cells_before):
                self.reach(code("first", "1"), i)
            if len(tried) <= failures:
                raise RuntimeError("Kernel died before replying to kernel_info")
            return "done"

    monkeypatch.setattr(execute, "NotebookClient", Client)
    if failures < tries:
        assert execute.run(book(), "00_first", tmp_path) == "done"
    else:
        with pytest.raises(execute.NotebookFailed, match="Kernel died before replying"):
            execute.run(book(), "00_first", tmp_path)
    assert len(tried) == tries


def test_an_unknown_name_is_refused_in_one_sentence(tmp_path, capsys):
    stored(tmp_path, code("fine", "1"))
    assert execute.main(["--root", str(tmp_path), "00_frist"]) == 1
    assert capsys.readouterr().err == "There is no notebook '00_frist'; did you mean '00_first'?\n"


def test_switches_of_a_developer_do_not_reach_a_run(tmp_path, monkeypatch):
    for name in execute.SWITCHES:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HANDS_ON_CACHE", "kept")
    env = execute.learner_environment(tmp_path)
    assert not set(execute.SWITCHES) & set(env)
    assert env["HANDS_ON_CACHE"] == "kept" and env["HANDS_ON_STATIC"] == "1" and env["HF_HUB_OFFLINE"] == "1"
    assert env["HANDS_ON_PROGRESS"].startswith(str(tmp_path))


def test_chunks_of_a_stream_are_one_output_and_stdout_comes_first():
    chunks = [text("a"), text("warn", "stderr"), text("b"), shown("figure"), text("c"), text("d")]
    assert execute.merged_streams(chunks) == [text("ab"), text("warn", "stderr"), shown("figure"), text("cd")]


def test_what_changes_at_every_run_is_not_stored():
    ran = book(code("product", "1", "nbval-check-output"))
    ran.metadata = nbformat.from_dict(
        {"widgets": {"state": {}}, "papermill": {}, "language_info": {"version": "3.11.2"}}
    )
    ran.cells[1].metadata["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
    done = execute.normalized(ran, book(code("product", "1")))
    assert set(done.metadata) == {"kernelspec", "language_info"} and "version" not in done.metadata.language_info
    assert dict(done.cells[1].metadata) == {"tags": ["nbval-check-output"]}


def picture_after(new: str, old: str) -> str:
    ran, before = (book(code("figure", "draw()", outputs=[shown("f", **{"image/png": data})])) for data in (new, old))
    return execute.normalized(ran, before).cells[1].outputs[0].data["image/png"]


def test_a_picture_with_the_same_pixels_is_the_stored_one():
    old = picture((1, 2, 3))
    assert picture_after(picture((1, 2, 3), note="Another version"), old) == old


def test_another_picture_is_stored_without_its_writers_version():
    new = picture_after(picture((9, 9, 9), note="Matplotlib 1.2.3"), picture((1, 2, 3)))
    assert execute.same_pixels(new, picture((9, 9, 9))) and not execute.same_pixels(new, picture((1, 2, 3)))
    assert b"Matplotlib" not in base64.b64decode(new)


def timing_after(stored_source: str | None, source: str, fresh: bool = False) -> str:
    before = book(code("seconds", source, "timing", outputs=[text("1 s")] if stored_source is not None else []))
    ran = book(code("seconds", source, "timing", outputs=[text("2 s")]))
    if stored_source:
        first = book(code("seconds", stored_source, "timing"))
        before.cells[1].metadata["timed_source"] = execute.normalized(first, first).cells[1].metadata["timed_source"]
    return execute.normalized(ran, before, fresh=fresh).cells[1].outputs[0].text


def test_a_timing_is_kept_until_a_fresh_one_is_asked_for_or_its_source_changes():
    assert timing_after("run()", "run()") == "1 s"
    assert timing_after("", "run()") == "1 s"
    assert timing_after("run()", "run()", fresh=True) == "2 s"
    assert timing_after("run()", "run(2)") == "2 s"
    assert timing_after(None, "run()") == "2 s"


def test_a_kept_timing_takes_its_cells_new_number():
    result = nbformat.v4.new_output("execute_result", data={"text/plain": "1 s"}, execution_count=7)
    before = book(code("seconds", "run()", "timing", outputs=[result]))
    ran = book(code("seconds", "run()", "timing", outputs=[text("2 s")]))
    ran.cells[1].execution_count = 3
    kept = execute.normalized(ran, before).cells[1].outputs[0]
    assert kept.data["text/plain"] == "1 s" and kept.execution_count == 3


# Measuring -----------------------------------------------------------------------------------------------------------

KERNEL = "import sys; data = bytearray(int(sys.argv[1])); data[::4096] = b'x' * len(data[::4096]); del data"
PARENT = (
    "import subprocess, sys; "
    "subprocess.run([sys.executable, '-c', sys.argv[1] + '; import time; time.sleep(.3)', *sys.argv[2:]])"
)


def test_the_peak_of_a_kernel_is_measured_after_it_has_freed_its_memory():
    measured = report.run_measured([sys.executable, "-c", PARENT, KERNEL, "300000000", "ipykernel"])
    assert measured.returncode == 0 and not measured.timed_out
    assert 300 < measured.peak_mb < 360


def test_other_processes_do_not_count_as_kernels():
    measured = report.run_measured([sys.executable, "-c", PARENT, KERNEL, "300000000", "something-else"])
    assert measured.returncode == 0 and measured.peak_mb == 0


HOLDING = "import time; data = bytearray(200_000_000); data[::4096] = b'x' * len(data[::4096]); time.sleep(1)"


def test_servers_that_a_kernel_starts_count_with_it():
    kernel = (
        "import subprocess, sys, time; data = bytearray(100_000_000); data[::4096] = b'x' * len(data[::4096]); "
        f"subprocess.Popen([sys.executable, '-c', {HOLDING!r}]); time.sleep(1.5)"
    )
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {kernel!r}, 'ipykernel'])"
    measured = report.run_measured([sys.executable, "-c", starts])
    assert measured.returncode == 0 and 300 < measured.peak_mb < 400


def test_a_server_whose_parent_has_ended_still_counts():
    launcher = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {HOLDING!r}]); time.sleep(.4)"
    kernel = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {launcher!r}]); time.sleep(1.5)"
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {kernel!r}, 'ipykernel'])"
    with report.KernelWatch() as watch:
        subprocess.run([sys.executable, "-c", starts], check=True)
    assert 200 < watch.peak_mb < 300


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_memory_that_forked_processes_share_counts_once():
    forks = (
        "import os, time; data = bytearray(200_000_000); data[::4096] = b'x' * len(data[::4096]); "
        "pid = os.fork(); time.sleep(1); pid and os.waitpid(pid, 0)"
    )
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {forks!r}, 'ipykernel'])"
    measured = report.run_measured([sys.executable, "-c", starts])
    shared = sys.platform.startswith("linux")
    assert 200 < measured.peak_mb < (260 if shared else 520)


def test_a_command_past_its_time_is_stopped_with_what_it_started(tmp_path):
    pid_file = tmp_path / "pid"
    child = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    measured = report.run_measured([sys.executable, "-c", PARENT, child], timeout=3)
    assert measured.timed_out and measured.seconds < 30
    import psutil

    pid = int(pid_file.read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_later_row_replaces_the_same_notebook_and_runner(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "_recorded_now", [])
    file = tmp_path / "build" / "report.json"
    report.record("01_second", "nbval", 50.04, 800.4, 20, file)
    report.record("00_first", "nbval", 10, 500, 30, file)
    report.record("00_first", "papermill", 5, 400, 30, file)
    report.record("00_first", "nbval", 11, 510, 30, file)
    rows = json.loads(file.read_text())
    assert [(row["notebook"], row["runner"], row["seconds"]) for row in rows] == [
        ("00_first", "nbval", 11),
        ("00_first", "papermill", 5),
        ("01_second", "nbval", 50.0),
    ]
    assert set(rows[0]) == {"notebook", "runner", "seconds", "peak_mb", "minutes"}
    assert "00_first" in report.table(report.load(file)) and "510" in report.table(report.load(file))


def test_a_damaged_report_is_begun_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "_recorded_now", [])
    file = tmp_path / "report.json"
    file.write_text('[{"notebook": "00_fi')
    report.record("00_first", "nbval", 10, 500, 30, file)
    assert len(json.loads(file.read_text())) == 1


SIDE_BY_SIDE = """
from pathlib import Path
import pytest
from tests.tools import report

@pytest.mark.parametrize("number", range(12))
def test_run(number):
    report.record(f"{number:02d}_page", "papermill", number, 500, 30, Path(__file__).with_name("report.json"))
"""


def test_rows_of_all_workers_are_kept_and_printed_once(tmp_path):
    (tmp_path / "test_side_by_side.py").write_text(SIDE_BY_SIDE)
    command = [sys.executable, "-m", "pytest", "-p", "tests.tools.report", "-p", "no:cacheprovider"]
    command += ["-q", f"--rootdir={tmp_path}", "-n", "2", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NB": ""}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "12 passed" in done.stdout, done.stdout + done.stderr
    pages = [f"{number:02d}_page" for number in range(12)]
    assert [row["notebook"] for row in json.loads((tmp_path / "report.json").read_text())] == pages
    assert [line.split()[0] for line in done.stdout.splitlines() if " papermill " in line] == pages


# Runners -------------------------------------------------------------------------------------------------------------


def course_with(tmp_path, *cells):
    """A course whose first notebook has been executed and stored."""
    path = stored(tmp_path, code("parameters", 'SCALE = "laptop"', "parameters"), *cells)
    execute.execute(path)
    return path


@pytest.mark.notebooks
def test_nbval_compares_tagged_outputs_and_works_in_the_notebooks_folder(tmp_path):
    path = course_with(
        tmp_path,
        code("free", "import time; print(time.perf_counter())"),
        code("exact", "import os; print(6, os.path.basename(os.getcwd()), SCALE)", "nbval-check-output"),
    )
    good = runners.nbval(path, tmp_path)
    assert good.returncode == 0 and good.peak_mb > 20, good.output

    path.write_text(path.read_text().replace("6 notebooks laptop", "7 notebooks laptop"))
    bad = runners.nbval(path, tmp_path)
    assert bad.returncode == 1 and "7 notebooks" in bad.output


@pytest.mark.notebooks
def test_nbval_refuses_a_notebook_stored_without_outputs(tmp_path):
    path = stored(tmp_path, code("exact", "print(6)", "nbval-check-output"))
    with pytest.raises(ValueError, match="execution count of cell 'exact' is None"):
        runners.nbval(path, tmp_path)


@pytest.mark.notebooks
def test_papermill_injects_the_scale_and_works_in_the_given_folder(tmp_path):
    path = course_with(tmp_path, code("where", "import os; print(SCALE, os.path.basename(os.getcwd()))"))
    out = tmp_path / "out" / "00_first.ipynb"
    done = runners.papermill_run(path, out, {"SCALE": "smoke"}, tmp_path)
    assert done.returncode == 0 and done.peak_mb > 20, done.output
    assert cell(read(out), "where").outputs == [text(f"smoke {tmp_path.name}\n")]


def test_papermill_is_not_given_a_parameter_that_the_notebook_lacks(tmp_path):
    path = stored(tmp_path, code("parameters", 'SCALE = "laptop"', "parameters"))
    with pytest.raises(ValueError, match="00_first has no parameter 'SCALES'; it has SCALE."):
        runners.papermill_run(path, tmp_path / "out.ipynb", {"SCALES": "smoke"}, tmp_path)
    assert not (tmp_path / "out.ipynb").exists()


@pytest.mark.notebooks
def test_papermill_stops_a_cell_at_its_limit(tmp_path):
    path = stored(tmp_path, code("parameters", 'SCALE = "laptop"', "parameters"), code("endless", "while True: pass"))
    done = runners.papermill_run(path, tmp_path / "out.ipynb", {"SCALE": "smoke"}, tmp_path, cell_seconds=2)
    assert done.returncode != 0 and "timed out" in done.output.lower()


STUB = '@exercise\ndef triple(x):\n    """Three times x."""\n    ...'
FAKE = """def exercise(f):
    said = {None: "not attempted", 6: "passed"}.get(f(2), "not yet")
    print(f"[{said}]")
    return f"""
WRONG, RIGHT = "def triple(x):\n    return 2 * x", "def triple(x):\n    return 3 * x"


def answered_run(tmp_path, answers, *after):
    cells = [code("fake", FAKE), code("exercise-triple", STUB, "exercise"), *after]
    book = read(stored(tmp_path, code("parameters", 'SCALE = "laptop"', "parameters"), *cells))
    path = scratch.write(tmp_path / "answered.ipynb", runners.answered(book, {"triple": answers}))
    out = tmp_path / "out.ipynb"
    return runners.papermill_run(path, out, {"SCALE": "smoke"}, tmp_path), read(out)


@pytest.mark.notebooks
def test_an_exercise_is_a_stub_then_wrong_then_right_and_the_rest_runs_on_the_right_answer(tmp_path):
    answers = runners.Answers([WRONG, "nothing"], ["nothing", RIGHT])
    done, ran = answered_run(tmp_path, answers, code("after", "assert SCALE == 'smoke' and triple(3) == 9"))
    assert done.returncode == 0 and done.peak_mb > 20, done.output
    said = [(name, text.strip()) for name, _, text in runners.verdicts(ran)]
    assert said == [("triple", "[not attempted]"), ("triple", "[not yet]"), ("triple", "[passed]")]
    assert runners.wrong_verdicts(ran) == []
    assert [item.id for item in ran.cells if item.id.startswith("exercise")] == [
        "exercise-triple",
        "exercise-triple-wrong",
        "exercise-triple-right",
    ]
    assert cell(ran, "exercise-triple").source == STUB


@pytest.mark.notebooks
@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        (runners.Answers([RIGHT], [RIGHT]), r"triple does not say \[not yet\] but\s+\[passed\]"),
        (runners.Answers([WRONG], [WRONG]), r"triple does not say \[passed\] but\s+\[not yet\]"),
        (runners.Answers(["def triple(x): ..."], [RIGHT]), r"triple does not say \[not yet\] but\s+\[not attempted\]"),
    ],
)
def test_another_verdict_than_expected_is_named(tmp_path, answers, problem):
    _, ran = answered_run(tmp_path, answers)
    [said] = runners.wrong_verdicts(ran)
    assert re.match(problem, said)


@pytest.mark.notebooks
def test_a_tail_that_fails_on_the_right_answer_is_seen(tmp_path):
    done, _ = answered_run(tmp_path, runners.Answers([WRONG], [RIGHT]), code("after", "assert triple(3) == 6"))
    assert done.returncode != 0 and "AssertionError" in done.output


def test_an_exercise_without_answers_is_named():
    book = nbformat.v4.new_notebook(cells=[code("exercise-triple", STUB, "exercise")])
    with pytest.raises(KeyError, match="triple"):
        runners.answered(book, {})
    with pytest.raises(KeyError, match="'triple' needs a wrong answer and a right one"):
        runners.answers_to("triple")


def test_every_exercise_has_answers_that_define_it_in_any_notebook():
    for name in registered_tasks():
        answers = runners.answers_to(name)
        for source in (answers.wrong[0], *answers.right):
            notebook = {}
            exec(compile(source, "<cell>", "exec", dont_inherit=True), notebook)
            assert callable(notebook[name])


@pytest.mark.parametrize(("tags", "alone"), [(["timing", "alone"], True), (["timing"], False), ([], False)])
def test_a_notebook_that_asserts_a_time_runs_alone_at_laptop_and_asserts_none_beside_others(tmp_path, tags, alone):
    source = "slow, fast = seconds()\nif SCALE == 'laptop':\n    assert (\n        fast < slow\n    )\nassert fast"
    path = stored(tmp_path, code("other", "assert True"), code("timed", source, *tags))
    page = Page(path, Course(tmp_path))
    assert runners.asserts_a_time(page) is alone
    left = [cell.source.count("assert") for cell in runners.without_clocks(page.nb).cells[-2:]]
    assert left == ([1, 0] if alone else [1, 2]) and page.nb.cells[-1].source == source


def test_what_did_not_run_is_noted_once(tmp_path, monkeypatch):
    file = tmp_path / "build" / "not_run.txt"
    assert runners.not_run(file) == []
    for name in ("01_second", "00_first", "01_second"):
        runners.leave_out(name, file)
    assert runners.not_run(file) == ["00_first", "01_second"]
    monkeypatch.delenv("HANDS_ON_TEST_END", raising=False)
    assert not runners.time_is_over()
    monkeypatch.setenv("HANDS_ON_TEST_END", "1")
    assert runners.time_is_over()


def test_an_answer_replaces_only_the_decorated_definition():
    source = "@exercise\ndef f(x):\n    ...\n\n# after"
    assert runners.filled_cell(source, "\ndef f(x):\n    return x\n") == "@exercise\ndef f(x):\n    return x\n\n# after"
    needs = "import math\n\nTAU = 2 * math.pi\n\ndef f(x):\n    return TAU * x\n"
    filled = runners.filled_cell("n = 1\n@exercise\ndef f(x):\n    ...", needs)
    assert filled == "n = 1\nimport math\n\nTAU = 2 * math.pi\n\n@exercise\ndef f(x):\n    return TAU * x"
    classy = "@exercise\nclass A:\n    def f(self): ..."
    assert runners.filled_cell(classy, "class A:\n    f = 1") == "@exercise\nclass A:\n    f = 1"


def test_what_a_run_leaves_behind_is_seen(tmp_path):
    import subprocess

    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    (tmp_path / ".gitignore").write_text("build/\n*.log\n__pycache__/\n")
    before = runners.traces(tmp_path)
    for name in ("build/report.json", "helpers/__pycache__/x.pyc"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("x")
    assert list(runners.left_behind(before, runners.traces(tmp_path))) == []
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "model.bin").write_text("x")
    (tmp_path / "ignored.log").write_text("x")
    assert list(runners.left_behind(before, runners.traces(tmp_path))) == ["ignored.log", "notebooks/model.bin"]
    now = runners.traces(tmp_path)
    (tmp_path / "notebooks" / "model.bin").write_text("changed")
    assert list(runners.left_behind(now, runners.traces(tmp_path))) == ["notebooks/model.bin"]


def test_without_git_nothing_is_claimed(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert runners.traces(tmp_path) is None
