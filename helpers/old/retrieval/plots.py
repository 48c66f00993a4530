"""Searches drawn: who finds which kind of question, and where a question lies among the chunks.

    by_kind(ax, scores, "recall@5")                     # a row a kind, a point a search
    corpus_map(ax, vectors, query, rows, groups)        # 384 dimensions seen from the side on which they differ most

What it does not do: keep distances. Two dimensions hold a small part of them; `corpus_map` says how much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from helpers.old.retrieval.metrics import SearchScores
from helpers.plots.figures import INK, PALETTE

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


def principal_axes(vectors: NDArray, n: int = 2) -> tuple[NDArray, NDArray, float]:
    """The mean (d,), the n directions (n, d) along which vectors (N, d) differ most, and the share of variance in them.

    Pearson (1901); equals `sklearn.decomposition.PCA` up to the directions' signs.
    """
    mean = vectors.mean(axis=0)
    _, lengths, axes = np.linalg.svd(vectors - mean, full_matrices=False)
    variance = lengths**2
    return mean, axes[:n], float(variance[:n].sum() / variance.sum())


def corpus_map(ax: Axes, vectors: NDArray, query: NDArray, rows: Sequence[int], groups: Sequence[str]) -> float:
    """Chunks as points, by their group; a question as a star, with lines to the rows that were found for it.

    vectors: (N, d); query: (d,); groups: one a chunk, up to seven, the most frequent first. Returns the share of the
    variance that two dimensions hold.
    """
    mean, axes, share = principal_axes(vectors)
    points, star = (vectors - mean) @ axes.T, (query - mean) @ axes.T  # (N, 2), (2,)
    names = sorted(dict.fromkeys(groups), key=lambda name: -list(groups).count(name))
    of = np.array(groups)
    for name, color in zip(names, PALETTE.values(), strict=False):
        ax.scatter(*points[of == name].T, s=10, alpha=0.55, color=color, label=name, linewidths=0)
    for rank, row in enumerate(rows, start=1):
        ax.plot(*zip(star, points[row], strict=True), color=INK, linewidth=0.7)
        ax.annotate(str(rank), points[row], fontsize=9, xytext=(3, 3), textcoords="offset points")
    ax.scatter(*points[list(rows)].T, s=45, facecolors="none", edgecolors=INK)
    ax.scatter(*star, marker="*", s=190, color=INK, zorder=3, label="the question")
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), markerscale=1.4)
    counts = ", ".join(f"{name} {int((of == name).sum())}" for name in names)
    found = "; ".join(f"{rank} {of[row]}" for rank, row in enumerate(rows, start=1))
    ax.figure.alt = (f"A map of {len(of)} chunks, one point per chunk, colored by the kind of document ({counts}). "
             f"A star for the question, with lines to the chunks found for it: {found}")  # fmt: skip
    return share
