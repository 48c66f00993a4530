"""Searches drawn: who finds which kind of question, and where a question lies among the chunks.

    by_kind(ax, scores, "recall@5")                     # a row a kind, a point a search
    corpus_map(ax, vectors, query, rows, groups)        # 384 dimensions seen from the side on which they differ most

What it does not do: keep distances. Two dimensions hold a small part of them; `corpus_map` says how much.
"""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes

from helpers.old.retrieval.metrics import SearchScores
from helpers.plots.figures import PALETTE

COLORS = ("compare", "main", "good", "extra")


def by_kind(ax: Axes, scores: Mapping[str, SearchScores], measure: str) -> list[str]:
    """A row for each kind of question, a point for each search with its 95 % interval.

    Rows are ordered by how much better the first search is than the second, so that the first one's kinds stand above;
    the order of the kinds is returned. Up to four searches.
    """
    first, second = list(scores.values())[:2]
    kinds = sorted(dict.fromkeys(first.kinds), key=lambda kind: second.mean(measure, kind) - first.mean(measure, kind))
    for n, ((name, found), color) in enumerate(zip(scores.items(), COLORS, strict=False)):
        for y, kind in enumerate(kinds):
            mean, (low, high) = found.mean(measure, kind), found.interval(measure, kind)
            ax.errorbar(
                mean,
                y + 0.2 * (n - (len(scores) - 1) / 2),
                xerr=[[mean - low], [high - mean]],
                fmt="o",
                color=PALETTE[color],
                label=name if y == 0 else None,
            )
    counts = [first.kinds.count(kind) for kind in kinds]
    ax.set_yticks(range(len(kinds)), [f"{kind} ({n})" for kind, n in zip(kinds, counts, strict=True)])
    ax.set(xlim=(-0.02, 1.02), xlabel=f"{measure}, with 95 % intervals over questions")
    ax.invert_yaxis()
    ax.grid(True, axis="x")
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.16), ncols=len(scores))
    return kinds
