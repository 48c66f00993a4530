"""Where is this code running: in a plain Python, in IPython, or in a notebook's kernel? Imports nothing that is not."""

from __future__ import annotations

import os
import sys
from typing import Any


def shell() -> Any:
    """IPython's shell, or None outside IPython."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def in_ipython() -> bool:
    """True inside IPython or a Jupyter kernel."""
    return shell() is not None


def in_kernel() -> bool:
    """True inside a Jupyter kernel, where HTML is drawn and widgets can live."""
    return getattr(shell(), "kernel", None) is not None


def is_static() -> bool:
    """True where `HANDS_ON_STATIC` asks for output that is the same at every run: no bars, no live widgets."""
    return os.environ.get("HANDS_ON_STATIC", "") not in ("", "0")


def widgets_live() -> bool:
    """True where ipywidgets can be drawn and answer: in a kernel that has them, and not under `HANDS_ON_STATIC`."""
    if is_static() or not in_kernel():
        return False
    try:
        import ipywidgets  # noqa: F401
    except ImportError:
        return False
    return True
