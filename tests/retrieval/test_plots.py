"""Searches drawn: rows in the promised order, points where the numbers are, the two directions of most variance."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.old.retrieval import SearchScores, by_kind
from helpers.plots import figure

KINDS = ("code", "code", "story", "story", "number", "number")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def scores(*values):
    return SearchScores(tuple("abcdef"), KINDS, {"recall@5": np.array(values, dtype=float)})


def test_the_first_searchs_kinds_stand_above_and_no_row_mixes_them():
    words, meaning = scores(1, 1, 0, 0, 1, 0), scores(0, 1, 1, 1, 0, 1)
    _, ax = figure("Title")
    assert by_kind(ax, {"words": words, "meaning": meaning}, "recall@5") == ["code", "number", "story"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["code (2)", "number (2)", "story (2)"]
    points = {tuple(np.round(line.get_xydata()[0], 2)) for line in ax.get_lines() if len(line.get_xdata()) == 1}
    assert {(1.0, -0.1), (0.5, 0.1), (0.0, 1.9), (1.0, 2.1)} <= points
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["words", "meaning"]
