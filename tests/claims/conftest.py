"""The notebook that a file of claims is about: `test_14b_judges_and_tests.py` asks for its page, prose and outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.notebook import Page, course, output_texts


@pytest.fixture(scope="module")
def page(request: pytest.FixtureRequest) -> Page:
    return course().page(Path(request.module.__file__).stem.removeprefix("test_"))


@pytest.fixture(scope="module")
def prose(page: Page) -> str:
    """All markdown, with one space wherever there is white space."""
    return " ".join(page.prose.split())


@pytest.fixture(scope="module")
def printed(page: Page) -> dict[str, str]:
    """By code cell's id: all that it printed or showed as text."""
    return {cell.id: "".join(output_texts(cell)) for cell in page.code}
