"""Small matrices as tiles: every number is written where it stands."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from helpers.plots import grids, table


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")


def written(ax) -> dict[tuple[int, int], str]:
    return {(int(text.get_position()[1]), int(text.get_position()[0])): text.get_text() for text in ax.texts}


def test_a_table_writes_its_numbers_and_its_names():
    _, ax = plt.subplots()
    table(ax, torch.tensor([[0.25, 1.0, 0.5]]), ["only"], ["a", "b", "c"], "one row")
    assert written(ax) == {(0, 0): "0.25", (0, 1): "1.00", (0, 2): "0.50"}
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b", "c"]
    with pytest.raises(ValueError, match="1 rows and 2 columns"):
        table(ax, torch.zeros(1, 3), ["only"], ["a", "b"], "one row")


def test_every_number_stands_in_its_row_and_column():
    fig = grids({"x": torch.arange(6).reshape(2, 3), "x.T": np.arange(6).reshape(2, 3).T}, "Two shapes")
    first, second = fig.axes
    assert written(first)[1, 0] == "3" and written(second)[0, 1] == "3"
    assert len(written(first)) == len(written(second)) == 6
    assert first.get_title() == "x" and first.yaxis_inverted()


def test_a_vector_is_a_row_and_nan_stays_empty():
    (ax,) = grids({"v": [1.0, float("nan"), 2.5]}, "A row", fmt="{:.1f}").axes
    assert written(ax) == {(0, 0): "1.0", (0, 2): "2.5"}


def test_numbers_that_are_all_alike_or_all_missing_are_drawn():
    grids({"same": np.ones((2, 2)), "none": np.full((2, 2), np.nan)}, "No scale")


@pytest.mark.parametrize("values", [np.zeros((2, 2, 2)), np.zeros((13, 2)), np.zeros((0, 3))])
def test_what_does_not_fit_gives_one_sentence(values):
    with pytest.raises(ValueError, match="grids\\(\\) draws up to 12 rows and 12 columns"):
        grids({"x": values}, "Too much")
    with pytest.raises(ValueError, match="at least one matrix"):
        grids({}, "Nothing")
