"""One look for every figure: `use_style()`, a palette by meaning, and three figures that the course keeps drawing.

    use_style()
    fig, ax = figure("bf16 halves memory, int8 halves it again", ylabel="memory (MB)")
    bars(ax, ["fp32", "bf16", "int8"], [538, 269, 135], fmt="{:.0f}")

Figures are cards: a solid off-white ground with dark text, in a light theme and in a dark one. A transparent ground
would put the text on whatever the reader's theme happens to be, and no single text color reaches a contrast of 4.5
on both white and JupyterLab's near-black; a PNG cannot change with the theme, so it brings its own paper.

The colors start from Okabe and Ito's (2008) and were moved until each reaches a contrast of 3 on the card (WCAG 2,
graphical objects) and every two are far apart for normal, protan, deutan and tritan eyes. As text they are darkened to
a contrast of 4.5 (`readable`). Lines are labeled at their ends rather than in a legend.

Every figure carries an alternative text: its author's words (`alt=` or `fig.alt = "…"`), or else its title.

What it does not do: interactive figures, and choosing what to plot.
"""

from __future__ import annotations

import base64
import functools
import html
import io
import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.display.frontend import in_kernel, is_static, shell

CARD, INK, QUIET, RULE = "#fbfaf6", "#24292f", "#5c6570", "#d9d5ca"  # ground, text, secondary text, grid lines

PALETTE = {
    "main": "#0072b2",  # what the figure is about
    "compare": "#e06410",  # what it is held against
    "good": "#10a05a",  # passed, the gain, the cheap one
    "extra": "#7b1f7a",  # a fourth series
    "warn": "#6b5526",  # look here
    "muted": QUIET,  # baselines, theory, context
    "bad": "#700a1c",  # failed, the loss
}
CYCLE = [PALETTE[name] for name in ("main", "compare", "good", "extra", "warn", "muted")]
SIZE = (7.0, 3.5)  # inches; at 100 dots an inch 700 pixels wide, which a notebook shows unscaled, and under 80 KB

STYLE: dict[str, Any] = {
    "figure.facecolor": CARD, "savefig.facecolor": CARD, "axes.facecolor": CARD, "figure.figsize": SIZE,
    "figure.dpi": 100, "savefig.dpi": 100, "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.12, "figure.constrained_layout.h_pad": 0.1,
    "font.family": "DejaVu Sans", "font.size": 10, "text.color": INK,  # comes with matplotlib: alike everywhere
    "axes.titlesize": 12, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.titlepad": 12,
    "axes.titlecolor": INK, "axes.labelcolor": QUIET, "axes.labelsize": 10, "axes.edgecolor": "#8a9099",
    "axes.linewidth": 0.8, "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
    "axes.grid": True, "axes.grid.axis": "y", "grid.color": RULE, "grid.linewidth": 0.7,
    "axes.prop_cycle": cycler(color=CYCLE), "lines.linewidth": 2, "lines.markersize": 5,
    "xtick.color": QUIET, "ytick.color": QUIET, "xtick.labelsize": 9, "ytick.labelsize": 9,
    "xtick.major.size": 0, "ytick.major.size": 0, "legend.frameon": False, "legend.fontsize": 9,
    "image.cmap": "cividis", "errorbar.capsize": 3, "patch.edgecolor": CARD,
}  # fmt: skip


def use_style() -> None:
    """Make every figure of this process look like the course's; calling it again changes nothing.

    In a notebook, figures are shown whole (not cropped to their ink, which would give each another width) and as
    PNGs of 256 colors, a third of the size. Their alternative text is stored as `metadata["image/png"]["alt"]`, the key
    of IPython and nbconvert.
    """
    mpl.rcParams.update(STYLE)
    if not in_kernel():
        return
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    set_matplotlib_formats("png", bbox_inches=None)
    plt.get_backend()  # a backend chosen later than this line would install its own formatter over the next one
    formatters = shell().display_formatter.formatters
    formatters["image/png"].for_type(Figure, described_png)
    formatters["text/html"].for_type(Figure, described_html)


def png(fig: Figure) -> bytes:
    """The figure as a PNG with at most 256 colors; at `SIZE` about 20 KB, where full color takes 60."""
    from PIL import Image

    full, small = io.BytesIO(), io.BytesIO()
    fig.savefig(full, format="png")
    Image.open(full).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, format="PNG", optimize=True)
    return small.getvalue()


def describe(fig: Figure) -> str:
    """The figure's alternative text, in one line: its author's words, or its title."""
    return " ".join(str(getattr(fig, "alt", "") or fig.get_suptitle()).split())


def described_png(fig: Figure) -> tuple[bytes, dict[str, str]]:
    """The PNG and its metadata, the alternative text, as IPython's formatters take them."""
    return png(fig), {"alt": describe(fig)}


def described_html(fig: Figure) -> str | None:
    """The same as an HTML image, or None under `HANDS_ON_STATIC`.

    JupyterLab (4.6) prefers it to the PNG, whose alternative text it does not read. In a stored notebook it would hold
    every figure twice.
    """
    if is_static():
        return None
    data = base64.b64encode(png(fig)).decode("ascii")
    return f'<img alt="{html.escape(describe(fig))}" src="data:image/png;base64,{data}">'


def figure(
    title: str, xlabel: str = "", ylabel: str = "", size: tuple[float, float] = SIZE, *, alt: str = ""
) -> tuple[Figure, Axes]:
    """An empty figure of `size` inches whose title states the finding, left-aligned; labels carry units.

    alt: what to tell those who cannot see it; without it, the title.
    """
    use_style()
    with mpl.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=size)
        fig.alt = alt
        _titled(fig, ax, title)
        ax.set(xlabel=xlabel, ylabel=ylabel)
    return fig, ax


def label_lines(ax: Axes, labels: Sequence[str] | None = None, *, fontsize: float = 9.5) -> None:
    """Write each line's label at its right end, in its color (`readable`), pushed apart where two would overlap.

    `labels` replace the lines' own, in drawing order; lines without a label (matplotlib's "_child0") are left alone.
    """
    lines = [line for line in ax.get_lines() if len(line.get_xdata())]
    names = list(labels) if labels is not None else [str(line.get_label()) for line in lines]
    named = [(line, name) for line, name in zip(lines, names, strict=labels is not None) if not name.startswith("_")]
    if not named:
        return
    ax.margins(x=0.02)
    ends = [(line.get_xdata()[-1], line.get_ydata()[-1]) for line, _ in named]
    before = [(line.get_xdata()[-2:][0], line.get_ydata()[-2:][0]) for line, _ in named]
    notes = [
        ax.annotate(name, end, xytext=(7, 0), textcoords="offset points", va="center", ha="left", fontsize=fontsize,
                    color=readable(line.get_color()), annotation_clip=False)
        for (line, name), end in zip(named, ends, strict=True)
    ]  # fmt: skip
    for _ in range(3):  # the layout makes room for the labels, which moves the ends that they stand at
        ax.figure.draw_without_rendering()
        points, earlier = (ax.transData.transform(at)[:, 1] * 72 / ax.figure.dpi for at in (ends, before))
        points = (points + 1e-6 * earlier).tolist()  # lines that meet at their ends keep the order of their way there
        for note, wanted, placed in zip(notes, points, spread(points, 1.25 * fontsize), strict=True):
            note.set_position((7, placed - wanted))
    legend = ax.get_legend()
    if legend is not None:
        legend.remove()


def spread(positions: Sequence[float], gap: float) -> list[float]:
    """The positions nearest to the given ones (least squares, order kept) that are at least `gap` apart.

    >>> spread([0, 1, 10], gap=3)
    [-1.0, 2.0, 10.0]
    """
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    # Subtracting rank·gap turns "gap apart" into "not decreasing": pool adjacent violators into their mean.
    blocks: list[list[float]] = []  # [sum, count]
    for rank, index in enumerate(order):
        blocks.append([positions[index] - rank * gap, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1] = [blocks[-1][0] + total, blocks[-1][1] + count]
    flat = [total / count for total, count in blocks for _ in range(int(count))]
    placed = [0.0] * len(positions)
    for rank, index in enumerate(order):
        placed[index] = flat[rank] + rank * gap
    return placed


def bars(
    ax: Axes,
    labels: Sequence[str],
    values: Sequence[float],
    intervals: Sequence[tuple[float, float]] | None = None,
    fmt: str = "{:.3g}",
    *,
    colors: str | Sequence[str] | None = None,
) -> None:
    """Horizontal bars from top to bottom, each with its value written at its end.

    `intervals` are (low, high) in the values' unit, e.g. 95 % confidence, drawn as error bars and written beside the
    value. `colors` is one color or one a bar; names from `PALETTE` work too. Raises ValueError on unequal lengths or an
    interval that does not hold its value.
    """
    if len(labels) != len(values) or (intervals is not None and len(intervals) != len(values)):
        raise ValueError(f"bars() got {len(labels)} labels for {len(values)} values: give each one label and interval.")
    for value, (low, high) in zip(values, intervals or (), strict=False):
        if not low <= value <= high:
            raise ValueError(f"The interval ({low:g}, {high:g}) does not contain its value {value:g}.")
    chosen = [colors or "main"] * len(values) if colors is None or isinstance(colors, str) else list(colors)
    rows = range(len(values))
    pitch = 0.7 * ax.figure.get_figheight() / max(len(values), 1)  # inches from bar to bar
    ax.barh(rows, values, height=min(0.62, 0.5 / pitch), color=[PALETTE.get(color, color) for color in chosen])
    ends = list(values)
    if intervals is not None:
        reach = [[v - low for v, (low, _) in zip(values, intervals, strict=True)],
                 [high - v for v, (_, high) in zip(values, intervals, strict=True)]]  # fmt: skip
        ax.errorbar(values, rows, xerr=reach, fmt="none", ecolor=INK, elinewidth=1.3, capsize=3.5)
        ends = [high for _, high in intervals]
    texts = [fmt.format(value) for value in values]
    if intervals is not None:
        ranges = [f"({fmt.format(low)} – {fmt.format(high)})" for low, high in intervals]
        texts = [f"{text}  {reach}" for text, reach in zip(texts, ranges, strict=True)]
    for row, text, end in zip(rows, texts, ends, strict=True):
        ax.annotate(text, (max(end, 0), row), xytext=(6, 0), textcoords="offset points", va="center", color=INK)
    ax.set_yticks(rows, labels)
    ax.tick_params(axis="y", labelcolor=INK, labelsize=10)
    ax.set_xlabel(ax.get_xlabel(), loc="left")
    ax.invert_yaxis()
    ax.grid(False)
    ax.spines["left"].set_visible(False)
    low, high = min(0, *ends, *values), max(0, *ends, *values)
    ax.set_xlim(low, high + (high - low or 1) * (0.36 if intervals is not None else 0.16))
    ticks = [tick for tick in ax.get_xticks() if low <= tick <= high * 1.03]  # none under the written values
    ax.set_xticks(ticks)
    _count_alike(ax, fmt)
    ax.spines["bottom"].set_bounds(low, max(high, ticks[-1] if ticks else high))


def _count_alike(ax: Axes, fmt: str) -> None:
    """Ticks in percent where the written values are."""
    if fmt.endswith("%}"):
        ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.4g}%")


def intervals(
    ax: Axes,
    labels: Sequence[str],
    estimates: Sequence[float],
    low_high: Sequence[tuple[float, float]],
    fmt: str = "{:.3g}",
    *,
    reference: float | None = None,
) -> None:
    """Point estimates with their intervals, one a row: for comparing, where a bar from zero would hide the difference.

    `reference` draws a dashed vertical line, e.g. chance or a baseline.
    """
    if not len(labels) == len(estimates) == len(low_high):
        raise ValueError(f"intervals() got {len(labels)} labels for {len(estimates)} estimates: give each one of both.")
    rows = range(len(labels))
    for row, value, (low, high) in zip(rows, estimates, low_high, strict=True):
        ax.plot([low, high], [row, row], color=PALETTE["main"], linewidth=2.2, alpha=0.55)
        ax.plot([value], [row], "o", color=PALETTE["main"], markersize=7)
        ax.annotate(fmt.format(value), (value, row), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=9,
                    bbox={"facecolor": CARD, "edgecolor": "none", "pad": 0.6})  # fmt: skip
    if reference is not None:
        ax.axvline(reference, color=PALETTE["muted"], linestyle=(0, (4, 3)), linewidth=1.1, zorder=0)
    ax.set_yticks(rows, labels)
    ax.tick_params(axis="y", labelcolor=INK, labelsize=10)
    ax.set_ylim(len(labels) - 0.5, -0.7)
    _count_alike(ax, fmt)
    ax.grid(True, axis="x")
    ax.grid(False, axis="y")
    ax.spines["left"].set_visible(False)


def _titled(fig: Figure, ax: Axes, title: str) -> None:
    """Title at the figure's left edge, where reading starts, not at the axes', which move with their tick labels."""
    if title:
        ax.set_title("")
        lines = textwrap.fill(title, int(fig.get_figwidth() * 10))  # ten bold characters an inch
        fig.suptitle(lines, x=0.016, ha="left", fontsize=12, fontweight="bold", color=INK)


@functools.cache
def contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio of two colors, 1 (equal) to 21 (black on white)."""

    def luminance(color: str) -> float:
        channels = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(color)]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(color: str) -> str:
    """The color, darkened as far as text on the card needs: to a contrast of 4.5."""
    rgb = mpl.colors.to_rgb(color)
    for percent in range(100, -1, -5):
        darker = mpl.colors.to_hex([channel * percent / 100 for channel in rgb])
        if contrast(darker, CARD) >= 4.5:
            return darker
    return INK
