"""RoPE drawn: how far pairs of a query's channels turn from position to position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.plots.figures import QUIET, figure


def rotation_circles(cos: Any, sin: Any, pairs: Sequence[int], title: str) -> Figure:
    """One circle for each of `pairs`: where RoPE turns the arrow (1, 0) at positions 0, 1, …, the rows of cos and sin.

    cos, sin: (T, head_dim/2). Where arrows stand close, only the first and the last bear their position.
    """
    turned = np.degrees(np.unwrap(np.arctan2(np.asarray(sin), np.asarray(cos)), axis=0))  # (T, head_dim/2)
    last, wide = len(turned) - 1, 2.8 * (len(pairs) - 1) + 1.4
    spread = ", ".join(f"over {turned[last, i]:.0f} degrees in pair {i}" for i in pairs)
    fig, ax = figure(title, size=(7, 2.9), alt=f"Circles with arrows for positions 0 to {last}, spread {spread}.")
    for n, i in enumerate(pairs):
        ax.add_patch(plt.Circle((2.8 * n, 0), 1, fill=False, color=QUIET, linewidth=0.8))
        for t, (x, y) in enumerate(zip(cos[:, i], sin[:, i], strict=True)):
            ax.annotate("", (2.8 * n + x, y), (2.8 * n, 0), arrowprops={"arrowstyle": "->", "color": "#0072b2"})
            if t in (0, last) or abs(turned[1, i]) > 10:
                ax.text(2.8 * n + 1.15 * x, 1.15 * y, str(t), ha="center", va="center", fontsize=8)
        ax.text(2.8 * n, -1.5, f"pair {i}, positions 0 to {last}", ha="center")
    ax.set_axis_off()
    ax.set(xlim=(-1.4, wide), ylim=(-1.7, 1.3), aspect="equal")
    return fig
