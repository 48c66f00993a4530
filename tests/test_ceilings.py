"""The course stays small: lines of Python by part. `helpers/old` only shrinks; the others move with a reason."""

from __future__ import annotations

import subprocess

import pytest

from tests.tools.notebook import ROOT

AT_MOST = {
    "helpers": 12_200,  # 12: prompting.py, from helpers/old, which lost three times as many lines
    "helpers/old": 25_962,
    "exercises": 16_592,
    "recorded": 659,  # 07: the cheap ways beside the trainings, on the same rows; 12: one record for three results
    "at_work": 3_000,
    "tests": 31_594,
}


def part(name: str) -> str:
    """Where a file counts; "" where it does not."""
    folders = {
        "helpers/exercises/course/": "exercises",
        "notebooks/exercises/": "exercises",
        "notebooks/at_work/": "at_work",
        "helpers/old/": "helpers/old",
        "helpers/": "helpers",
        "data/": "recorded",
        "tests/": "tests",
    }
    return next((value for folder, value in folders.items() if name.startswith(folder)), "")


@pytest.mark.parametrize("name", AT_MOST)
def test_a_part_keeps_its_ceiling(name):
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    own = [ROOT / file for file in listed.splitlines() if part(file) == name and (ROOT / file).exists()]
    lines = sum(path.read_text(encoding="utf-8").count("\n") for path in own)
    assert lines <= AT_MOST[name], f"{name}: {lines:,} lines, at most {AT_MOST[name]:,}"
