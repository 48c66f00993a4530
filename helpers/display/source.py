"""Show the code that a notebook runs, where it runs: `show(obj)` renders the source of anything written in Python.

    from helpers import show
    show(helpers.attention.causal_mask)                      # the function, highlighted
    show(helpers.attention.causal_mask, docstring=False)     # only its code

The listing is a card with its own background, so it reads the same in a light and in a dark theme; where HTML is not
shown (a terminal, a text export) the plain source stands instead. Paths are relative to the course, never a machine's.

What it does not do: show C code (built-ins and extension modules have no Python source), or follow calls.
"""

from __future__ import annotations

import ast
import functools
import html
import inspect
import sys
import sysconfig
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.display.frontend import in_ipython
from helpers.files.paths import ROOT

BACKGROUND, TEXT, MUTED, BORDER = "#fbfaf6", "#24292f", "#5c6570", "#d9d5ca"
# One color a kind of token, each with a contrast of at least 4.5 on BACKGROUND (WCAG AA).
COLORS = {
    "keyword": "#8a2f87",
    "name": "#00588f",
    "string": "#8f4700",
    "number": "#00695c",
    "comment": "#5c6570",
    "decorator": "#7a5200",
}


@dataclass(frozen=True)
class Source:
    """A piece of source: `header` says where it stands, `code` is the text, `note` stands instead of code if none."""

    header: str = ""
    code: str = ""
    note: str = ""

    def __str__(self) -> str:
        return self.note or f"# {self.header}\n{self.code}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        card = (
            f"background:{BACKGROUND};color:{TEXT};border:1px solid {BORDER};border-radius:6px;"
            "margin:4px 0;max-width:72em;overflow-x:auto"
        )
        if self.note:
            return f'<div style="{card};padding:8px 12px">{html.escape(self.note)}</div>'
        head = (
            f'<div style="color:{MUTED};font-size:12px;padding:5px 12px;border-bottom:1px solid {BORDER}">'
            f"{html.escape(self.header)}</div>"
        )
        # Notebook front ends style <pre> themselves, so color and background are repeated where they would be lost.
        pre = (
            f"background:{BACKGROUND};color:{TEXT};margin:0;padding:10px 12px;border:0;"
            "font-size:13px;line-height:1.45;white-space:pre"
        )
        return f'<div style="{card}">{head}<pre style="{pre}">{_highlighted(self.code)}</pre></div>'


def show(obj: Any, *, docstring: bool = True) -> None:
    """Display the source of a function, method, class or module; `docstring=False` leaves every docstring out.

    A `Source` is displayed as it is. What has no Python source (a built-in, an instance) gives one sentence saying so,
    never an exception.
    """
    source = obj if isinstance(obj, Source) else source_of(obj, docstring=docstring)
    if in_ipython():
        from IPython.display import display

        display(source)
    else:
        print(source)


def source_of(obj: Any, *, docstring: bool = True) -> Source:
    """The `Source` that `show` displays: header line, dedented code, or a note where there is none."""
    target = _written(obj)
    if not (inspect.isroutine(target) or inspect.isclass(target) or inspect.ismodule(target)):
        kind = type(obj).__name__
        return Source(
            note=f"show() takes a function, class, method or module, and this is an instance of {kind}: "
            f"try show(type(...))."
        )
    try:
        lines, start = inspect.getsourcelines(target)
        where = _place(inspect.getsourcefile(target) or "")
    except (OSError, TypeError):
        name = getattr(target, "__qualname__", getattr(target, "__name__", repr(target)))
        return Source(note=f"{name} has no Python source to show: it is built in, or stands in no file and no cell.")
    first = max(start, 1)
    last = first + len(lines) - 1
    code = textwrap.dedent("".join(lines)).rstrip() + "\n"
    if not docstring:
        code = without_docstrings(code)
    span = f"line {first}" if first == last else f"lines {first}–{last}"
    return Source(header=f"{where} · {span}", code=code.rstrip("\n"))


def without_docstrings(code: str) -> str:
    """`code` without the docstrings of its module, classes and functions; a body left empty becomes `...`."""
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a method cut from its class mid-expression, a lambda inside a call
        return code
    lines: list[str | None] = list(code.splitlines())
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is None:
            continue
        text = node.body[0]
        first, last = text.lineno - 1, (text.end_lineno or text.lineno) - 1
        opening = (lines[first] or "")[: text.col_offset]
        closing = (code.splitlines()[last].encode()[text.end_col_offset or 0 :]).decode()
        if opening.strip() or closing.strip(" \t"):
            continue  # the docstring shares its line with code: leave it
        lines[first : last + 1] = [None] * (last + 1 - first)
        if len(node.body) == 1 and not isinstance(node, ast.Module):
            lines[first] = opening + "..."
        elif last + 1 < len(lines) and lines[last + 1] is not None and not lines[last + 1].strip():
            lines[last + 1] = None  # the blank line that separated the docstring from the code
    return "\n".join(line for line in lines if line is not None).lstrip("\n") + "\n"


def _written(obj: Any) -> Any:
    """The object that somebody wrote: behind decorators, properties, bound methods and partials."""
    if isinstance(obj, property) and obj.fget is not None:
        obj = obj.fget
    if isinstance(obj, functools.cached_property):
        obj = obj.func
    while isinstance(obj, functools.partial | functools.partialmethod):
        obj = obj.func
    if isinstance(obj, staticmethod | classmethod):
        obj = obj.__func__
    return inspect.unwrap(obj) if callable(obj) else obj


def _place(file: str) -> str:
    """A path a reader can use: relative to the course, to site-packages or to the standard library; no machine path."""
    if not file or file.startswith("<"):
        return "this session"
    path = Path(file)
    for filename in (path, path.resolve()):
        if filename.is_relative_to(ROOT) and not filename.is_relative_to(Path(sys.prefix)):
            return filename.relative_to(ROOT).as_posix()
        for key in ("purelib", "platlib", "stdlib"):  # site-packages first: it lies inside the standard library
            base = Path(sysconfig.get_paths()[key])
            if filename.is_relative_to(base):
                return filename.relative_to(base).as_posix()
            if filename.is_relative_to(base.resolve()):
                return filename.relative_to(base.resolve()).as_posix()
    return "this notebook" if "ipykernel" in file or "ipython" in file.lower() else path.name


def _highlighted(code: str) -> str:
    try:
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import PythonLexer
    except ImportError:
        return html.escape(code)
    return highlight(code, PythonLexer(stripnl=False), HtmlFormatter(noclasses=True, nowrap=True, style=_style()))


@functools.cache
def _style() -> type:
    from pygments import token
    from pygments.style import Style

    class CourseStyle(Style):
        background_color = BACKGROUND
        styles = {
            token.Token: TEXT,
            token.Keyword: COLORS["keyword"],
            token.Operator.Word: COLORS["keyword"],
            token.Name.Function: f"bold {COLORS['name']}",
            token.Name.Class: f"bold {COLORS['name']}",
            token.Name.Decorator: COLORS["decorator"],
            token.String: COLORS["string"],
            token.Number: COLORS["number"],
            token.Comment: f"italic {COLORS['comment']}",
        }

    return CourseStyle
