"""Figures in words, for readers who cannot see them: read off what was drawn, so that it cannot disagree with it.

    fig, ax = figure("The loss falls", "step", "loss (nats)")
    ax.plot([4.1, 2.0, 1.5], label="GPT")
    describe(fig)   # "The loss falls. Lines of loss (nats) over step at 0, 1, 2. GPT: 4.1, 2, 1.5."

Helpers that know better what they draw say so with `tell`; an author's own words, `figure(..., alt="…")` or
`fig.alt = "…"`, replace everything. In a notebook, `helpers.plots.figures` stores the text as the output's
`metadata["image/png"]["alt"]`.

What it does not do: interpret. What a figure means stands in the text below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter

ITEMS = 14  # of a list that are read out; nobody keeps more in mind
SHAPE = 0.15  # of a curve's range: what a peak or a dip has to exceed, so that jitter is none
POINTS = 6  # of a curve that are read out one by one
JUMP = 0.6  # of a curve's range: what one step covers where the curve jumps
LEVEL = 0.03  # of a curve's mean: what varies less is level

Told = dict[str, Any]


def tell(ax: Axes, text: str) -> None:
    """Put what stands on `ax` by now into words; `describe` adds only what is drawn later."""
    told: Told = getattr(ax, "told", {"texts": [], "artists": []})
    ax.told = {"texts": [*told["texts"], text], "artists": _artists(ax)}


def describe(fig: Figure) -> str:
    """The figure's alternative text: its author's words, or its title and what is drawn, in one line."""
    own = " ".join(str(getattr(fig, "alt", "") or "").split())
    if own:
        return own
    bars = {ax.get_ylabel() for ax in fig.axes if ax.get_label() == "<colorbar>"}
    parts = [fig.get_suptitle()]
    parts += [_of_axes(ax, ", ".join(bars)) for ax in fig.axes if ax.get_label() != "<colorbar>"]
    return " ".join(_sentence(part) for part in parts if part.strip())


def _of_axes(ax: Axes, shade: str) -> str:
    told: Told = getattr(ax, "told", {"texts": [], "artists": []})
    left = [artist for artist in _artists(ax) if not any(artist is other for other in told["artists"])]
    lines = [artist for artist in left if isinstance(artist, Line2D)]
    curves = [line for line in lines if _is_curve(line)]
    parts = [*told["texts"]]
    if curves:
        parts.append(_curves(ax, curves))
    points = [line for line in lines if line not in curves and not _is_rule(line)]
    parts += _points(ax, points, [a for a in left if isinstance(a, PathCollection)], left)
    parts += [_map(ax, artist, shade) for artist in left if isinstance(artist, QuadMesh | AxesImage)]
    parts += [_rule(ax, line) for line in lines if _is_rule(line)]
    parts.append(_notes(ax, [text for text in ax.texts if text in left], lines))
    title = " ".join(" ".join(ax.get_title(where) for where in ("left", "center", "right")).split())
    said = " ".join(_sentence(part) for part in parts if part.strip())
    return f"{title}: {said}" if title and said else title or said


def _artists(ax: Axes) -> list[Artist]:
    return [*ax.lines, *ax.collections, *ax.images, *ax.texts, *ax.patches]


# Lines ----------------------------------------------------------------------------------------------------------------


def _is_rule(line: Line2D) -> bool:
    """Drawn by axhline, axvline or with two points on one level and no name of its own."""
    x, y = np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)
    straight = len(x) == 2 and (x[0] == x[1] or y[0] == y[1])
    return straight and not _name(line) and line.get_linestyle() not in ("None", "none", "", " ")


def _is_curve(line: Line2D) -> bool:
    return len(line.get_xdata()) > 1 and line.get_linestyle() not in ("None", "none", "", " ") and not _is_rule(line)


def _name(artist: Any) -> str:
    """An artist's label; "_roof", which keeps it out of a legend, is a name too, "_child0" is none."""
    label = str(artist.get_label())
    return "" if re.fullmatch(r"_(child|container)\d*|_nolegend_", label) else label.removeprefix("_")


def _curves(ax: Axes, curves: Sequence[Line2D]) -> str:
    few = _shared_places(curves)
    ends = [end for line in curves for end in (min(line.get_xdata()), max(line.get_xdata()))]
    span = f"from {_at(ax.xaxis, min(ends))} to {_at(ax.xaxis, max(ends))}"
    if few:
        span = f"at {', '.join(_at(ax.xaxis, x) for x in few)}"
    upwards = f"Lines of {ax.get_ylabel() or 'the height'}"
    scales = [way for way, axis in (("across", ax.get_xscale()), ("upwards", ax.get_yscale())) if axis == "log"]
    logs = f" (logarithmic {' and '.join(scales)})" if scales else ""
    names = [_name(line) for line in curves]
    nameless = "the line" if len(curves) == 1 else "a line"
    said = []
    for name, line in zip(names, curves, strict=True):
        values = ", ".join(_number(y) if np.isfinite(y) else "none" for y in np.asarray(line.get_ydata(), float))
        course = values if few else _course(ax, line)
        said.append(f"{name or nameless}: {course}" if name or few else f"{nameless} {course}")
    return f"{upwards} over {ax.get_xlabel() or 'the width'} {span}{logs}. {_listed(said)}"


def _shared_places(curves: Sequence[Line2D]) -> list[float]:
    """The x of all curves, where these are the same and so few that the values can be read out; else nothing."""
    first, *others = (np.asarray(line.get_xdata(), dtype=float) for line in curves)
    same = all(np.array_equal(first, other) for other in others)
    return first.tolist() if same and len(first) <= POINTS else []


def _course(ax: Axes, line: Line2D) -> str:
    """How a curve runs, in the order in which it was drawn: level, up, down, over a peak or through a dip."""
    x, y = (np.asarray(values, dtype=float) for values in (line.get_xdata(), line.get_ydata()))
    kept = np.isfinite(x) & np.isfinite(y)
    if ax.get_yscale() == "log":
        kept &= y > 0
    if not kept.any():
        return "has no finite value"
    x, y = x[kept], y[kept]
    seen = np.log(y) if ax.get_yscale() == "log" else y
    start, end, low, high = _number(y[0]), _number(y[-1]), int(seen.argmin()), int(seen.argmax())
    reach = seen[high] - seen[low]
    level = LEVEL if ax.get_yscale() == "log" else LEVEL * abs(seen.mean())
    if reach <= level:
        return f"stays at {_number(y.mean())}" if reach == 0 else f"stays near {_number(y.mean())}"
    peak = seen[high] - max(seen[0], seen[-1]) > SHAPE * reach
    dip = min(seen[0], seen[-1]) - seen[low] > SHAPE * reach
    if peak and dip:
        return f"goes up and down between {_number(y[low])} and {_number(y[high])}, from {start} to {end}"
    if peak:
        return f"rises from {start} to {_number(y[high])} at {_at(ax.xaxis, x[high])}, then falls to {end}"
    if dip:
        return f"falls from {start} to {_number(y[low])} at {_at(ax.xaxis, x[low])}, then rises to {end}"
    if abs(seen[-1] - seen[0]) <= SHAPE * reach:
        return f"varies between {_number(y[low])} and {_number(y[high])}"
    way = f"{'rises' if seen[-1] > seen[0] else 'falls'} from {start} to {end}"
    steps = np.abs(np.diff(seen))
    widest = int(steps.argmax())
    if len(seen) >= 5 and steps[widest] >= JUMP * reach:
        way += f", most of it between {_at(ax.xaxis, x[widest])} and {_at(ax.xaxis, x[widest + 1])}"
    return way


def _rule(ax: Axes, line: Line2D) -> str:
    x, y = line.get_xdata(), line.get_ydata()
    style = "A dashed" if line.is_dashed() else "A"
    if y[0] == y[1]:
        return f"{style} horizontal line at {_at(ax.yaxis, y[0])}"
    return f"{style} vertical line at {_at(ax.xaxis, x[0])}"


# Points ---------------------------------------------------------------------------------------------------------------


def _points(ax: Axes, lines: Sequence[Line2D], clouds: Sequence[PathCollection], left: Sequence[Artist]) -> list[str]:
    """Single marks, put together by color: what has one color has one name."""
    groups: dict[str, list[tuple[float, float]]] = {}
    names: dict[str, str] = {}
    held = {id(c.lines[0]): _name(c) for c in ax.containers if isinstance(c, ErrorbarContainer) and c.lines[0] in lines}
    for line in lines:
        pairs = zip(np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float), strict=True)
        key = f"{to_hex(line.get_color())} {line.get_marker()}"
        groups.setdefault(key, []).extend((x, y) for x, y in pairs if np.isfinite(x) and np.isfinite(y))
        names[key] = names.get(key, "") or held.get(id(line), _name(line))
    for cloud in clouds:
        groups[str(id(cloud))] = [tuple(at) for at in np.asarray(cloud.get_offsets(), float)]
        names[str(id(cloud))] = _name(cloud)
    for line in ax.lines:  # the points of a curve have its color
        for key in (key for key in names if _is_curve(line) and key.startswith(to_hex(line.get_color()))):
            names[key] = names[key] or _name(line)
    rows = _row_names(ax.yaxis)
    return [_group(ax, names[key], at, rows) for key, at in groups.items() if at]


def _group(ax: Axes, name: str, at: Sequence[tuple[float, float]], rows: dict[float, str]) -> str:
    across, upwards = ax.get_xlabel() or "across", ax.get_ylabel() or "upwards"
    if rows:
        found: dict[str, list[float]] = {}
        for x, y in at:
            found.setdefault(rows.get(round(y), _number(y)), []).append(x)
        said = _listed(f"{row} {_span(values)}" for row, values in found.items())
        return f"{name or 'Marks'}, {across}: {said}"
    if len(at) <= 3:
        places = _listed(f"{across} {_at(ax.xaxis, x)}, {upwards} {_at(ax.yaxis, y)}" for x, y in at)
        return f"{name or 'A mark'} at {places}"
    spans = [_span([place[axis] for place in at]) for axis in (0, 1)]
    return f"{name or 'Marks'}: {len(at):,} points, {across} {spans[0]}, {upwards} {spans[1]}"


def _row_names(axis: Axis) -> dict[float, str]:
    """Position → name, where an axis is labeled with words."""
    ticks = _tick_names(axis)
    return ticks if any(re.search(r"[^\W\d_]", name) for name in ticks.values()) else {}


# Maps -----------------------------------------------------------------------------------------------------------------


def _map(ax: Axes, artist: QuadMesh | AxesImage, shade: str) -> str:
    """A table of shades: how large, from what to what, and where the largest stands, in each row where they are few."""
    table = np.ma.filled(np.ma.masked_invalid(artist.get_array()), np.nan).astype(float)
    if table.ndim != 2 or not np.isfinite(table).any():
        return ""
    n_rows, n_columns = table.shape
    columns, rows = _tick_names(ax.xaxis), _tick_names(ax.yaxis)
    shift = 0.5 if 0.5 in rows or 0.5 in columns else 0.0  # tiles of pcolormesh begin at whole numbers

    def place(names: dict[float, str], index: int) -> str:
        return names.get(index + shift, str(index))

    if n_rows <= ITEMS and np.nanmin(table) < 0 < np.nanmax(table):
        kept = [row for row in range(n_rows) if np.isfinite(table[row]).all()]
        signs = _listed(f"{place(rows, row)}: {_signs(table[row], columns, shift)}" for row in kept)
        return f"A map, {shade or 'shade'}, {_span([np.nanmin(table), np.nanmax(table)])}, row by row: {signs}"
    size = f"{n_rows} rows ({ax.get_ylabel() or 'downwards'}) by {n_columns} columns ({ax.get_xlabel() or 'across'})"
    text = f"A map of {size}, {shade or 'shade'} from {_number(np.nanmin(table))} to {_number(np.nanmax(table))}"
    if n_rows > ITEMS:
        row, column = np.unravel_index(np.nanargmax(table), table.shape)
        return f"{text}, the largest in row {place(rows, row)}, column {place(columns, column)}"
    largest = [(row, int(np.nanargmax(table[row]))) for row in range(n_rows) if np.isfinite(table[row]).any()]
    said = _listed(f"{place(rows, r)}: {_number(table[r, c])} at {place(columns, c)}" for r, c in largest)
    return f"{text}; the largest in each row: {said}"


def _signs(row: np.ndarray, columns: dict[float, str], shift: float) -> str:
    """Where a row is above and where below zero, from left to right."""
    positive = row > 0
    starts = [0, *(np.flatnonzero(np.diff(positive)) + 1).tolist()]
    if len(starts) == 1:
        return f"{'above' if positive[0] else 'below'} 0 throughout"
    said = [f"{'above' if positive[i] else 'below'} 0 from {columns.get(i + shift, str(i))}" for i in starts]
    return ", ".join(said)


# Words ----------------------------------------------------------------------------------------------------------------


def _notes(ax: Axes, texts: Sequence[Any], lines: Sequence[Line2D]) -> str:
    """What is written into the figure and where, except the lines' own names at their ends."""
    known = {_name(line) for line in lines} | {""}
    said = []
    for text in texts:
        words = " ".join(text.get_text().split())
        if words in known:
            continue
        pointing = getattr(text, "xycoords", None) == "data"  # an arrow's or annotation's place in the axes' own units
        place = f" at {_at(ax.xaxis, text.xy[0])}, {_at(ax.yaxis, text.xy[1])}" if pointing else ""
        said.append(f"{words}{place}")
    return f"Written beside: {_listed(dict.fromkeys(said))}" if said else ""


def _tick_names(axis: Axis) -> dict[float, str]:
    """Position → label, for an axis whose labels somebody chose."""
    formatter, locator = axis.get_major_formatter(), axis.get_major_locator()
    if not isinstance(formatter, FixedFormatter | FuncFormatter) or not isinstance(locator, FixedLocator):
        return {}
    names = formatter.format_ticks(locator.locs)
    return {float(at): str(name) for at, name in zip(locator.locs, names, strict=True) if str(name)}


def _at(axis: Axis, value: float) -> str:
    return _tick_names(axis).get(float(value), _number(value))


def _span(values: Sequence[float]) -> str:
    if len(values) == 1 or min(values) == max(values):
        return _number(values[0])
    return f"{_number(min(values))} to {_number(max(values))}"


def _number(value: float) -> str:
    """Three digits; whole numbers in full."""
    value = float(value)
    if value == round(value) and abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.3g}"


def _listed(items: Iterable[str]) -> str:
    items = list(items)
    more = f"; and {len(items) - ITEMS} more" if len(items) > ITEMS else ""
    return "; ".join(items[:ITEMS]) + more


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
