"""A learner's traceback with only the learner's lines: no checker frames, no library internals, no paths of cells."""

from __future__ import annotations

import ast
import linecache
import os
import sysconfig
import traceback

from helpers.display.boxes import shorten, tidy
from helpers.files.paths import ROOT

_LIBRARIES = [os.path.realpath(sysconfig.get_path(key)) for key in ("stdlib", "platstdlib", "purelib", "platlib")]
_OURS = [str(ROOT / "helpers"), str(ROOT / "notebooks" / "exercises")]
NOT_OWN = tuple(folder + os.sep for folder in _OURS + _LIBRARIES)
MAX_FRAMES = 6  # of more, as a recursion makes them, only the first three and the last are shown


def explain(error: BaseException, home: str) -> str:
    """The error as Python would print it, from the learner's frames only. `home` is the file of the learner's cell."""
    steps = traceback.walk_tb(error.__traceback__)
    frames = [(step.f_code.co_filename, line, step.f_code.co_name) for step, line in steps]
    frames = [frame for frame in frames if is_own(frame[0])]
    lines: list[str] = []
    for filename, line, function in frames if len(frames) <= MAX_FRAMES else frames[:3] + frames[-1:]:
        lines.append(f"{place(filename, line, home)}, in {function}")
        if source := linecache.getline(filename, line).strip():
            lines.append(f"    {source}")
    message = shorten(tidy(str(error)).strip(), 400)
    name = type(error).__name__
    return "\n".join([*lines, f"{name}: {message}" if message else name])


def is_cell(filename: str) -> bool:
    """True for the made-up file names under which IPython and Jupyter compile a cell."""
    return "ipykernel_" in filename or (filename.startswith("<") and not filename.startswith("<frozen"))


def is_own(filename: str) -> bool:
    """True for a notebook cell or a file of the learner's: neither ours nor a library's."""
    return is_cell(filename) or not (filename.startswith("<") or os.path.realpath(filename).startswith(NOT_OWN))


def place(filename: str, line: int, home: str) -> str:
    """`line 3` inside the learner's cell, `file.py, line 3` elsewhere; never a path."""
    where = "another cell" if is_cell(filename) else os.path.basename(filename)
    return f"line {line}" if filename == home else f"{where}, line {line}"


def where_stuck(frames: list[tuple[str, int, str]], home: str) -> str:
    """Where code was when its time was up: its innermost loop if there is one, since that line is always the same."""
    own = [frame for frame in frames if is_own(frame[0])]
    if not own:
        return ""
    filename, line, function = ([frame for frame in own if frame[0] == home] or own)[-1]
    try:
        nodes = list(ast.walk(ast.parse("".join(linecache.getlines(filename)))))
    except SyntaxError:  # a cell with magic commands
        nodes = []
    loops = [node for node in nodes if isinstance(node, ast.While | ast.For)]
    around = [node.lineno for node in loops if node.lineno <= line <= (node.end_lineno or line)]
    line = max(around, default=line)
    source = linecache.getline(filename, line).strip()
    text = f"It was {'in the loop on ' if around else 'on '}{place(filename, line, home)}, in `{function}`"
    return f"{text}: `{source}`." if source else f"{text}."
