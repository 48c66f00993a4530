"""Decoding drawn: what settings do to the odds of one next token, and whether confidence can be trusted.

    odds_browser(logits, names, odds, "…")          # sliders for temperature, top-p and min-p, or the figure
    odds_grid(logits, names, {"temperature 0.5": sampler}, "…")
    reliability_diagram(ax, confidences, correct)

On the web, in a terminal and under HANDS_ON_STATIC=1 the browser is the figure. What it does not do: run a model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from torch import Tensor

from helpers.display.frontend import widgets_live
from helpers.old.metrics.calibration import reliability
from helpers.plots.figures import INK, PALETTE, QUIET, STYLE, describe, png, readable
from helpers.plots.token_boxes import spell
from helpers.stats.intervals import wilson

SHOWN = 12  # tokens drawn, the likeliest first
Odds = Callable[..., Tensor]  # logits (1, V) → probabilities (1, V)


def odds_grid(
    logits: Tensor, names: Callable[[int], str], settings: Mapping[str, Odds], title: str, alt: str = ""
) -> Figure:
    """One panel of bars for each of `settings`, two to four: the probabilities of the tokens that are likeliest as is.

    logits: (1, V); names: id → text; settings: caption → a function from logits to probabilities. Tokens that cannot
    come any more are named in gray; what all the others get together is written below. alt: alternative text, instead
    of the percentages.
    """
    if not 1 < len(settings) <= 4:
        raise ValueError(f"odds_grid() draws two to four settings beside each other, not {len(settings)}.")
    top = logits[0].topk(SHOWN).indices.tolist()
    with mpl.rc_context(STYLE):
        fig, axes = plt.subplots(1, len(settings), figsize=(7, 3.6), sharey=True)
        fig.alt = alt
        fig.suptitle(title, x=0.016, ha="left", fontsize=12, fontweight="bold", color=INK)
        for ax, (caption, odds) in zip(axes, settings.items(), strict=True):
            draw_odds(ax, odds(logits)[0], top, names)
            ax.set_title(caption, loc="left", fontsize=9.5, color=INK, pad=6, fontweight="normal")
    return fig


def draw_odds(ax: Axes, probabilities: Tensor, top: Sequence[int], names: Callable[[int], str]) -> None:
    """Bars of the tokens `top`, with their percentages; how many tokens are left, and what the others get, below."""
    shares = probabilities[list(top)].tolist()
    rows = range(len(top))
    ax.barh(rows, shares, height=0.7, color=PALETTE["main"])
    texts = [f"{share:.0%}" if share >= 0.005 else "<1%" if share > 0 else "out" for share in shares]
    for row, share, text in zip(rows, shares, texts, strict=True):
        color = INK if share > 0 else QUIET
        ax.annotate(text, (share, row), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8, color=color)
    tokens = [spell(names(i)) for i in top]
    ax.set_yticks(rows, tokens, fontsize=9)
    ax.set(xlim=(0, 1.25 * max(shares)), ylim=(len(top) - 0.4, -0.6))
    kept, others = int((probabilities > 0).sum()), 1 - sum(shares)
    left, rest = f"{kept:,} tokens left", f"others {max(others, 0):.0%}"
    ax.set_xlabel(f"{left}\n{rest}", fontsize=9)
    ax.figure.alt = "; ".join([*(f"{token} {text}" for token, text in zip(tokens, texts, strict=True)), rest, left])
    ax.set_xticks([])
    ax.grid(False)
    for side in ("bottom", "left"):
        ax.spines[side].set_visible(False)


def odds_browser(
    logits: Tensor,
    names: Callable[[int], str],
    odds: Callable[..., Tensor],
    settings: Mapping[str, Odds],
    title: str,
    alt: str = "",
) -> None:
    """Sliders for temperature, top-p and min-p over the odds of one next token; `odds_grid` where none can live.

    odds(logits, temperature, top_p, min_p) → probabilities (1, V). The figure is stored beside the sliders, for readers
    of the saved notebook.
    """
    fig = odds_grid(logits, names, settings, title, alt)
    if not widgets_live():
        return  # the notebook shows an open figure by itself
    from IPython.display import display

    still, told = png(fig), {"image/png": {"alt": describe(fig)}}
    plt.close(fig)
    bundle = build_browser(logits, names, odds)._repr_mimebundle_()
    data = dict(bundle[0] if isinstance(bundle, tuple) else bundle)
    display({**data, "text/plain": title, "image/png": still}, metadata=told, raw=True)


def build_browser(logits: Tensor, names: Callable[[int], str], odds: Callable[..., Tensor]) -> Any:
    """Three sliders and a picture of the odds that they give, as one ipywidgets box."""
    import ipywidgets as widgets

    picture = widgets.Image(format="png", layout={"width": "500px", "max_width": "100%", "height": "auto"})
    top = logits[0].topk(SHOWN).indices.tolist()
    whole = {"description_width": "initial"}  # names are not cut
    sliders = [
        widgets.FloatSlider(value, min=low, max=high, step=step, description=name, style=whole)
        for name, value, low, high, step in (
            ("temperature", 1.0, 0.1, 2.0, 0.1),
            ("top_p", 1.0, 0.05, 1.0, 0.05),
            ("min_p", 0.0, 0.0, 0.5, 0.02),
        )
    ]

    def draw(_: Any = None) -> None:
        chosen = [slider.value for slider in sliders]
        with mpl.rc_context(STYLE):
            fig = Figure(figsize=(5, 3.6))  # not pyplot's, which would show it a second time
            ax = fig.subplots()
            draw_odds(ax, odds(logits, *chosen)[0], top, names)
            ax.set_title("temperature {:.1f}, top_p {:.2f}, min_p {:.2f}".format(*chosen), fontsize=11)
            picture.value, picture.tooltip = png(fig), describe(fig)

    for slider in sliders:
        slider.observe(draw, names="value")
    draw()
    return widgets.VBox([*sliders, picture], layout={"align_items": "flex-start"})  # else it is stretched to the page


def reliability_diagram(ax: Axes, confidences: ArrayLike, correct: ArrayLike, label: str, bins: int = 10) -> None:
    """How often predictions of each confidence were right, with Wilson's intervals, in percent; drawn onto `ax`.

    Call it once a model or corpus. A point on the dashed diagonal is a confidence that keeps its word.
    """
    found = reliability(confidences, correct, bins)
    if not any(line.get_label() == "_perfect" for line in ax.get_lines()):
        ax.plot([0, 100], [0, 100], "--", color=PALETTE["muted"], linewidth=1.1, label="_perfect")
        ax.set(xlim=(0, 100), ylim=(0, 100))
    hits = [round(b.accuracy * b.count) for b in found]
    low, high = (100 * np.asarray(end) for end in wilson(hits, [b.count for b in found]))
    x, y = (100 * np.array([getattr(b, name) for b in found]) for name in ("confidence", "accuracy"))
    (line,) = ax.plot(x, y, "o-", markersize=5, label=label)
    ax.vlines(x, low, high, color=line.get_color(), linewidth=1.6, alpha=0.6)
    ax.annotate(label, (x[-1], y[-1]), xytext=(6, 0), textcoords="offset points", color=readable(line.get_color()),
                va="center", fontsize=9.5, annotation_clip=False)  # fmt: skip
