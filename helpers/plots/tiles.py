"""Small matrices drawn as tiles with their numbers in them: for shapes, masks and tables of scores.

grids({"x  (2, 3)": x, "x.T  (3, 2)": x.T}, "A transpose moves every number but the first and the last")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.plots.figures import CARD, INK, QUIET, STYLE

TILE = 0.46  # inches
NUMBERS_AT_MOST = 12  # rows or columns; beyond that, the numbers would not be readable


def grids(panels: Mapping[str, Any], title: str, fmt: str = "{:g}") -> Figure:
    """Matrices side by side, each shaded from its smallest to its largest number; a vector is a row.

    panels: caption → array or tensor, (rows, columns) or (columns,), at most 12 each way. NaN stays empty.
    Raises ValueError for anything larger, empty, or of more dimensions.
    """
    arrays = {caption: _matrix(caption, values) for caption, values in panels.items()}
    if not arrays:
        raise ValueError("grids() needs at least one matrix.")
    widths = [max(array.shape[1], 2.8) + 0.6 for array in arrays.values()]  # room for the caption
    tallest = max(array.shape[0] for array in arrays.values())
    size = (max(TILE * sum(widths), 5.5), TILE * tallest + 0.95)
    with mpl.rc_context(STYLE):
        fig, axes = plt.subplots(1, len(arrays), figsize=size, width_ratios=widths, squeeze=False)
        fig.suptitle(title, x=0.016, ha="left", fontsize=12, fontweight="bold", color=INK)
        for ax, width, (caption, array) in zip(axes[0], widths, arrays.items(), strict=True):
            _tiles(ax, array, fmt)
            side = (width - array.shape[1]) / 2  # the same size of tile in every panel
            ax.set(xlim=(-side, array.shape[1] + side), ylim=(tallest + 0.05, -0.05), aspect="equal", anchor="N")
            ax.set_title(caption, loc="center", fontsize=10, fontweight="normal", color=QUIET, pad=6)
    return fig


def table(
    ax: plt.Axes, values: Any, rows: Sequence[str], columns: Sequence[str], caption: str, fmt: str = "{:.2f}"
) -> None:
    """Draw one matrix into `ax`, each number in its tile, with the names of its rows and columns.

    values: array or tensor (rows, columns). Raises ValueError where names are missing or left over.
    """
    array = _matrix(caption, values)
    if array.shape != (len(rows), len(columns)):
        raise ValueError(f"{caption!r} has {array.shape} numbers for {len(rows)} rows and {len(columns)} columns.")
    ax.imshow(array, cmap="Blues", vmin=-0.4, vmax=2.2)  # pale, so that the numbers stay readable
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.set_title(caption, fontsize=10, fontweight="normal")
    ax.grid(False)
    for (row, column), value in np.ndenumerate(array):
        ax.text(column, row, fmt.format(value), ha="center", va="center")


def _matrix(caption: str, values: Any) -> np.ndarray:
    values = values.detach().cpu().double().numpy() if hasattr(values, "detach") else values
    array = np.atleast_2d(np.asarray(values, dtype=float))
    if array.ndim != 2 or not array.size or max(array.shape) > NUMBERS_AT_MOST:
        raise ValueError(f"{caption!r} has the shape {np.shape(values)}; grids() draws up to 12 rows and 12 columns.")
    return array


def _tiles(ax: plt.Axes, array: np.ndarray, fmt: str) -> None:
    # Light enough that dark numbers stay readable on every tile.
    light = mpl.colors.LinearSegmentedColormap.from_list("light", [CARD, "#e8eef4", "#9cc3e0"])
    finite = array[np.isfinite(array)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    shade = np.ma.masked_invalid((array - low) / ((high - low) or 1.0) * 0.9 + 0.1)
    ax.pcolormesh(shade, cmap=light, vmin=0, vmax=1, edgecolors=QUIET, linewidth=0.6)
    for (row, column), value in np.ndenumerate(array):
        if np.isfinite(value):
            ax.text(column + 0.5, row + 0.5, fmt.format(value), ha="center", va="center", color=INK, fontsize=10)
    ax.axis("off")
