"""Knowing where the code runs decides between text, HTML and live widgets."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from helpers.display import frontend


def pretend(monkeypatch, shell):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


def test_plain_python_is_neither(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert (frontend.in_ipython(), frontend.in_kernel()) == (False, False)


def test_ipython_imported_but_not_running_is_neither(monkeypatch):
    pretend(monkeypatch, None)
    assert (frontend.in_ipython(), frontend.in_kernel()) == (False, False)


def test_a_terminal_ipython_is_no_kernel(monkeypatch):
    pretend(monkeypatch, SimpleNamespace())
    assert (frontend.in_ipython(), frontend.in_kernel()) == (True, False)


def test_a_kernel_is_both(monkeypatch):
    pretend(monkeypatch, SimpleNamespace(kernel=object()))
    assert (frontend.in_ipython(), frontend.in_kernel()) == (True, True)


@pytest.mark.parametrize(("value", "static"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_the_static_switch(monkeypatch, value, static):
    monkeypatch.setenv("HANDS_ON_STATIC", value)
    assert frontend.is_static() is static


def test_widgets_live_in_a_kernel_that_has_them_unless_output_is_to_be_static(monkeypatch):
    pytest.importorskip("ipywidgets")
    assert not frontend.widgets_live()  # static, as every test
    monkeypatch.setenv("HANDS_ON_STATIC", "0")
    assert not frontend.widgets_live()  # no kernel
    pretend(monkeypatch, SimpleNamespace(kernel=object()))
    assert frontend.widgets_live()
    monkeypatch.setitem(sys.modules, "ipywidgets", None)  # not installed
    assert not frontend.widgets_live()
