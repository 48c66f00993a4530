"""Exercises are found by their paths and loaded one by one, in either form; a file at fault says so in one sentence."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from helpers import exercises
from helpers.exercises import solutions
from helpers.exercises.checking import Registry, registry
from helpers.exercises.checking.engine import check
from helpers.exercises.checking.variants import changed, entries
from tests.exercises.answers import as_cell
from tests.tools.notebook import FOLDER, read

NEW = '''"""double: twice a number."""

import math

from ._shared import drawn

MINUTES, DOTS = 1, 1
PROVES = "five numbers are doubled"
FACTOR = 2


def near(x):
    return math.floor(x)


def double(x):
    return FACTOR * near(x)


HINTS = """
Twice?
Add it to itself.
Add the number to itself,
    and give the sum back.
"""
SLIPS = """
FACTOR * near(x) => x * x
    you square it.
FACTOR => 3 && near(x) => x
    you triple
    it.
```
    return FACTOR * near(x)
=>
    while True:
        pass
```
    this slip never ends.
```
def double(x):
    return x + 1
```
    you add one.
near(x) => [][x]
    this slip raises.
"""
PLANTED = 3
REFUSED = """
return FACTOR * => FACTOR *
    It returns None
"""
PROPERTIES = [("it is even", lambda result, x: result % 2 == 0)]
RAISES = [(("x",), TypeError, "a text is no number")]
SECONDS = 1.0


def cases(rng):
    return drawn(rng)
'''
DOUBLE = "new/01_first/double.py"
SHARED = "def drawn(rng):\n    return [(int(n),) for n in rng.integers(3, 100, size=5)]\n"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A function that writes a course, {path: text}, and gives its registry: `old` and `new` are the two folders."""
    numbers = iter(range(100))

    def written(files: dict[str, str]) -> Registry:
        number = next(numbers)
        names = {"old": f"a_course_of_this_test_{number}", "new": f"new_course_of_this_test_{number}"}
        for path, text in {"old/__init__.py": "", "new/01_first/_shared.py": SHARED, **files}.items():
            form, rest = path.split("/", 1)
            file = tmp_path / names[form] / rest
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        importlib.invalidate_caches()
        found = Registry(names["old"], tmp_path / names["new"], names["new"])
        for module in (exercises, solutions):
            monkeypatch.setattr(module, "registry", lambda: found)
        return found

    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield written
    for name in set(sys.modules) - before:
        if "_course_of_this_test" in name:
            del sys.modules[name]


def test_path_gives_name_and_notebook_and_only_the_asked_file_is_imported(course):
    found = course({"old/02_later/triple.py": "1 / 0", "new/01_first/double.py": NEW, "old/01_first/_note.py": "1 / 0"})
    assert found.notebooks() == {"double": "01_first", "triple": "02_later"}
    assert list(found) == ["double", "triple"] and len(found) == 2 and "double" in found
    spec = found["double"]
    assert (spec.name, spec.notebook) == ("double", "01_first")
    assert spec.place.endswith("/01_first/double.py")
    assert found["double"] is spec


def test_every_answer_of_a_file_gets_its_verdict(course):
    loaded = course({DOUBLE: NEW}).load("double")
    spec = loaded.spec
    assert check(spec.reference, spec).status == check(loaded.answer.function, spec).status == "passed"
    assert check(loaded.planted.function, spec).status == "not attempted"
    told = {}
    for slip in (slip for slip in loaded.slips if slip.code != loaded.planted.code and "raises" not in slip.said):
        finding = check(slip.function, spec)
        told[slip.said] = finding.status == "not yet" and (
            f"Suspected cause: {slip.said}" in finding.lines or "did not finish" in finding.lines[0]
        )
    assert told == {"you square it.": True, "you triple it.": True, "this slip never ends.": True}
    assert "It returns None" in check(loaded.refused[0].function, spec).lines[0]
    assert not any("cause" in line for line in check(lambda x: 4 * x + 2, spec).lines)
    assert spec.hints[2] == "Add the number to itself, and give the sum back."


def test_the_solution_is_the_answer_of_the_file_after_what_it_needs(course, capsys):
    spec = course({DOUBLE: NEW})["double"]
    text = solutions.solution_source(spec)
    assert text == (
        "import math\nFACTOR = 2\n\n\ndef near(x):\n    return math.floor(x)\n\n\n"
        "@exercise\ndef double(x):\n    return FACTOR * near(x)\n"
    )
    exercises.solution("double")
    assert text.strip() in capsys.readouterr().out


FAULTS = [
    ("does not load: KeyError: 'HINTS'", ("HINTS =", "HINT =")),
    ("does not load: ImportError", ("import drawn", "import sorted")),
    ("does not load: SyntaxError", ("FACTOR = 2", "FACTOR = = 2")),
    ("'x' stands in the answer 2 times instead of once", ("FACTOR * near(x) => x * x", "x => x * x")),
    ("entry [0] is no edit old => new: 'x * x'", ("FACTOR * near(x) => x * x", "x * x")),
    ("fails its own checks: It stops with an error", ("math.floor(x)", "x // 0")),
    ("fails its own checks: A property does not hold: it is even.", ("FACTOR = 2", "FACTOR = 3")),
    ("should raise ValueError", ("TypeError", "ValueError")),
    ("cases stops with KeyError", ("return drawn(rng)", "return {}['a']")),
]


@pytest.mark.parametrize(("fault", "change"), FAULTS)
def test_a_file_at_fault_is_named_and_the_learners_definition_stands(course, fault, change, capsys):
    assert NEW.count(change[0]) == 1
    course({DOUBLE: NEW.replace(*change)})

    def double(x):
        return 2 * x

    assert exercises.exercise(double) is double
    said = capsys.readouterr().out
    assert said.startswith("[not yet] double cannot be checked\n")
    assert "/01_first/double.py" in said and fault in said.replace("`", "")
    assert said.rstrip().endswith("Your definition stands as it is, unchecked.")
    exercises.hint("double")


def test_a_name_that_is_used_twice_is_an_error_that_names_both_files(course):
    with pytest.raises(ValueError, match=r"`double` is defined in .*/01_first/double\.py and in .*/02_b/double\.py"):
        course({DOUBLE: NEW, "old/02_b/double.py": NEW})


def test_changes_are_made_where_the_answer_stood_before_any_of_them():
    assert changed("a = b + c", [("c", "a"), ("a", "c")]) == "c = b + a"
    assert changed("a = b", "\n    b = a\n") == "b = a\n"
    with pytest.raises(ValueError, match="overlap"):
        changed("a = b + c", [("b + c", "c"), ("c", "b")])


def test_several_edits_stand_in_one_block():
    text = "```\n    a\n=>\n&&\n  b\n  c\n=>\n  d\n```\nx => \n```\nwhole\n```\n"
    assert entries(text) == [([("    a", ""), ("  b\n  c", "  d")], ""), ([("x", "")], ""), ("whole\n", "")]


def test_an_answer_as_a_cell_brings_what_it_uses():
    namespace: dict = {}
    exec(as_cell(registry().load("ndcg_at_k").answer), namespace)
    assert namespace["ndcg_at_k"](["a", "b"], {"a"}) == 1


def test_the_solution_of_the_old_form_is_what_stands_folded_in_the_notebook():
    spec = registry()["swap_residual"]
    book = read(FOLDER / f"{spec.notebook}.ipynb")
    folded = next(cell.source for cell in book.cells if cell.get("id") == "swap-residual-solution")
    assert solutions.solution_source(spec).strip() in folded


def test_one_exercise_loads_no_file_of_another_notebook_whatever_the_working_directory(tmp_path):
    code = """
import sys
from helpers.exercises import exercise

@exercise
def quote_or_refuse(candidates, scores, units, threshold, around=2):
    return 0

print("LOADED", sorted(name for name in sys.modules if name.startswith(("helpers.exercises.course.", "notebook_ex"))))
"""
    code = f"import sys; sys.path[:0] = [{str(solutions.ROOT)!r}]\n{code}"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "[not yet] quote_or_refuse" in done.stdout, done.stdout + done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("LOADED"))
    assert "10_rag" in line and "quote_or_refuse" in line and ".00_welcome" not in line
