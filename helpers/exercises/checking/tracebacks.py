"""A learner's traceback with only the learner's lines: no checker frames, no library internals, no paths of cells."""

from __future__ import annotations

import ast
import linecache
import os
import sys
import sysconfig
from types import TracebackType

from helpers.display.boxes import shorten, tidy
from helpers.files.paths import ROOT

_OURS = str(ROOT / "helpers")
_KEYS = ("stdlib", "platstdlib", "purelib", "platlib")
_LIBRARIES = tuple(os.path.realpath(path) for key in _KEYS if (path := sysconfig.get_path(key)))
MAX_FRAMES = 6


def explain(error: BaseException, home: str) -> str:
    """The error as Python would print it, from the learner's frames only. `home` is the file of the learner's cell."""
    lines: list[str] = []
    frames = own_frames(error.__traceback__)
    if isinstance(error, SyntaxError) and not frames:
        return f"{type(error).__name__}: {error.msg}"
    shown = frames if len(frames) <= MAX_FRAMES else frames[: MAX_FRAMES // 2] + [None] + frames[-1:]
    for frame in shown:
        if frame is None:
            lines.append("… and so on, call after call …")
            continue
        filename, line, function = frame
        lines.append(place(filename, line, home) + f", in {function}")
        source = linecache.getline(filename, line).strip()
        if source:
            lines.append(f"    {source}")
    message = shorten(tidy(str(error)).strip(), 400)
    name = type(error).__name__
    return "\n".join([*lines, f"{name}: {message}" if message else name])


def own_frames(traceback: TracebackType | None) -> list[tuple[str, int, str]]:
    """(file, line, function) of every frame that is neither ours nor a library's."""
    found = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if is_own(code.co_filename):
            found.append((code.co_filename, traceback.tb_lineno, code.co_name))
        traceback = traceback.tb_next
    return found


def is_own(filename: str) -> bool:
    """True for a notebook cell or a file of the learner's."""
    if filename.startswith("<frozen"):
        return False
    if filename.startswith("<") or is_cell(filename):
        return True
    path = os.path.realpath(filename)
    return not path.startswith((_OURS + os.sep, *(library + os.sep for library in _LIBRARIES)))


def is_cell(filename: str) -> bool:
    """True for the made-up file names under which IPython and Jupyter compile a cell."""
    if filename.startswith("<ipython-input-") or "ipykernel_" in filename:
        return True
    return "IPython" in sys.modules and filename in getattr(linecache, "_ipython_cache", {})


def place(filename: str, line: int, home: str) -> str:
    """`line 3` inside the learner's cell, `file.py, line 3` elsewhere; never a path."""
    if filename == home:
        return f"line {line}"
    if filename.startswith("<") or is_cell(filename):
        return f"another cell, line {line}"
    return f"{os.path.basename(filename)}, line {line}"


def where_stuck(frames: list[tuple[str, int, str]], home: str) -> str:
    """Where code was when its time was up: its loop if there is one, since that line is the same every time."""
    own = [frame for frame in frames if is_own(frame[0])]
    inside = [frame for frame in own if frame[0] == home] or own
    if not inside:
        return ""
    filename, line, function = inside[-1]
    loop = enclosing_loop(filename, line)
    line = loop or line
    source = linecache.getline(filename, line).strip()
    what = "in the loop on " if loop else "on "
    text = f"It was {what}{place(filename, line, home)}, in `{function}`"
    return f"{text}: `{source}`." if source else f"{text}."


def enclosing_loop(filename: str, line: int) -> int | None:
    """Line of the innermost `while` or `for` around `line`; None without a loop or without the source."""
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError):
        return None
    loops = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.While | ast.For) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return max(loops, default=None)
