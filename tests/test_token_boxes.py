"""Token boxes: every token stands in its row, in order, and boxes do not overlap."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest
from matplotlib.patches import FancyBboxPatch

from helpers.token_boxes import shown, token_boxes


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")


GROUPS = [{"BPE": [b"Vel", b" und", b"\n"], "Unigram": ["V", "elunda"]}, {"BPE": ["one"]}]


def test_every_token_is_written_in_its_row_from_left_to_right():
    (ax,) = token_boxes(GROUPS, "Two texts").axes
    rows: dict[float, list[tuple[float, str]]] = {}
    for text in ax.texts:
        rows.setdefault(round(text.get_position()[1], 3), []).append((text.get_position()[0], text.get_text()))
    written = [[text for _, text in sorted(row)] for _, row in sorted(rows.items())]
    assert written == [["BPE", "Vel", "·und", "⏎", "3"], ["Unigram", "V", "elunda", "2"], ["BPE", "one", "1"]]
    assert ax.yaxis_inverted()


def test_boxes_do_not_overlap_and_neighbors_differ_in_color():
    (ax,) = token_boxes([{"BPE": ["a", "bcdef", "g", "hi"]}], "One row").axes
    boxes = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    assert len(boxes) == 4
    for left, right in zip(boxes, boxes[1:], strict=False):
        assert left.get_x() + left.get_width() < right.get_x()
        assert left.get_edgecolor() != right.get_edgecolor()


def test_a_long_row_makes_the_figure_wider_instead_of_running_out_of_it():
    fig = token_boxes([{"BPE": ["letters"] * 20}], "Long")
    (ax,) = fig.axes
    last = ax.patches[-1]
    assert last.get_x() + last.get_width() < ax.get_xlim()[1]


def test_bytes_that_form_no_character_are_shown_as_such():
    assert shown(b"\xf0\x9f") == "�" and shown("a b") == "a·b"


@pytest.mark.parametrize("groups", [[], [{}], [{"BPE": ["a"]}, {}]])
def test_nothing_to_draw_is_one_sentence(groups):
    with pytest.raises(ValueError, match="at least one text with at least one segmentation"):
        token_boxes(groups, "Nothing")
