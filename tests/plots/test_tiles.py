"""Small matrices as tiles: every number is written where it stands."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from helpers.plots import grids


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")


def written(ax) -> dict[tuple[int, int], str]:
    return {(int(text.get_position()[1]), int(text.get_position()[0])): text.get_text() for text in ax.texts}


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
