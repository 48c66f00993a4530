"""Every lesson keeps its limits, and what it says stands in its outputs; old notebooks are only stored well."""

from __future__ import annotations

import ast
import tomllib

import pytest

from tests.tools import lessons, numbers
from tests.tools.notebook import FOLDER, NAMES, ROOT, chosen, not_reworked, parameters, read

OLD = not_reworked()
OLD_AT_MOST = 25  # it only shrinks
LESSONS = [name for name in chosen() if name not in OLD]
CLAIMS = sorted((ROOT / "tests" / "claims").glob("*.py"))


def test_what_is_not_reworked_only_shrinks():
    assert set(OLD) <= set(NAMES), f"no such notebook: {', '.join(set(OLD) - set(NAMES))}"
    assert len(OLD) <= OLD_AT_MOST, f"{len(OLD)} notebooks in not_reworked.txt, at most {OLD_AT_MOST}"


@pytest.mark.parametrize("name", chosen())
def test_a_notebook_is_stored_well(name):
    problems = lessons.stored_well(FOLDER / f"{name}.ipynb")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_keeps_its_limits(name):
    problems = lessons.limits(FOLDER / f"{name}.ipynb")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", LESSONS)
def test_every_number_in_a_lesson_stands_in_its_outputs(name):
    problems = numbers.unshown(FOLDER / f"{name}.ipynb")
    assert not problems, "\n".join(problems)


def test_only_lessons_have_small_parameters_and_only_those_that_they_define():
    small = tomllib.loads((ROOT / "tests" / "small.toml").read_text(encoding="utf-8"))
    for name, injected in small.items():
        assert name in NAMES and name not in OLD, f"tests/small.toml: {name} is no lesson"
        unknown = set(injected) - set(parameters(read(FOLDER / f"{name}.ipynb")))
        assert not unknown, f"tests/small.toml: {name} has no parameter {', '.join(unknown)}"


@pytest.mark.parametrize("path", CLAIMS, ids=lambda path: path.stem)
def test_claims_are_at_most_ten_plain_asserts(path):
    body = ast.parse(path.read_text(encoding="utf-8")).body
    asserts = [node for node in body if isinstance(node, ast.Assert)]
    others = [node for node in body if not isinstance(node, ast.Assert | ast.Import | ast.ImportFrom)]
    documented = 1 if others and ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) else 0
    assert path.stem in NAMES and path.stem not in OLD, f"{path.name}: claims of no lesson"
    assert 1 <= len(asserts) <= 10, f"{path.name}: {len(asserts)} asserts, at most 10"
    assert len(others) == documented, f"{path.name}: line {others[-1].lineno} is no assert"
