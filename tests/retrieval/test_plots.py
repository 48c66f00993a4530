"""Searches drawn: rows in the promised order, points where the numbers are, the two directions of most variance."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA

from helpers.old.retrieval import SearchScores, by_kind, corpus_map, principal_axes
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


def test_the_axes_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 6)) * [5, 0.5, 3, 0.2, 0.1, 1]
    mean, axes, share = principal_axes(vectors)
    theirs = PCA(2).fit(vectors)
    np.testing.assert_allclose(np.abs(axes), np.abs(theirs.components_), atol=1e-8)
    np.testing.assert_allclose(mean, theirs.mean_)
    assert share == pytest.approx(theirs.explained_variance_ratio_.sum())


def test_the_map_draws_every_chunk_the_question_and_lines_to_what_was_found():
    rng = np.random.default_rng(1)
    vectors, query = rng.normal(size=(20, 5)), rng.normal(size=5)
    groups = ["manual"] * 8 + ["policy"] * 12
    _, ax = figure("Title")
    share = corpus_map(ax, vectors, query, [3, 11], groups)
    mean, axes, expected = principal_axes(vectors)
    assert share == expected
    drawn = [collection.get_offsets() for collection in ax.collections]
    assert [len(points) for points in drawn] == [12, 8, 2, 1], (
        "the larger group first, then what was found, the question"
    )
    np.testing.assert_allclose(drawn[3][0], (query - mean) @ axes.T)
    for line, row in zip(ax.get_lines(), (3, 11), strict=True):
        np.testing.assert_allclose(line.get_xydata(), [(query - mean) @ axes.T, (vectors[row] - mean) @ axes.T])
    assert [note.get_text() for note in ax.texts] == ["1", "2"]
