"""Small boxes that say what happened: plain text everywhere, and HTML where a notebook can draw it.

Every message of the exercises, predictions, hints and quizzes is a `Box`. Its text is deterministic: no memory
addresses, no times, no paths of temporary files.

What it does *not* do: decide anything. It renders what it is told.
"""

from __future__ import annotations

import html
import re
import sys
from dataclasses import dataclass, field

from helpers.display.frontend import in_ipython

# Border colors hold 3:1 contrast on white and on near-black; the text itself keeps the theme's color.
COLORS = {
    "passed": "#2da44e",
    "not yet": "#d4762c",
    "not attempted": "#8b949e",
    "hint": "#8a63d2",
    "prediction": "#3b82c4",
    "result": "#3b82c4",
    "quiz": "#3b82c4",
    "note": "#8b949e",
}
SYMBOLS = {"passed": "✔", "not yet": "✘", "not attempted": "○", "hint": "➜", "prediction": "?", "result": "="}


@dataclass(frozen=True)
class Box:
    """One message: `kind` chooses color and label, `lines` are sentences, `code` is shown as it stands."""

    kind: str
    title: str
    lines: list[str] = field(default_factory=list)
    code: str = ""
    after: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The message as plain text, its first line `[kind] title`."""
        parts = [f"[{self.kind}] {self.title.replace('`', '')}", *self.lines]
        if self.code:
            parts += ["    " + line for line in self.code.splitlines()]
        return "\n".join([*parts, *self.after])

    def html(self) -> str:
        """The same message as one self-contained `<div>` with inline styles only."""
        color = COLORS.get(self.kind, COLORS["note"])
        symbol = SYMBOLS.get(self.kind, "")
        label = html.escape(f"{symbol} {self.kind}".strip())
        body = [f'<div><strong style="color:{color}">{label}</strong> · {inline(self.title)}</div>']
        body += [f"<div>{inline(line)}</div>" for line in self.lines]
        if self.code:
            body.append(
                '<pre style="margin:4px 0;padding:4px 8px;overflow-x:auto;background:rgba(127,127,127,.12)">'
                f"{html.escape(self.code)}</pre>"
            )
        body += [f"<div>{inline(line)}</div>" for line in self.after]
        return (
            f'<div style="border-left:4px solid {color};padding:6px 12px;margin:4px 0;'
            f'background:rgba(127,127,127,.08);line-height:1.5">{"".join(body)}</div>'
        )

    def show(self) -> None:
        """Display the box in the notebook, or print its text where there is none."""
        emit(self.text(), self.html())


def inline(text: str) -> str:
    """Escape `text` for HTML and set what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def emit(text: str, markup: str) -> None:
    """Show one output holding both forms; outside IPython print the text."""
    if in_ipython():
        from IPython.display import display

        display({"text/plain": text, "text/html": markup}, raw=True)
    else:
        write_line(text)


def write_line(text: str) -> None:
    """Print, replacing what a narrow console encoding (Windows code pages) cannot write."""
    try:
        print(text)
    except UnicodeEncodeError:
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        print(text.encode(encoding, errors="replace").decode(encoding))


def tidy(text: str) -> str:
    """Take memory addresses out of a message, so that it is the same on every run."""
    return re.sub(r"\b0x[0-9a-fA-F]{4,}", "0x…", text)


def shorten(text: str, limit: int = 80) -> str:
    """Cut a long text in its middle."""
    if len(text) <= limit:
        return text
    half = (limit - 3) // 2
    return f"{text[:half]} … {text[-half:]}"
