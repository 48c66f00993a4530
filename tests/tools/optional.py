"""Tests that compare with a library of an optional extra: they run where it is installed and say why where it is not.

pytestmark = needs("lm_eval", extra="compare")          # a whole file
@needs("bert_score", "ot", extra="compare")             # one test
"""

from __future__ import annotations

import importlib.util

import pytest

from tests.tools.notebook import ROOT
from tests.tools.repository import project


def needs(*modules: str, extra: str) -> pytest.MarkDecorator:
    """A mark that skips where one of `modules` (import names) cannot be found, and says which command mends it.

    `extra` is one of pyproject.toml's optional dependencies, else ValueError. Nothing is imported, so collecting tests
    stays quick: a library that is installed and broken fails its test instead of skipping it.
    """
    known = project(ROOT)["optional-dependencies"]
    if not modules or extra not in known:
        raise ValueError(f"Name modules and one of pyproject.toml's extras, {', '.join(known)}; not {extra!r}.")
    missing = [name for name in modules if importlib.util.find_spec(name.partition(".")[0]) is None]
    reason = f'{" and ".join(missing)} not installed: pip install -e ".[{extra}]"'
    return pytest.mark.skipif(bool(missing), reason=reason)
