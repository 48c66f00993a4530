"""Vector indexes drawn: what each finds, against how fast it finds it.

recall_against_speed(ax, compare_indexes(vectors, queries, trials))
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from helpers.index_trial import IndexMeasure
from helpers.plots import label_lines


def recall_against_speed(ax: Axes, measures: Sequence[IndexMeasure]) -> None:
    """Recall over queries a second, one line a kind through its breadths, slowest first; up and right is better.

    A bar through a point reaches from its slowest to its fastest repetition; a kind without a breadth is a point.
    Raises ValueError without a measure.
    """
    if not measures:
        raise ValueError("There is no measure to draw: compare_indexes() gives some.")
    for kind in dict.fromkeys(measure.kind for measure in measures):
        points = sorted((m for m in measures if m.kind == kind), key=lambda m: m.qps)
        recalls = [m.recall for m in points]
        (line,) = ax.plot([m.qps for m in points], recalls, "o-", label=kind)
        slowest, fastest = ([end(m.runs or (m.qps,)) for m in points] for end in (min, max))
        ax.hlines(recalls, slowest, fastest, color=line.get_color(), linewidth=3, alpha=0.3, label="_runs")
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.set(xlabel="queries a second, one thread", ylabel="recall@10")
    label_lines(ax)
