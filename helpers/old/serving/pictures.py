"""Pictures of a server at work: replies that grow, pages in memory, and servers compared by their curves.

    shown = display(board([("How far does it go?", "It goes")]), display_id=True)      # once more at each new piece
    draw_pages({"A": [0, 2], "B": [1]}, {"A": 7, "B": 2}, n_pages=6, size=4, title="…")
    draw_curves(curves_of(runs), here=(67, 7.5), title="…", ylabel="…")        # runs: of a sweep, as in data/results

What they do not do: measure. Batches over time are drawn by `schedules`.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from IPython.display import HTML
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from helpers.plots.figures import CARD, CYCLE, INK, PALETTE, RULE, figure, readable

BOX = "border: 1px solid #8a9099; border-radius: 4px; padding: 4px 8px; font-size: 85%"
GRID = "display: grid; grid-template-columns: repeat(4, 1fr); gap: 6px; text-align: left"
TICKS = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
HALO = [withStroke(linewidth=3, foreground=CARD)]  # text that is read across a line
Curve = Mapping[int, tuple[float, float]]


def board(texts: Iterable[tuple[str, str]]) -> HTML:
    """Cards side by side, four to a line: a question in bold, and what has been written of its reply."""
    cards = [
        f"<div style='{BOX}'><b>{html.escape(question)}</b><br>{html.escape(reply)}</div>" for question, reply in texts
    ]
    return HTML(f"<div style='{GRID}'>{''.join(cards)}</div>")


def draw_pages(
    tables: Mapping[str, Sequence[int]], lengths: Mapping[str, int], *, n_pages: int, size: int, title: str
) -> Figure:
    """A memory of `n_pages` pages with `size` slots each, as a strip: whose page is which, and which slots are used.

    tables: the pages of each text, in its order. lengths: its tokens. Dark: a token is there; pale: the slot belongs to
    the text and is empty; gray: free. Above each page stand the positions of the text that it is for.
    """
    fig, ax = figure(title, "page of the memory", size=(7, 2))
    owners = {page: (text, number) for text, pages in tables.items() for number, page in enumerate(pages)}
    colors = dict(zip(tables, CYCLE, strict=False))
    for page in range(n_pages):
        text, number = owners.get(page, ("", 0))
        for slot in range(size):
            used = bool(text) and number * size + slot < lengths[text]
            look = {"color": colors.get(text, RULE), "alpha": 1.0 if used or not text else 0.25}
            ax.bar(page + (slot + 0.5) / size - 0.5, 1, width=0.8 / size, **look)
        start, last = number * size, min((number + 1) * size, lengths.get(text, 0)) - 1
        held = f"{text}\n{start}{f' to {last}' if last > start else ''}" if text else "free"
        ax.text(page, 1.08, held, ha="center", va="bottom", fontsize=8, color=readable(colors.get(text, INK)))
    ax.set(xticks=range(n_pages), yticks=[], xlim=(-0.6, n_pages - 0.4), ylim=(0, 1.75))
    ax.spines["left"].set_visible(False)
    told = [f"page {page} {owners[page][0] if page in owners else 'free'}" for page in range(n_pages)]
    fig.alt = f"A strip of {n_pages} pages: {', '.join(told)}."
    return fig


def curves_of(runs: Iterable[Mapping[str, Any]]) -> dict[str, dict[int, tuple[float, float]]]:
    """Server → clients → (tokens per second, seconds until the median reply is whole), from a sweep's recorded runs.

    Runs without a rate are left out: a server that was not there, for one.
    """
    curves: dict[str, dict[int, tuple[float, float]]] = {}
    for run in runs:
        if "tokens_per_s" in run:
            point = run["tokens_per_s"], run["end_to_end_s"]["p50"]
            curves.setdefault(run["case"]["server"], {})[run["case"]["clients"]] = point
    return curves


def draw_curves(curves: Mapping[str, Curve], here: tuple[float, float], *, title: str, ylabel: str) -> Figure:
    """Latency over throughput, a line per server: clients → (tokens per second, seconds). here: a star, measured live.

    Numbers of clients stand at the points of the first server's line.
    """
    fig, ax = figure(title, "tokens per second, all clients together", ylabel, size=(7, 4.8))
    first = next(iter(curves))
    for name, points in curves.items():
        [line] = ax.plot(*zip(*points.values(), strict=True), "o-", linewidth=2.6 if name == first else 1.8)
        at, place = _label(points)
        told = f"{name}, {min(points)} client" if name == first else name
        look = {"fontsize": 9, "color": readable(line.get_color()), "path_effects": HALO}
        ax.annotate(told, at, place, textcoords="offset points", ha="center" if name == first else "left", **look)
    for clients, point in list(curves[first].items())[1:]:
        ax.annotate(clients, point, (6, -11), textcoords="offset points", fontsize=8, path_effects=HALO)
    ax.plot(*[[value] for value in here], "*", markersize=15, color=INK, markeredgecolor="white")
    look = {"fontsize": 9, "fontweight": "bold", "ha": "right", "path_effects": HALO}
    ax.annotate("yours, now", here, (-6, -21), textcoords="offset points", **look)
    rates, seconds = zip(here, *(point for points in curves.values() for point in points.values()), strict=True)
    ax.set(xlim=(0, 1.2 * max(rates)), yscale="log", ylim=(0.6 * min(seconds), 1.8 * max(seconds)))
    inside = [tick for tick in TICKS if 0.6 * min(seconds) <= tick <= 1.8 * max(seconds)]
    ax.set_yticks(inside, [f"{tick:g}" for tick in inside])
    ax.minorticks_off()
    ax.grid(True, axis="x", color=PALETTE["muted"], alpha=0.15)
    fig.alt = "Seconds over tokens per second, from the fewest to the most clients: " + "; ".join(
        f"{name} from {rate:.0f} tokens per second and {wait:.1f} s to {last_rate:.0f} and {last_wait:.1f} s"
        for name, points in curves.items()
        for (rate, wait), (last_rate, last_wait) in [(points[min(points)], points[max(points)])]
    )
    return fig


def _label(points: Curve) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where a line's name stands: below its lower end if it begins with short waits there, else above its upper end."""
    low, high = points[min(points)], points[max(points)]
    return (low, (4, -15)) if low[1] < 2 else (high, (-14, 8))
