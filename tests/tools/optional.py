"""The mark of tests that compare with a library of an optional extra, which is not installed everywhere."""

from __future__ import annotations

import importlib.util

import pytest


def needs(*modules: str, extra: str) -> pytest.MarkDecorator:
    """Skip where one of `modules` (import names) cannot be found, and say which command mends it."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    reason = f'{", ".join(missing)} not installed: pip install -e ".[{extra}]"'
    return pytest.mark.skipif(bool(missing), reason=reason)
