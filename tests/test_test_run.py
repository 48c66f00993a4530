"""The whole test run: which notebooks it takes when time is short, its phases, and what `make test` starts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import pytest

from tests.tools import phases, report, runners, scratch, selection
from tests.tools.notebook import ROOT, Course

NAMES = ["00_a", "01_b", "02_c", "03_d", "04_e"]


# The choice ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("commit", ["", "4a9d296", "a9a4ae8", "fa0793f"])
def test_changed_notebooks_come_first_and_none_is_lost(commit):
    order = selection.in_turn(NAMES, {"03_d", "01_b"}, commit)
    assert set(order[:2]) == {"01_b", "03_d"} and sorted(order) == NAMES


def test_the_others_follow_in_the_courses_order_from_a_place_that_the_commit_decides():
    firsts = Counter()
    for number in range(500):
        order = selection.in_turn(NAMES, (), f"commit {number}")
        start = NAMES.index(order[0])
        assert order == NAMES[start:] + NAMES[:start]
        assert order == selection.in_turn(NAMES, (), f"commit {number}")
        firsts[order[0]] += 1
    assert all(60 <= firsts[name] <= 140 for name in NAMES), "each has its turn about equally often"


def test_no_notebook_is_no_choice():
    assert selection.in_turn([], {"00_a"}, "x") == [] and selection.fitting([], {}, (), 100, 2) == ([], [])


SECONDS = dict(zip(NAMES, (100, 60, 200, 40, 100), strict=True))


@pytest.mark.parametrize(
    ("alone", "available", "workers", "taken"),
    [
        ((), 250, 2, NAMES),
        ((), 249, 2, ["00_a", "01_b", "02_c", "03_d"]),
        ((), 250, 1, ["00_a", "01_b", "03_d"]),
        ((), 250, 0, ["00_a", "01_b", "03_d"]),
        (("02_c",), 250, 2, ["00_a", "01_b", "03_d", "04_e"]),
        (("00_a", "01_b"), 260, 2, ["00_a", "01_b", "02_c"]),
        ((), 0, 2, []),
        ((), -5, 2, []),
    ],
)
def test_what_fits_is_taken_in_order_and_the_alone_ones_count_whole(alone, available, workers, taken):
    found, left = selection.fitting(NAMES, SECONDS, alone, available, workers)
    assert found == taken and left == [name for name in NAMES if name not in taken]


def test_a_changed_notebook_takes_the_place_of_others():
    order = selection.in_turn(NAMES, {"02_c"}, "x")
    taken, _ = selection.fitting(order, SECONDS, (), 100, 2)
    assert taken == ["02_c"]


# What belongs to a notebook ------------------------------------------------------------------------------------------


def put(root, path, text=""):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def repository(tmp_path):
    """A course of two notebooks in git: 00_first imports one room, reads a table and has an exercise."""
    put(tmp_path, "helpers/__init__.py")
    face = "attach(__name__, submodules=['inner', 'beside'], submod_attrs={'inner': ['thing'], 'beside': ['other']})\n"
    put(tmp_path, "helpers/room/__init__.py", face)
    put(tmp_path, "helpers/room/beside.py", "x = 1\n")
    put(tmp_path, "helpers/room/inner.py", "def thing():\n    from .deeper import more\n    return more\n")
    put(tmp_path, "helpers/room/deeper.py", "from helpers import flat\nmore = 1\nFOLDER = 'data/shop/tickets'\n")
    put(tmp_path, "helpers/flat.py", "FILE = 'canon.json'\n")
    put(tmp_path, "helpers/other.py", "x = 1\n")
    put(tmp_path, "helpers/exercises/course/00_first/triple.py", "from helpers.checked import x\n")
    put(tmp_path, "helpers/exercises/course/01_second/halve.py", "")
    put(tmp_path, "helpers/checked.py", "x = 1\n")
    for path in ("results/00_table.json", "results/01_table.json", "shop/canon.json", "shop/tickets/train.jsonl"):
        put(tmp_path, f"data/{path}")
    for path in ("shop/tickets/README.md", "shop/reports/train.jsonl", "shop/README.md"):
        put(tmp_path, f"data/{path}")
    first = scratch.lesson("00_first", "01_second.ipynb")
    first.cells.append(
        scratch.code("uses", "%time\nfrom helpers.room import thing\nread('data/results/00_table.json')")
    )
    scratch.write(tmp_path / "notebooks" / "00_first.ipynb", first)
    second = scratch.lesson("01_second", "x", exercises=False)
    second.cells.append(scratch.code("uses", "import helpers.other\nrecord('01_table')"))
    scratch.write(tmp_path / "notebooks" / "01_second.ipynb", second)
    git(tmp_path, "init", "-q", "-b", "main")
    keep(tmp_path)
    keep(tmp_path)
    return tmp_path


def git(root, *arguments):
    identity = ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def keep(root):
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "a step")
    return git(root, "rev-parse", "HEAD")


def test_imports_exercises_and_named_data_belong_to_a_notebook(repository):
    assert selection.own_files("00_first", repository) == {
        "notebooks/00_first.ipynb",
        "helpers/__init__.py",
        "helpers/room/__init__.py",
        "helpers/room/inner.py",
        "helpers/room/deeper.py",
        "helpers/flat.py",
        "helpers/exercises/course/00_first/triple.py",
        "helpers/checked.py",
        "data/results/00_table.json",
        "data/shop/canon.json",
        "data/shop/tickets/train.jsonl",
    }
    assert selection.own_files("01_second", repository) == {
        "notebooks/01_second.ipynb",
        "helpers/__init__.py",
        "helpers/other.py",
        "helpers/exercises/course/01_second/halve.py",
        "data/results/01_table.json",
    }


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("helpers/room/deeper.py", {"00_first"}),
        ("helpers/other.py", {"01_second"}),
        ("helpers/__init__.py", {"00_first", "01_second"}),
        ("data/shop/tickets/train.jsonl", {"00_first"}),
        ("data/shop/reports/train.jsonl", set()),
        ("helpers/exercises/course/01_second/halve.py", {"01_second"}),
        ("notebooks/01_second.ipynb", {"01_second"}),
        ("README.md", set()),
    ],
)
def test_a_change_since_the_commit_before_is_seen_committed_or_not(repository, path, changed):
    names = ["00_first", "01_second"]
    with (repository / path).open("a", encoding="utf-8") as stream:
        stream.write("\n")
    assert selection.changed_files(repository) == {path}
    keep(repository)
    assert selection.changed_files(repository) == {path}
    assert selection.changed_notebooks(names, repository) == changed


def test_a_branch_is_compared_with_the_place_where_it_left_main(repository):
    left = git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "-q", "-b", "work")
    put(repository, "helpers/other.py", "x = 2\n")
    keep(repository)
    put(repository, "helpers/flat.py", "FILE = 'x'\n")
    keep(repository)
    assert selection.base(repository) == left
    assert selection.changed_notebooks(["00_first", "01_second"], repository) == {"00_first", "01_second"}


def test_a_clone_without_history_knows_no_change(repository, tmp_path_factory):
    put(repository, "helpers/other.py", "x = 2\n")
    keep(repository)
    where = tmp_path_factory.mktemp("clones")
    for depth, changed in ((1, set()), (2, {"01_second"})):
        git(where, "clone", "-q", f"--depth={depth}", repository.as_uri(), f"depth-{depth}")
        clone = where / f"depth-{depth}"
        git(clone, "checkout", "-q", "--detach")
        git(clone, "branch", "-q", "-D", "main")
        assert selection.changed_notebooks(["00_first", "01_second"], clone) == changed


def test_without_git_nothing_is_known(tmp_path):
    assert selection.commit(tmp_path) == "" and selection.changed_files(tmp_path) == set()


@pytest.mark.parametrize("name", Course().names)
def test_every_notebook_owns_itself_and_its_quiz(name):
    own = selection.own_files(name)
    assert {f"notebooks/{name}.ipynb", f"data/quizzes/{Course().page(name).number}.json"} <= own
    assert all((ROOT / path).is_file() for path in own)


def test_seconds_are_the_last_reports_then_the_committed_ones_then_the_budget(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "_recorded_now", [])
    last, recorded = tmp_path / "last.json", tmp_path / "recorded.json"
    nbval, papermill = selection.RUNNERS
    report.record("00_a", nbval, 30, 500, 40, last)
    report.record("00_a", "of old", 1000, 500, 40, last)
    recorded.write_text(json.dumps({"00_a": {nbval: 70, papermill: 7}, "01_b": {papermill: 8}}))
    seconds = selection.expected_seconds(["00_a", "01_b", "02_c"], last, recorded)
    assert seconds == {"00_a": 37, "01_b": 108, "02_c": 120}
    assert selection.expected_seconds(["02_c"], tmp_path / "no.json", tmp_path / "no.json") == {"02_c": 120}


def test_the_seconds_of_a_report_can_be_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "_recorded_now", [])
    name, other = Course().names[:2]
    nbval, papermill = selection.RUNNERS
    last, recorded = tmp_path / "last.json", tmp_path / "recorded.json"
    recorded.write_text(json.dumps({name: {nbval: 1, papermill: 2}, "99_gone": {nbval: 3}}))
    for row in ((name, nbval, 30), (other, papermill, 5), (other, "of old", 9)):
        report.record(*row, 500, 40, last)
    selection.keep_seconds(last, recorded)
    assert json.loads(recorded.read_text()) == {name: {nbval: 30, papermill: 2}, other: {papermill: 5}}


# The phases ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def started(monkeypatch, tmp_path):
    """What the phases start, without starting it; each has the exit status `started.status`."""

    class Started(list):
        status = {}

    calls = Started()

    def run(command, cwd, env, check):
        assert command[:2] == [sys.executable, "-m"]
        calls.append((command[2:], env))
        status = next((code for word, code in calls.status.items() if word in command), 0)
        return subprocess.CompletedProcess(command, status)

    monkeypatch.setattr(phases, "subprocess", SimpleNamespace(run=run))
    monkeypatch.setattr(runners, "NOT_RUN", tmp_path / "not_run.txt")
    monkeypatch.setattr(phases.runners, "not_run", lambda: [])
    monkeypatch.setattr(selection, "changed_notebooks", lambda names: set(names[-1:]))
    monkeypatch.delenv("HANDS_ON_TEST_MINUTES", raising=False)
    return calls


def marks(command):
    return command[command.index("-m") + 1] if "-m" in command else None


def test_what_may_run_side_by_side_comes_before_what_must_be_alone(started, capsys):
    assert phases.main(["--workers", "3"]) == 0
    commands = [command for command, _ in started]
    assert [command[:2] for command in commands] == [
        ["ruff", "check"],
        ["pytest", "tests"],
        ["pytest", "tests/test_notebooks.py"],
        ["pytest", "tests"],
    ]
    assert [marks(command) for command in commands] == [None, "not alone", "not alone", "alone"]
    assert ["-n" in command for command in commands] == [False, True, True, False]
    assert all(command[command.index("-n") + 1] == "3" for command in commands[1:3])
    assert "--ignore=tests/test_notebooks.py" in commands[1] and "loadgroup" in commands[2]
    assert all(env["NB"] == "" for _, env in started[1:])
    lines = capsys.readouterr().out.strip().splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        "ruff",
        "tests, 3 side by side",
        "notebooks, 3 side by side",
        "alone",
        "all of it",
    ]
    assert all(line.endswith(" min") for line in lines)


@pytest.mark.parametrize(
    ("status", "failed", "phases_run"),
    [
        ({"ruff": 1}, True, 1),
        ({"--ignore=tests/test_notebooks.py": 1}, True, 4),
        ({"tests/test_notebooks.py": 1}, True, 4),
        ({"tests/test_notebooks.py": 5, "alone": 5}, False, 4),
        ({"alone": 2}, True, 4),
    ],
)
def test_a_phase_that_fails_fails_the_run_and_only_ruff_ends_it(started, capsys, status, failed, phases_run):
    started.status.update(status)
    assert phases.main([]) == int(failed)
    assert len(started) == phases_run and ("FAILED" in capsys.readouterr().out) == failed


def test_with_minutes_the_notebooks_are_those_that_fit_the_changed_first_and_the_rest_is_named(
    started, capsys, monkeypatch
):
    names = Course().names
    monkeypatch.setenv("HANDS_ON_TEST_MINUTES", "10")
    monkeypatch.setattr(selection, "expected_seconds", lambda names: dict.fromkeys(names, 290.0))
    monkeypatch.setattr(runners, "asserts_a_time", lambda page: page.name == names[-1])
    assert phases.main([]) == 0
    chosen = started[2][1]["NB"].split(",")
    assert chosen[0] == names[-1] and len(chosen) == 3, "290 s alone and 2 × 145 s of the 600 s"
    assert started[3][1]["NB"] == started[2][1]["NB"]
    assert float(started[2][1]["HANDS_ON_TEST_END"]) > 1e9
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("not run, for HANDS_ON_TEST_MINUTES=10: ")
    assert last.split(": ")[1].split(", ") == sorted(set(names) - set(chosen))


def test_a_notebook_that_the_clock_left_out_is_named_too(started, capsys, monkeypatch):
    monkeypatch.setenv("HANDS_ON_TEST_MINUTES", "1000")
    monkeypatch.setattr(phases.runners, "not_run", lambda: ["00_welcome"])
    assert phases.main([]) == 0
    assert capsys.readouterr().out.strip().endswith("not run, for HANDS_ON_TEST_MINUTES=1000: 00_welcome")


@pytest.mark.parametrize("text", ["soon", "0", "-3", "nan", "inf"])
def test_minutes_that_are_none_are_refused_in_one_sentence(started, capsys, monkeypatch, text):
    monkeypatch.setenv("HANDS_ON_TEST_MINUTES", text)
    assert phases.main([]) == 2 and not started
    assert capsys.readouterr().err == f"HANDS_ON_TEST_MINUTES is a number of minutes, not '{text}'.\n"


def test_a_notebook_after_the_end_is_skipped_and_noted(tmp_path):
    name = Course().names[0]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_notebooks.py"]
    runners.NOT_RUN.unlink(missing_ok=True)
    env = os.environ | {"NB": name, "HANDS_ON_TEST_END": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert "2 skipped" in done.stdout and f"{name} was not run" in done.stdout, done.stdout + done.stderr
    assert runners.not_run() == [name]
    runners.NOT_RUN.unlink()


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_test_starts_the_phases_and_nb_one_notebook():
    def dry(*arguments):
        command = ["make", "-n", "test", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert "-m tests.tools.phases --workers 3" in dry("NB=", "WORKERS=3")
    one = dry("NB=00_welcome")
    assert "phases" not in one and 'NB="00_welcome"' in one and "tests/test_notebooks.py" in one


def test_continuous_integration_has_an_hour():
    assert "export HANDS_ON_TEST_MINUTES=60\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
