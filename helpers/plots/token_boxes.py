"""Tokens drawn as colored boxes, in any script: what a model sees of a text.

    show_tokens({"Velunda": tokenizer.pieces("Velunda")})       # Vel|unda

In a notebook, HTML that wraps and can be copied; elsewhere, plain text with a bar between tokens. A space is drawn as
"·", a line break as "↵", a tab as "⇥", and bytes that are no whole character as their hexadecimal digits in brackets.
What it does not do: tokenize.
"""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping, Sequence

from helpers.display.boxes import emit

# Four light backgrounds that follow each other, so that neighbors always differ; dark text on them reads in any theme.
FILLS = ("#cfe3f5", "#fbe3c0", "#d3ecd6", "#ead7f0")
SPECIAL = "#f6b8b1"
NO_GROUND = "opacity:.75;padding:2px 3px"  # dark text on a dark theme's ground could not be read
VISIBLE = str.maketrans({" ": "·", "\n": "↵", "\t": "⇥", "\r": "␍", "\0": "␀"})


def spell(token: str | bytes) -> str:
    """A token as it can be seen; bytes are read as UTF-8, those that are no whole character become "[e0 a4]"."""
    if isinstance(token, bytes):
        try:
            token = token.decode("utf-8")
        except UnicodeDecodeError:
            return f"[{token.hex(' ')}]"
    return token.translate(VISIBLE)


def show_tokens(rows: Mapping[str, Sequence[str | bytes]], special: Collection[str] = ()) -> None:
    """One row of boxes for each caption of `rows`, with the number of tokens; those in `special` are drawn in red."""
    text, markup = [], []
    for caption, tokens in rows.items():
        seen = [spell(token) for token in tokens]
        text.append(f"{caption} ({len(seen)}): {'|'.join(seen)}")
        boxes = " ".join(box(token, SPECIAL if token in special else FILLS[n % 4]) for n, token in enumerate(seen))
        count = f'<span style="opacity:.75">{html.escape(caption)} ({len(seen)})</span>'
        lines = f'<div style="font-family:monospace;line-height:1.9;overflow-wrap:anywhere">{boxes}</div>'
        markup.append(f'<div style="margin:5px 0">{count}{lines}</div>')
    emit("\n".join(text), "".join(markup))


def box(token: str, color: str | None) -> str:
    """HTML of one token, spelled already, on a ground of this color; without one, in the theme's own text color."""
    style = f"background:{color};color:#1f2328;border-radius:3px;padding:2px 3px" if color else NO_GROUND
    return f'<span style="{style}">{html.escape(token)}</span>'
