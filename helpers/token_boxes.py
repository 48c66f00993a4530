"""One text, several segmentations: a row of boxes for each, so that you see where every tokenizer cuts.

    token_boxes([{"BPE": ["Vel", "und", "a"], "Unigram": ["V", "el", "un", "da"]}], "Nobody knows the name")

Spaces are drawn as "·", line breaks as "⏎". A token longer than a row allows is not wrapped: keep texts short.

What it does not do: tokenize, or show ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from helpers.plots import INK, PALETTE, QUIET, STYLE

LETTER, GAP, PAD = 0.082, 0.05, 0.03  # inches: one character at size 9, between boxes, inside a box
LABEL, ROW, HEIGHT = 1.0, 0.30, 0.22  # inches: the names' column, from row to row, one box
TINTS = [PALETTE[name] for name in ("main", "compare", "good", "extra")]


def shown(token: str | bytes) -> str:
    """A token as the figure writes it: spaces as "·", line breaks as "⏎", broken UTF-8 as "�"."""
    text = token.decode("utf-8", errors="replace") if isinstance(token, bytes) else token
    return text.replace(" ", "·").replace("\n", "⏎").replace("\t", "→")


def token_boxes(groups: Sequence[Mapping[str, Sequence[str | bytes]]], title: str) -> Figure:
    """A figure with one row of boxes a segmentation, named at the left, its number of tokens at the right.

    groups: one mapping a text, name -> tokens; texts are set apart by an empty half row. Neighbors in a row have
    different colors, which mean nothing else. Raises ValueError where there is nothing to draw.
    """
    if not groups or not all(groups):
        raise ValueError("token_boxes() needs at least one text with at least one segmentation.")
    rows = sum(map(len, groups)) + 0.6 * (len(groups) - 1)
    right = max(_width(tokens) for group in groups for tokens in group.values()) + LABEL + 0.3
    with mpl.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(max(7.0, right + 0.3), ROW * rows + 0.8))
        fig.suptitle(title, x=0.016, ha="left", fontsize=12, fontweight="bold", color=INK)
        ax.set(xlim=(0, max(6.7, right)), ylim=(ROW * rows, 0))
        ax.axis("off")
        y = 0.0
        for group in groups:
            for name, tokens in group.items():
                _row(ax, name, tokens, y)
                y += ROW
            y += 0.6 * ROW
    return fig


def _width(tokens: Sequence[str | bytes]) -> float:
    return sum(LETTER * len(shown(token)) + 2 * PAD + GAP for token in tokens)


def _row(ax: plt.Axes, name: str, tokens: Sequence[str | bytes], y: float) -> None:
    middle = y + ROW / 2
    ax.text(0, middle, name, va="center", color=INK, fontsize=9.5)
    x = LABEL
    for n, token in enumerate(tokens):
        text = shown(token)
        width = LETTER * len(text) + 2 * PAD
        color = TINTS[n % len(TINTS)]
        box = FancyBboxPatch((x, middle - HEIGHT / 2), width, HEIGHT, boxstyle="round,pad=0,rounding_size=0.04")
        box.set(facecolor=mpl.colors.to_rgba(color, 0.2), edgecolor=color, linewidth=0.9)
        ax.add_patch(box)
        ax.text(x + width / 2, middle, text, ha="center", va="center", fontsize=9, family="DejaVu Sans Mono", color=INK)
        x += width + GAP
    ax.text(x + 0.03, middle, str(len(tokens)), va="center", color=QUIET, fontsize=9)
