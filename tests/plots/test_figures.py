"""Figures can be read in every theme and with every eye, are small files, and never let labels run into each other."""

from __future__ import annotations

import io
import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from helpers.plots import (
    PALETTE,
    bars,
    contrast,
    figure,
    intervals,
    label_lines,
    png,
    readable,
    spread,
    use_style,
)
from helpers.plots import figures as plots
from helpers.plots.figures import CARD, INK


@pytest.fixture(autouse=True)
def clean_figures():
    with mpl.rc_context():
        yield
    plt.close("all")


def boxes(fig, texts):
    fig.canvas.draw()
    return [text.get_window_extent() for text in texts]


def overlapping(fig, texts):
    extents = boxes(fig, texts)
    return [
        (a.get_text(), b.get_text())
        for i, a in enumerate(texts) for j, b in enumerate(texts) if i < j and extents[i].overlaps(extents[j])
    ]  # fmt: skip


def outside(fig, texts):
    return [t.get_text() for t, box in zip(texts, boxes(fig, texts), strict=True) if not _within(box, fig.bbox)]


def _within(box, frame):
    return frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1


def test_contrast_is_wcags():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the well-known gray that just fails
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")


def test_text_can_be_read_on_the_card():
    use_style()
    for key in ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.titlecolor"):
        assert contrast(mpl.rcParams[key], mpl.rcParams["axes.facecolor"]) >= 4.5


def test_every_palette_color_stands_out_from_the_card():
    for name, color in PALETTE.items():
        assert contrast(color, CARD) >= 3, name


def seen_with(color: str, deficiency: str) -> np.ndarray:
    """The color as somebody without one kind of cone sees it, in CIELAB (Machado, Oliveira, Fernandes 2009)."""
    matrices = {
        "none": np.eye(3),
        "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    }
    rgb = np.array(mpl.colors.to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(matrices[deficiency]) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    f = np.cbrt(xyz / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("deficiency", ["none", "protan", "deutan", "tritan"])
def test_no_two_colors_of_the_palette_are_near_for_any_eye(deficiency):
    seen = {name: seen_with(color, deficiency) for name, color in PALETTE.items()}
    for first, second in itertools.combinations(seen, 2):
        # A just noticeable difference is about 2.3; thin lines need several times that.
        assert np.linalg.norm(seen[first] - seen[second]) > 12, (first, second)


def test_a_color_used_for_text_is_darkened_only_as_far_as_needed():
    for color in PALETTE.values():
        text = readable(color)
        assert contrast(text, CARD) >= 4.5
        assert (text == color) == (contrast(color, CARD) >= 4.5)
    assert readable("#ffff00") != INK and contrast(readable("#ffff00"), CARD) < 6
    assert readable("white") == "#737373"


def test_a_figure_has_its_own_opaque_ground_so_that_no_theme_shows_through():
    use_style()
    fig, _ = figure("A finding", "step", "loss (nats)")
    saved = io.BytesIO()
    fig.savefig(saved, format="png")
    pixels = np.asarray(Image.open(saved).convert("RGBA"))
    assert (pixels[..., 3] == 255).all()
    assert tuple(pixels[0, 0, :3]) == tuple(round(255 * c) for c in mpl.colors.to_rgb(CARD))


def test_the_title_starts_at_the_left_edge_and_a_long_one_is_wrapped():
    short, _ = figure("Short")
    long, _ = figure("A finding that needs rather more words than fit into one line of a figure as wide as this one")
    for fig, lines in ((short, 1), (long, 2)):
        (box,) = boxes(fig, [fig._suptitle])
        assert box.x0 < 0.03 * fig.bbox.width and box.x1 < fig.bbox.width
        assert len(fig._suptitle.get_text().splitlines()) == lines


def crowded(names=("ours", "PyTorch", "n-gram", "LSTM"), ends=(1.50, 1.51, 2.4, 1.55)):
    rng = np.random.default_rng(0)
    fig, ax = figure("Four losses", "step", "loss (nats)")
    for name, end in zip(names, ends, strict=True):
        ax.plot(end + 2 * np.exp(-np.arange(300) / 40) + 0.03 * rng.normal(size=300), label=name)
    label_lines(ax)
    return fig, ax


def test_labels_of_lines_that_meet_stand_in_the_order_in_which_the_lines_arrive():
    _, ax = figure("Three ranks", "layer", "rank")
    for name, before in {"last": 900, "first": 3, "middle": 40}.items():
        ax.semilogy([10_000, before, 1], label=name)
    ax.invert_yaxis()
    label_lines(ax)
    heights = {note.get_text(): note.get_position()[1] for note in ax.texts}
    assert heights["first"] > heights["middle"] > heights["last"]


def test_a_busy_figure_is_a_small_file():
    use_style()
    fig, _ = crowded()
    saved = io.BytesIO()
    fig.savefig(saved, format="png")
    assert len(saved.getvalue()) < 80_000
    assert len(png(fig)) < 30_000


def test_lines_are_labeled_in_their_colors_without_touching_each_other_or_the_edge():
    fig, ax = crowded()
    labels = {text.get_text(): text for text in ax.texts}
    assert list(labels) == ["ours", "PyTorch", "n-gram", "LSTM"]
    for line in ax.get_lines():
        assert labels[line.get_label()].get_color() == readable(line.get_color())
    assert overlapping(fig, ax.texts) == []
    assert outside(fig, ax.texts) == []
    heights = {name: boxes(fig, [text])[0].y0 for name, text in labels.items()}
    ends = {line.get_label(): line.get_ydata()[-1] for line in ax.get_lines()}
    assert sorted(heights, key=heights.get) == sorted(ends, key=ends.get)


def test_labels_stay_apart_where_a_long_title_and_tick_labels_squeeze_the_axes():
    fig, ax = figure("A finding that takes all of two lines in a figure as narrow as this", "steps", size=(4.5, 2.2))
    for end in range(9):
        ax.plot([0, 1], [0, end], label=f"line {end}")
    label_lines(ax)
    assert overlapping(fig, ax.texts) == []


def test_given_labels_replace_the_lines_own_and_unlabeled_lines_get_none():
    _, ax = figure("Labels")
    ax.plot([1, 2])
    label_lines(ax)
    assert not ax.texts
    label_lines(ax, ["mine"])
    assert [text.get_text() for text in ax.texts] == ["mine"]


@pytest.mark.parametrize(
    ("positions", "gap", "expected"),
    [
        ([], 3, []), ([5.0], 3, [5.0]), ([0, 1, 10], 3, [-1.0, 2.0, 10.0]), ([10, 1, 0], 3, [10.0, 2.0, -1.0]),
        ([0, 0, 0], 1, [-1.0, 0.0, 1.0]), ([0, 10, 20], 3, [0.0, 10.0, 20.0]),
        ([0, 3, 3.5], 3, [-0.8333, 2.1667, 5.1667]),
    ],
)  # fmt: skip
def test_spread_moves_labels_as_little_as_it_can(positions, gap, expected):
    assert spread(positions, gap) == pytest.approx(expected, abs=1e-3)


def test_bars_write_each_value_at_its_end_and_stand_in_reading_order():
    fig, ax = figure("Memory", "MB")
    bars(ax, ["fp32", "bf16", "int8"], [538, 269, 135], fmt="{:.0f} MB", colors=["muted", "main", "#007f5f"])
    assert [text.get_text() for text in ax.texts] == ["538 MB", "269 MB", "135 MB"]
    assert [patch.get_width() for patch in ax.patches] == [538, 269, 135]
    assert mpl.colors.to_hex(ax.patches[0].get_facecolor()) == PALETTE["muted"]
    tops = [box.y0 for box in boxes(fig, ax.get_yticklabels())]
    assert tops == sorted(tops, reverse=True)
    assert outside(fig, ax.texts) == []
    assert max(ax.get_xticks()) <= 538 * 1.03


def test_ticks_count_in_percent_where_the_values_do():
    for draw in (bars, intervals):
        for fmt, low in (("{:.0%}", "20%"), ("{:.2f}", "0.2")):
            fig, ax = figure("Shares")
            draw(ax, ["a", "b"], [0.0, 0.75], [(0.0, 0.2), (0.7, 0.8)], fmt)
            fig.draw_without_rendering()
            assert low in [label.get_text() for label in ax.get_xticklabels()], (draw, fmt)


def test_intervals_are_drawn_and_written():
    fig, ax = figure("Accuracy", "%")
    bars(ax, ["direct", "step by step"], [94, 28], intervals=[(80, 98), (16, 46)], fmt="{:.0f}")
    assert [text.get_text() for text in ax.texts] == ["94  (80 – 98)", "28  (16 – 46)"]
    (segments,) = [c for c in ax.collections if hasattr(c, "get_segments")]
    assert [[x for x, _ in segment] for segment in segments.get_segments()] == [[80, 98], [16, 46]]
    assert outside(fig, ax.texts) == []


def test_bars_refuse_what_does_not_match():
    _, ax = figure("Wrong")
    with pytest.raises(ValueError, match="1 labels for 2 values"):
        bars(ax, ["a"], [1, 2])
    with pytest.raises(ValueError, match="does not contain its value"):
        bars(ax, ["a"], [5], intervals=[(6, 7)])


def test_interval_points_stand_between_their_ends():
    fig, ax = figure("nDCG", "nDCG@10")
    plots.intervals(ax, ["dense", "fusion"], [0.27, 0.37], [(0.25, 0.30), (0.35, 0.40)], reference=0.2)
    assert [text.get_text() for text in ax.texts] == ["0.27", "0.37"]
    assert overlapping(fig, ax.texts) == [] and outside(fig, ax.texts) == []
    with pytest.raises(ValueError, match="2 labels for 1 estimates"):
        plots.intervals(ax, ["a", "b"], [1], [(0, 2)])


def test_names_beside_points_cover_neither_points_nor_each_other():
    from matplotlib.transforms import Bbox

    from helpers.old.speed import roofline

    near = {"one": (1.0, 2.0, 3.0), "its twin": (1.0, 2.1, 3.0), "above": (1.0, 2.0, 4.0), "far": (1.0, 40.0, 5.0)}
    fig, ax = figure("Points", "x", "y", size=(7, 4))
    roofline(ax, 30.0, 400.0, near)
    names = [text.get_window_extent() for text in ax.texts if text.get_text() in near]
    dots = [ax.transData.transform((ops / read, ops * rate / 1e9)) for read, ops, rate in near.values()]
    dots = [Bbox.from_bounds(x - 3, y - 3, 6, 6) for x, y in dots]
    assert len(names) == len(dots) == 4
    assert not any(name.overlaps(other) for i, name in enumerate(names) for other in dots + names[:i])
    plt.close(fig)
