"""Two figures of speed: measured points under a roofline, and rungs of a ladder.

roofline(ax, bandwidth, peak, {"library": (bytes_a_token, operations_a_token, tokens_a_second)})
ladder(ax, {"library": 22.0, "int4": 150.0}, others=("library",))
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from matplotlib.axes import Axes

from helpers.plots import CARD, INK, PALETTE, bars


def roofline(
    ax: Axes, bandwidth: float, peak: float, points: Mapping[str, tuple[float, float, float]], span: float = 3.0
) -> None:
    """Operations a second over operations a byte, under the roof of memory and of arithmetic (Williams et al., 2009).

    bandwidth: bytes a second; peak: operations a second; points: name -> (bytes a token, operations a token, tokens a
    second). span: how far the axis reaches beyond the points, as a factor.
    """
    places = {name: (ops / read, ops * speed) for name, (read, ops, speed) in points.items()}
    first, last = (f(x for x, _ in places.values()) for f in (min, max))
    across = np.geomspace(first / span, max(last, peak / bandwidth) * span, 100)
    ax.loglog(across, np.minimum(across * bandwidth, peak) / 1e9, color=PALETTE["muted"], label="_roof")
    for number, (name, (x, y)) in enumerate(places.items()):
        ax.plot(x, y / 1e9, "o", markersize=7, color=PALETTE["main"])
        side = (8, "left") if number % 2 else (-8, "right")  # neighbors write to different sides
        ax.annotate(
            name,
            (x, y / 1e9),
            xytext=(side[0], 0),
            textcoords="offset points",
            va="center",
            ha=side[1],
            fontsize=9,
            color=INK,
            bbox={"facecolor": CARD, "edgecolor": "none", "pad": 0.5, "alpha": 0.7},
        )


def ladder(ax: Axes, speeds: Mapping[str, float], others: Collection[str] = ()) -> None:
    """A bar for each rung from top to bottom, tokens a second at its end; `others` in a color of their own."""
    colors = ["compare" if name in others else "main" for name in speeds]
    bars(ax, list(speeds), list(speeds.values()), fmt="{:.0f}", colors=colors)
