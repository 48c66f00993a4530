"""The figure of indexes shows the figures that were measured."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

from helpers.old.trials.vector_indexes import IndexMeasure, recall_against_speed
from helpers.plots import figure

MEASURES = [
    IndexMeasure("flat", 0.1, 100.0, 1.0, 1000, None, (90.0, 100.0, 120.0)),
    IndexMeasure("HNSW", 9.0, 900.0, 0.8, 2000, 16, (900.0,)),
    IndexMeasure("HNSW", 9.0, 300.0, 0.97, 2000, 64, (250.0, 300.0, 310.0)),
]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_each_kind_is_a_line_through_its_breadths_with_its_name_at_the_fast_end():
    _, ax = figure("Title")
    recall_against_speed(ax, MEASURES)
    flat, hnsw = ax.get_lines()
    assert flat.get_xydata().tolist() == [[100.0, 1.0]]
    assert hnsw.get_xydata().tolist() == [[300.0, 0.97], [900.0, 0.8]]
    assert {note.get_text(): tuple(note.xy) for note in ax.texts} == {"flat": (100.0, 1.0), "HNSW": (900.0, 0.8)}
    assert ax.get_xscale() == "log"


def test_the_bars_reach_from_the_slowest_to_the_fastest_run():
    _, ax = figure("Title")
    recall_against_speed(ax, MEASURES)
    flat, hnsw = (bars.get_segments() for bars in ax.collections)
    assert [segment.tolist() for segment in flat] == [[[90.0, 1.0], [120.0, 1.0]]]
    assert [segment.tolist() for segment in hnsw] == [[[250.0, 0.97], [310.0, 0.97]], [[900.0, 0.8], [900.0, 0.8]]]


def test_nothing_to_draw_is_refused():
    _, ax = figure("Title")
    with pytest.raises(ValueError, match="no measure to draw"):
        recall_against_speed(ax, [])
