"""Attention drawn: who looks at whom, one head a panel, and a browser with sliders where there is a live kernel.

    head_grid(weights, tokens, {"the token before": (16, 0)}, "…")      # a figure
    head_browser(weights, tokens, {"the token before": (16, 0)}, "…")   # sliders for layer and head, or that figure
    rotation_circles(cos[:6], sin[:6], (0, 4, 8), "…")                  # RoPE: how far three pairs turn

Rows are queries, columns are keys; the darker, the more a query takes from a key. On the web, in a terminal and under
HANDS_ON_STATIC=1 the browser is the figure. What it does not do: run a model (`multi_head.keeping_weights`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.display.frontend import widgets_live
from helpers.plots.figures import CARD, INK, QUIET, RULE, STYLE, describe, figure, png
from helpers.plots.token_boxes import spell

TOKENS_AT_MOST = 24  # beyond that, labels would overlap
COLUMNS = 3
ROWS_READ_OUT = 8
INKS = mpl.colors.LinearSegmentedColormap.from_list("attention", [CARD, "#9cc3e0", "#0072b2", "#04253d"])


def head_grid(
    weights: Any, tokens: Sequence[str], heads: Mapping[str, tuple[int, int]], title: str, alt: str = ""
) -> Figure:
    """One panel for each (layer, head) of `heads`, under its caption.

    weights: (n_layers, n_heads, T, T), a tensor or array; tokens: the T texts; alt: alternative text, instead of where
    each head looks. Raises ValueError, in one sentence, for more than 24 tokens, another number of them than T, or no
    head.
    """
    _require(weights, tokens)
    if not heads:
        raise ValueError("head_grid() needs at least one head, as in {'layer 0, head 0': (0, 0)}.")
    n_rows, n_columns = -(-len(heads) // COLUMNS), min(len(heads), COLUMNS)
    with mpl.rc_context(STYLE):
        fig, axes = plt.subplots(n_rows, n_columns, figsize=(7, 0.5 + 2.75 * n_rows), squeeze=False)
        fig.alt = alt
        fig.suptitle(title, x=0.016, ha="left", fontsize=12, fontweight="bold", color=INK)
        for i, (caption, (layer, head)) in enumerate(heads.items()):
            ax = axes.flat[i]
            draw_head(ax, weights[layer][head], tokens)
            ax.set_title(f"{caption}\nlayer {layer}, head {head}", loc="center", fontsize=9, color=QUIET, pad=5)
            if i % n_columns:
                ax.set_yticklabels([])
        for ax in axes.flat[len(heads) :]:
            ax.axis("off")
        fig.supxlabel("key: the token that is looked at", fontsize=9, color=QUIET)
        fig.supylabel("query: the token that looks", fontsize=9, color=QUIET)
    return fig


def draw_head(ax: Axes, weights: Any, tokens: Sequence[str]) -> None:
    """Weights (T, T) as tiles, the tokens along both sides."""
    weights = weights.detach().cpu().float().numpy() if hasattr(weights, "detach") else weights
    ax.pcolormesh(weights, cmap=INKS, vmin=0, vmax=1, edgecolors=RULE, linewidth=0.3)
    places, names = [i + 0.5 for i in range(len(tokens))], [spell(token) for token in tokens]
    size = 9 if len(tokens) <= 8 else 7
    ax.set_xticks(places, names, rotation=90, fontsize=size)
    ax.set_yticks(places, names, fontsize=size)
    ax.set(xlim=(0, len(tokens)), ylim=(len(tokens), 0), aspect="equal")
    ax.figure.alt = _in_words(np.asarray(weights), names)
    ax.grid(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


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


def _in_words(weights: np.ndarray, names: Sequence[str]) -> str:
    """Whom each token looks at most, where they are few; else how much goes where attention often goes."""
    T = len(names)
    if T <= ROWS_READ_OUT:
        most = [(names[t], names[int(row.argmax())], row.max()) for t, row in enumerate(weights)]
        return "Whom each token looks at most: " + "; ".join(f"{q} at {k}, {share:.0%}" for q, k, share in most)
    behind = weights[1:]  # the first token has no choice
    places = {
        "its own token": np.diagonal(weights)[1:].mean(),
        "the token before": np.diagonal(behind).mean(),
        "the first token": behind[:, 0].mean(),
    }
    shares = ", ".join(f"{share:.0%} to {place}" for place, share in places.items())
    return f"On average a token gives {shares}"


def head_browser(
    weights: Any, tokens: Sequence[str], heads: Mapping[str, tuple[int, int]], title: str, alt: str = ""
) -> None:
    """Sliders over every layer and head, starting at the first of `heads`; the figure of `heads` where none can live.

    Arguments and errors as in `head_grid`. The figure is stored beside the sliders, for readers of the saved notebook.
    """
    fig = head_grid(weights, tokens, heads, title, alt)
    if not widgets_live():
        return  # the notebook shows an open figure by itself
    from IPython.display import display

    still, told = png(fig), {"image/png": {"alt": describe(fig)}}
    plt.close(fig)
    bundle = build_browser(weights, tokens, *next(iter(heads.values())))._repr_mimebundle_()
    data = dict(bundle[0] if isinstance(bundle, tuple) else bundle)
    display({**data, "text/plain": title, "image/png": still}, metadata=told, raw=True)


def build_browser(weights: Any, tokens: Sequence[str], layer: int = 0, head: int = 0) -> Any:
    """Two sliders and a picture of the head they choose, as one ipywidgets box."""
    import ipywidgets as widgets

    _require(weights, tokens)
    picture = widgets.Image(format="png", layout={"width": "500px", "max_width": "100%", "height": "auto"})
    sliders = [
        widgets.IntSlider(value, 0, count - 1, description=name)
        for name, value, count in (("layer", layer, len(weights)), ("head", head, len(weights[0])))
    ]

    def draw(_: Any = None) -> None:
        chosen = tuple(slider.value for slider in sliders)
        with mpl.rc_context(STYLE):
            fig = Figure(figsize=(5, 4.6))  # not pyplot's, which would show it a second time
            ax = fig.subplots()
            draw_head(ax, weights[chosen[0]][chosen[1]], tokens)
            ax.set_title(f"layer {chosen[0]}, head {chosen[1]}", fontsize=11)
            picture.value, picture.tooltip = png(fig), describe(fig)

    for slider in sliders:
        slider.observe(draw, names="value")
    draw()
    return widgets.VBox([*sliders, picture], layout={"align_items": "flex-start"})  # else it is stretched to the page


def _require(weights: Any, tokens: Sequence[str]) -> None:
    shape, T = tuple(weights.shape), len(tokens)
    if len(shape) != 4 or shape[2:] != (T, T):
        raise ValueError(f"{T} tokens need weights of shape (layers, heads, {T}, {T}), not {shape}.")
    if T > TOKENS_AT_MOST:
        raise ValueError(f"A picture of attention has room for {TOKENS_AT_MOST} tokens, not {T}.")
