"""What may import what among the helpers: the rules hold here, and each finds a defect that is planted into a copy."""

from __future__ import annotations

import shutil
import tomllib

import pytest

from tests.tools import imports
from tests.tools.notebook import ROOT


@pytest.mark.parametrize("rule", imports.RULES, ids=lambda rule: rule.__name__)
def test_imports(rule):
    problems = rule(ROOT)
    assert not problems, "\n".join(problems)


@pytest.fixture
def copy(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "helpers", tmp_path / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


LAYERS = "A room imports its own modules and those of lower floors BROKEN"
CIRCLES = "No circles, neither among rooms nor inside one BROKEN"
TRIALS = "Only a course's exercise imports what one notebook tries BROKEN"
EXERCISES = "Nobody imports the exercises but the table of the environment BROKEN"
BELOW, FACES = imports.exercises_keep_below_the_environment, imports.no_face_inside


@pytest.mark.parametrize(
    ("rule", "file", "line", "said"),
    [
        (imports.contracts_hold, "attention/masks.py", "from helpers.generation import sampling", LAYERS),
        (imports.contracts_hold, "memory.py", "def f():\n    from helpers.plots import figures", LAYERS),
        (imports.contracts_hold, "new_room/__init__.py", "", "new_room"),
        (imports.contracts_hold, "transformer/layers.py", "import helpers.old.transformer.gpt", CIRCLES),
        (imports.contracts_hold, "exercises/solutions.py", "from helpers.old.trials.records import find", TRIALS),
        (imports.contracts_hold, "retrieval/bm25.py", "from helpers.old.trials.records import find", LAYERS),
        (imports.contracts_hold, "trials/records.py", "from helpers.exercises import progress_file", EXERCISES),
        (
            FACES,
            "generation/replies.py",
            "from helpers.transformer import Llama",
            "imports Llama from helpers.transformer",
        ),
        (FACES, "generation/replies.py", "def f():\n    import helpers.transformer", "imports helpers.transformer"),
        (FACES, "generation/replies.py", "from helpers import transformer", "imports helpers.transformer"),
        (
            FACES,
            "exercises/course/10_rag/x.py",
            "from helpers.old.retrieval import answer",
            "imports answer from helpers.ret",
        ),
        (BELOW, "exercises/course/10_rag/x.py", "import helpers.environment", "x.py:2 imports helpers.environment."),
        (
            BELOW,
            "exercises/course/10_rag/x.py",
            "from helpers.exercises.course import y",
            "imports helpers.exercises.course.y",
        ),
    ],
)
def test_a_planted_import_is_found(copy, rule, file, line, said):
    path = copy / "helpers" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text((path.read_text(encoding="utf-8") if path.exists() else "") + f"\n{line}\n", encoding="utf-8")
    [problem] = rule(copy)
    assert said in problem, problem


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("generation/replies.py", "from helpers.transformer import llama\nimport helpers.transformer.layers"),
        ("generation/replies.py", "from helpers.old import memory\nfrom helpers.generation import sampling"),
        ("exercises/course/10_rag/x.py", "from helpers.old.trials import records\nfrom . import _shared"),
    ],
)
def test_modules_of_lower_floors_may_be_imported(copy, file, line):
    path = copy / "helpers" / file
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{before}\n{line}\n", encoding="utf-8")
    assert [problem for rule in imports.RULES for problem in rule(copy)] == []


def test_every_room_has_its_floor():
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    [layers] = [contract for contract in contracts if contract["type"] == "layers"]
    assert layers["exhaustive"] and layers["containers"] == ["helpers"]
