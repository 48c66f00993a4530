"""Exercises are found by their paths and loaded one by one; a file at fault says so in one sentence."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import exercises
from helpers.exercises.checking import Registry, registry
from helpers.exercises.checking.engine import check
from helpers.exercises.checking.variants import changed
from tests.exercises.answers import as_cell
from tests.tools.notebook import ROOT

DOUBLE = '''"""double: twice a number."""

from helpers.exercises.checking.spec import BadInput, Exercise, Property

FACTOR = 2


def double(x):
    return x + x


ANSWER = """
def double(x):
    return FACTOR * x
"""
SLIPS = [
    ("FACTOR * x", "x * x", "you square it."),
    ("FACTOR * x", "x + 1", "you add one."),
    ("x\\n", "x + [][0]\\n", "this slip raises."),
    ("def double(x):\\n", "while True: pass\\ndef double(x):\\n", "this slip never ends."),
    ("FACTOR", "3", "you triple it."),
]
REFUSED = [("return ", "", "It returns None")]
RIGHT = [("FACTOR * x", "x * FACTOR")]


def cases(rng):
    return [(int(n),) for n in rng.integers(3, 100, size=5)]


EXERCISE = Exercise(
    reference=double,
    minutes=1,
    difficulty=1,
    hints=("Twice?", "Add it to itself.", "Add the number to itself, and give the sum back."),
    proves="five numbers are doubled",
    properties=[Property("it is even", lambda result, x: result % 2 == 0)],
    seconds=1.0,
)
'''


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A function that writes a course, {path: text}, and gives its registry."""
    numbers = iter(range(100))

    def written(files: dict[str, str]) -> Registry:
        package = f"a_course_of_this_test_{next(numbers)}"
        for path, text in files.items():
            file = tmp_path / package / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            (file.parent / "__init__.py").touch()
        (tmp_path / package / "__init__.py").touch()
        importlib.invalidate_caches()
        return Registry(package)

    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield written
    for name in set(sys.modules) - before:
        if name.startswith("a_course_of_this_test"):
            del sys.modules[name]


def test_path_gives_name_and_notebook_and_only_the_asked_file_is_imported(course):
    found = course(
        {
            "02_later/triple.py": "1 / 0",
            "01_first/double.py": DOUBLE,
            "01_first/_shared.py": "1 / 0",
        }
    )
    assert found.notebooks() == {"double": "01_first", "triple": "02_later"}
    assert list(found) == ["double", "triple"] and len(found) == 2 and "double" in found
    spec = found["double"]
    assert (spec.name, spec.notebook) == ("double", "01_first")
    assert spec.place.endswith("/01_first/double.py")
    assert found["double"] is spec
    assert found.get("quadruple") is None


def test_slips_are_named_and_those_that_raise_or_never_end_do_no_harm(course):
    spec = course({"01_first/double.py": DOUBLE})["double"]
    assert "Suspected cause: you triple it." in check(lambda x: x * 3, spec).lines
    assert check(lambda x: x * FOUR, spec).status == "not yet"  # noqa: F821
    assert not any("cause" in line for line in check(lambda x: x * 4 + 2, spec).lines)


FAULTS = {
    "does not load: SyntaxError": ("FACTOR = 2", "FACTOR = = 2"),
    "does not load: ModuleNotFoundError: No module named 'nowhere'": ("FACTOR = 2", "import nowhere"),
    "SLIPS[1]: 'FACTOR * y' stands in ANSWER not at all instead of once.": (
        '("FACTOR * x", "x + 1"',
        '("FACTOR * y", "x + 1"',
    ),
    "RIGHT[0]: 'x' stands in ANSWER twice instead of once.": ('("FACTOR * x", "x * FACTOR")', '("x", "x * FACTOR")'),
    "SLIPS[0]: it is none of (old, new, said)": ('"x * x", "you square it."', '"x * x", "you", "square it."'),
    "PLANTED is none of SLIPS.": ("REFUSED =", 'PLANTED = ("FACTOR", "5", "you take it five times.")\nREFUSED ='),
    "name, notebook, cases, mistakes and planted are taken from the file": ("minutes=1", 'name="double", minutes=1'),
    "does not load: KeyError: 'EXERCISE'": ("EXERCISE = ", "SOMETHING = "),
    "needs three hints, not 2": ('"Twice?", ', ""),
    "the reference, called as `double(": ("return x + x", "return x // 0"),
    "raises ZeroDivisionError, which `raises` does not declare": ("return x + x", "return x // 0"),
    "does not have the property that it is even": ("return x + x", "return x * 2 + 1"),
    "does not raise a ValueError that names 'huge'": (
        "    minutes=1",
        "    raises=[BadInput((10**9,), ValueError, 'nobody can', 'huge')],\n    minutes=1",
    ),
    "`cases` stops with KeyError": ("size=5)]", "size=5)] + {}['a']"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_at_fault_is_named_and_the_learners_definition_stands(course, fault, monkeypatch, capsys):
    old, new = FAULTS[fault]
    assert DOUBLE.count(old) == 1
    found = course({"01_first/double.py": DOUBLE.replace(old, new)})
    monkeypatch.setattr(exercises, "registry", lambda: found)

    def double(x):
        return 2 * x

    assert exercises.exercise(double) is double
    said = capsys.readouterr().out
    assert said.startswith("[not yet] double cannot be checked\n")
    assert "/01_first/double.py" in said and fault.replace("`", "") in said.replace("`", "")
    assert said.rstrip().endswith("Your definition stands as it is, unchecked.")
    monkeypatch.setenv("HANDS_ON_STRICT", "1")
    with pytest.raises(exercises.ExerciseNotPassed, match="cannot be checked"):
        exercises.exercise(double)


def test_hint_and_solution_of_a_file_at_fault_are_one_sentence(course, monkeypatch, capsys):
    found = course({"01_first/double.py": "1 / 0"})
    monkeypatch.setattr(exercises, "registry", lambda: found)
    exercises.hint("double")
    exercises.solution("double")
    assert capsys.readouterr().out.count("double.py does not load: ZeroDivisionError: division by zero") == 2


def test_a_name_in_two_notebooks_is_an_error_that_names_both_files(course):
    with pytest.raises(
        ValueError, match=r"`double` is defined in .*/01_first/double\.py and in .*/02_later/double\.py"
    ):
        course({"01_first/double.py": DOUBLE, "02_later/double.py": DOUBLE})


def test_changes_are_made_where_the_answer_stood_before_any_of_them():
    assert changed("a = b + c", [("c", "a"), ("a", "c")]) == "c = b + a"
    assert changed("a = b", "\n    b = a\n") == "b = a\n"
    with pytest.raises(ValueError, match="overlaps"):
        changed("a = b + c", [("b + c", "c"), ("c", "b")])


def test_without_answer_the_source_of_the_reference_is_one_under_the_exercises_name(course):
    start, end = DOUBLE.index("ANSWER = "), DOUBLE.index("SLIPS")
    text = DOUBLE[:start] + "SLIPS = [('x + x', 'x * x', 'you square it.')]\n" + DOUBLE[DOUBLE.index("REFUSED") :]
    text = text.replace('("FACTOR * x", "x * FACTOR")', '("x + x", "2 * x")')
    assert end > start
    loaded = course({"01_first/twice.py": text}).load("twice")
    assert loaded.answer.code == "def twice(x):\n    return x + x\n"
    assert loaded.spec.answer == ""
    assert "Suspected cause: you square it." in check(lambda x: x**2, loaded.spec).lines


def test_an_answer_as_a_cell_brings_what_it_uses():
    cell = as_cell(registry().load("ndcg_at_k").answer)
    namespace: dict = {}
    exec(cell, namespace)
    assert namespace["ndcg_at_k"](["a", "b"], {"a"}) == 1


def test_the_set_up_cell_and_one_exercise_load_no_exercise_of_another_notebook(tmp_path):
    path = next(path for path in sorted(Path(ROOT / "notebooks").glob("10_*.ipynb")))
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    setup = next("".join(cell["source"]) for cell in cells if "exercise" in "".join(cell["source"]))
    code = f"""
{setup}
from helpers.exercises import exercise

@exercise
def look_up(corpus, rows, scores):
    return []

import sys
print("LOADED", sorted(name for name in sys.modules if name.startswith("helpers.exercises.course.")))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=120
    )
    assert "[not yet] look_up" in done.stdout, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("LOADED")]
    assert line == ("LOADED ['helpers.exercises.course.10_rag', 'helpers.exercises.course.10_rag.look_up']")
