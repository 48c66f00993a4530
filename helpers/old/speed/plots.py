"""Measured points under a roofline.

roofline(ax, bandwidth, peak, {"library": (bytes_per_token, operations_per_token, tokens_per_second)})
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from helpers.plots.figures import CARD, INK, PALETTE


def roofline(
    ax: Axes, bandwidth: float, peak: float, points: Mapping[str, tuple[float, float, float]], span: float = 3.0
) -> None:
    """Operations per second over operations per byte, under the roof of memory and arithmetic (Williams et al., 2009).

    bandwidth: bytes per second; peak: operations per second; points: name -> (bytes per token, operations per token,
    tokens per second). span: how far the axis reaches beyond the points, as a factor.
    """
    places = {name: (ops / read, ops * speed) for name, (read, ops, speed) in points.items()}
    first, last = (f(x for x, _ in places.values()) for f in (min, max))
    corner = peak / bandwidth
    across = np.array([first / span, corner, max(last, corner) * span])
    across.sort()
    ax.loglog(across, np.minimum(across * bandwidth, peak) / 1e9, color=PALETTE["muted"], label="_roof")
    middle = (across[0] * corner) ** 0.5
    style = {"textcoords": "offset points", "color": PALETTE["muted"], "fontsize": 9}
    ax.annotate("limit of memory", (middle, middle * bandwidth / 1e9), (-6, 4), ha="right", **style)
    ax.annotate("limit of the cores", (across[-1], peak / 1e9), (0, 4), ha="right", **style)
    for x, y in places.values():
        ax.plot(x, y / 1e9, "o", markersize=7, color=PALETTE["main"])
    write_beside(ax, {name: (x, y / 1e9) for name, (x, y) in places.items()})
    shares = {name: y / min(x * bandwidth, peak) for name, (x, y) in places.items()}
    alt = "A roof rises with the operations for each byte and turns flat. How far up to the roof each point lies: "
    ax.figure.alt = (alt + "; ".join(f"{name} {share:.0%}" for name, share in shares.items()))  # fmt: skip


SIDES = ((8, 0, "left"), (-8, 0, "right"), (8, -10, "left"), (-8, 10, "right"), (8, 10, "left"), (-8, -10, "right"))


def write_beside(ax: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Each point's name next to it, on the first side where it covers no point and no name written before.

    points: name -> (x, y) in the units of the axes, in which all else is drawn already.
    """
    ax.figure.draw_without_rendering()  # settles limits and layout
    renderer = ax.figure.canvas.get_renderer()
    dots = [ax.transData.transform(place) for place in points.values()]
    taken = [Bbox.from_bounds(x - 5, y - 5, 10, 10) for x, y in dots]
    inside = ax.get_window_extent(renderer)
    style = {"fontsize": 9, "color": INK, "bbox": {"facecolor": CARD, "edgecolor": "none", "pad": 0.5, "alpha": 0.7}}
    for name, place in points.items():
        text = ax.annotate(name, place, (0, 0), textcoords="offset points", va="center", **style)
        for right, up, ha in SIDES:
            text.set_position((right, up))
            text.set_ha(ha)
            covered = text.get_window_extent(renderer)
            free = not any(covered.overlaps(other) for other in taken)
            if free and inside.x0 <= covered.x0 and covered.x1 <= inside.x1:
                break
        taken.append(covered)
