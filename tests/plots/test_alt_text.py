"""A figure in words says what was drawn: the numbers, the shape of a curve, the author's own words instead."""

from __future__ import annotations

import math
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from helpers.old.attention import draw_head, head_browser, head_grid
from helpers.old.generation import odds_grid
from helpers.plots import LiveLoss, bars, figure, figures, grids, intervals, label_lines, timeline
from helpers.old.plots.alt_text import describe, tell
from helpers.old.retrieval import corpus_map
from helpers.old.speed import roofline


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")


def drawn(*curves, **labels):
    """What is said of curves over 0, 1, 2 …"""
    fig, ax = figure("A title", "step", "loss (nats)")
    for y in curves:
        ax.plot(y)
    for name, y in labels.items():
        ax.plot(y, label=name)
    return describe(fig)


def test_an_authors_own_words_replace_everything():
    fig, ax = figure("A title", alt="Two  dots\nin a row.")
    ax.plot([1, 2])
    assert describe(fig) == "Two dots in a row."
    fig.alt = "One dot."
    assert describe(fig) == "One dot."


def test_title_axes_and_their_reach_are_said():
    assert drawn(GPT=[4.0, 2.0, 1.5]) == "A title. Lines of loss (nats) over step at 0, 1, 2. GPT: 4, 2, 1.5."


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        ([3.0, 3.0, 3.0], "stays at 3"),
        ([3.0, 3.01, 3.0], "stays near 3"),
        ([1.0, 5.0, 9.0], "rises from 1 to 9"),
        ([1.0, 9.0, 2.0], "rises from 1 to 9 at 1, then falls to 2"),
        ([9.0, 1.0, 5.0], "falls from 9 to 1 at 1, then rises to 5"),
        ([5.0, 9.0, 1.0, 5.5], "goes up and down between 1 and 9, from 5 to 5.5"),
        ([math.nan, 4.0, math.inf, 2.0], "falls from 4 to 2"),
        ([math.nan, math.nan], "has no finite value"),
        ([7.0, 7.1, 7.0, -6.0, -6.1, -6.0], "falls from 7 to -6, most of it between 2 and 3"),
        ([9.0, 8.6, 8.9, 6.0, 6.3, 3.2, 1.0, 1.4], "falls from 9 to 1.4"),  # jitter is neither peak nor dip
    ],
)
def test_the_course_of_a_curve(curve, words):
    longer = [0.0] * 9  # the two have not the same few places, so that no values are read out
    assert f". a line {words}; a line stays at 0." in drawn(curve, longer)


def test_a_few_points_are_read_out_one_by_one():
    assert drawn([4.0, math.nan, 1.5]).endswith("over step at 0, 1, 2. the line: 4, none, 1.5.")
    assert drawn(one=[4.0, 2.0], two=[1.0, 3.0]).endswith("over step at 0, 1. one: 4, 2; two: 1, 3.")
    assert drawn(one=[4.0, 2.0], two=[1.0, 3.0, 5.0]).endswith(
        "from 0 to 2. one: falls from 4 to 2; two: rises from 1 to 5."
    )


def test_on_a_logarithmic_axis_a_dip_is_measured_in_powers():
    fig, ax = figure("Rounding", "step", "error")
    ax.loglog([1e-9, 1e-8, 1e-7, 1e-5, 1e-3, 1e-1, 1], [1e-3, 1e-4, 1e-5, 1e-8, 1e-7, 1e-4, 1e-2], label="fp64")
    assert "(logarithmic across and upwards)" in describe(fig)
    assert "fp64: falls from 0.001 to 1e-08 at 1e-05, then rises to 0.01" in describe(fig)


def test_names_of_lines_written_at_their_ends_are_not_said_twice():
    fig, ax = figure("Two", "x", "y")
    ax.plot([1, 2], label="first")
    ax.plot([2, 4], label="second")
    label_lines(ax)
    assert describe(fig).count("first") == 1 and "Written" not in describe(fig)
    ax.annotate("here", (0, 1))
    ax.annotate("there", (1, 0.5), xycoords=("axes fraction", "data"))
    assert describe(fig).endswith("Written beside: here at 0, 1; there.")


def test_reference_lines_have_a_direction_and_a_place():
    fig, ax = figure("A title", "x", "y")
    ax.axhline(0.5, linestyle="--")
    ax.axvline(3)
    assert describe(fig) == "A title. A dashed horizontal line at 0.5. A vertical line at 3."


def test_labels_of_ticks_name_the_places():
    fig, ax = figure("A title", "vocabulary", "bits")
    ax.plot([1024, 2048, 4096], [3, 9, 1], label="long")
    ax.set_xticks([1024, 2048, 4096], ["1k", "2k", "4k"])
    assert "at 1k, 2k, 4k. long: 3, 9, 1" in describe(fig)
    ax.plot([1024, 4096], [1, 2], label="short")
    assert "from 1k to 4k" in describe(fig) and "to 9 at 2k" in describe(fig)


def test_bars_say_what_is_written_at_their_ends():
    fig, ax = figure("Memory", "MB")
    bars(ax, ["fp32", "bf16"], [538, 269], [(500, 600), (250, 300)], fmt="{:.0f}")
    assert describe(fig) == "Memory. Bars, MB: fp32 538 (500 – 600); bf16 269 (250 – 300)."


def test_intervals_and_what_is_drawn_onto_them_later():
    fig, ax = figure("Recall", "share")
    intervals(ax, ["BM25", "dense"], [0.5, 0.2], [(0.4, 0.6), (0.1, 0.3)], fmt="{:.0%}", reference=0.25)
    assert describe(fig) == (
        "Recall. Points with intervals, share: BM25 50% (40% – 60%); dense 20% (10% – 30%). A dashed line at 25%."
    )
    ax.plot([0.35, 0.36], [0, 1], "x", label="guessing")
    assert describe(fig).endswith("guessing, share: BM25 0.35; dense 0.36.")


def test_points_of_one_color_have_one_name_and_the_names_of_their_rows():
    fig, ax = figure("Fields", "share")
    for row in (0, 1):
        ax.errorbar(0.3 + row / 10, row - 0.1, xerr=[[0.1], [0.1]], fmt="o", color="r", label=None if row else "before")
        ax.errorbar(0.8 + row / 10, row + 0.1, xerr=[[0.1], [0.1]], fmt="o", color="b", label=None if row else "after")
    ax.set_yticks([0, 1], ["product", "urgency"])
    assert describe(fig) == ("Fields. before, share: product 0.3; urgency 0.4. after, share: product 0.8; urgency 0.9.")


def test_the_points_of_a_curve_have_its_name():
    fig, ax = figure("Seeds", "size", "loss")
    (line,) = ax.plot([1, 2], [5, 4], label="long training")
    ax.plot([1, 1, 2, 2], [4.9, 5.1, 3.9, 4.1], ".", color=line.get_color())
    assert describe(fig).endswith("long training: 4 points, size 1 to 2, loss 3.9 to 5.1.")


def test_a_cloud_is_counted_and_bounded():
    fig, ax = figure("A title", "count", "score")
    ax.plot([1, 2, 3, 4], [5, 9, 7, 8], ".", label="pairs")
    assert describe(fig) == "A title. pairs: 4 points, count 1 to 4, score 5 to 9."


@pytest.mark.parametrize("way", ["imshow", "pcolormesh"])
def test_a_map_says_where_each_row_is_largest(way):
    fig, ax = figure("Where it looks", "read", "written")
    image = getattr(ax, way)(np.array([[0.1, 0.9], [0.7, 0.3]]))
    shift = 0.5 * (way == "pcolormesh")
    ax.set_xticks([shift, 1 + shift], ["eins", "zwei"])
    ax.set_yticks([shift, 1 + shift], ["2", "1"])
    fig.colorbar(image, label="weight")
    assert describe(fig) == (
        "Where it looks. A map of 2 rows (written) by 2 columns (read), weight from 0.1 to 0.9; "
        "the largest in each row: 2: 0.9 at zwei; 1: 0.7 at eins."
    )


def test_a_map_with_two_signs_says_where_each_row_changes():
    fig, ax = figure("Which answer", "layer")
    ax.imshow(np.array([[1.0, 2.0, 2.0], [-1.0, -2.0, 3.0], [-1.0, -1.0, -1.0]]))
    ax.set_xticks([0, 1, 2], ["first", "second", "third"])
    ax.set_yticks([0, 1, 2], ["The", "France", "is"])
    assert describe(fig) == (
        "Which answer. A map, shade, -2 to 3, row by row: The: above 0 throughout; "
        "France: below 0 from first, above 0 from third; is: below 0 throughout."
    )


def test_long_lists_are_cut():
    fig, ax = figure("Many", "x")
    for i in range(40):
        ax.plot([0, 1], [i, i + 1], label=f"line {i}")
    assert describe(fig).endswith("and 26 more.")


def test_small_tables_are_read_out_and_large_ones_summed_up():
    said = describe(grids({"x": torch.arange(4).view(2, 2), "mask": np.tril(np.ones((6, 6)))}, "Two tables"))
    assert "x: rows: 0, 1; 2, 3." in said
    assert "mask: a table of 6 by 6 numbers, from 0 to 1, 0 above the diagonal." in said
    hidden = np.where(np.tri(6) > 0, 2.0, np.nan)
    assert "numbers, from 2 to 2, empty above the diagonal." in describe(grids({"m": hidden}, "One"))
    full = np.arange(36).reshape(6, 6)
    assert "numbers, from 0 to 35." in describe(grids({"m": full}, "One"))
    assert describe(grids({"m": full}, "One", alt="Six by six.")) == "Six by six."


def test_a_timeline_is_read_in_order():
    said = describe(timeline([(2018.8, "BERT", "Devlin"), (1948, "n-grams", "Shannon")], title="History"))
    assert said == "History. A timeline: 1948 n-grams; 2018 BERT."


def test_the_loss_and_what_is_held_out_are_told_apart():
    with LiveLoss(3, "It falls", ylabel="loss (nats)", baseline=(1.0, "blind")) as live:
        for loss in (3.0, 2.0, 1.5):
            live.add(loss)
        live.mark(1, 2.9)
        live.mark(3, 2.2)
    said = describe(plt.gcf())
    assert "the loss: falls from 3 to 1.5; held out: falls from 2.9 to 2.2" in said
    assert "A dashed horizontal line at 1." in said and "blind" in said
    with LiveLoss(1, "It falls", alt="A curve that falls."):
        pass
    assert describe(plt.gcf()) == "A curve that falls."


def test_heads_say_whom_they_look_at():
    tokens = list("abcdefghij")
    before = torch.eye(10).roll(1, 0)
    before[0] = torch.eye(10)[0]
    weights = torch.stack([torch.eye(10), before])[None]
    said = describe(head_grid(weights, tokens, {"itself": (0, 0), "before": (0, 1)}, "Two heads"))
    assert "itself layer 0, head 0: On average a token gives 100% to its own token, 0% to the token before" in said
    assert "before layer 0, head 1: On average a token gives 0% to its own token, 100% to the token before" in said
    fig, ax = figure("One head")
    draw_head(ax, weights[0, 1, :3, :3], ["the", "brake", "squeaks"])
    assert "the at the, 100%; brake at the, 100%; squeaks at brake, 100%" in describe(fig)


def test_odds_are_read_out_with_what_is_out():
    logits = torch.full((1, 20), -math.inf)
    logits[0, :2] = torch.tensor([3.0, 3.0 + math.log(3)])
    settings = {"as it is": lambda z: z.softmax(-1), "other": lambda z: torch.eye(20)[:1]}
    said = describe(odds_grid(logits, lambda i: f"t{i}", settings, "Odds"))
    assert "as it is: t1 75%; t0 25%; t" in said and "other: t1 out; t0 100%; t" in said
    assert "others 0%; 2 tokens left" in said


def test_a_roofline_says_how_near_the_roof_each_point_is():
    fig, ax = figure("Roof", "operations for each byte", "billion operations a second")
    roofline(ax, bandwidth=1e10, peak=1e12, points={"slow": (1e9, 1e9, 1.0), "fast": (1e9, 1e9, 5.0)})
    assert "slow 10%; fast 50%" in describe(fig)


def test_a_corpus_map_counts_kinds_and_names_what_was_found():
    fig, ax = figure("Map")
    vectors = np.random.default_rng(0).normal(size=(5, 4))
    corpus_map(ax, vectors, vectors[0], [4, 1], ["form", "form", "form", "policy", "policy"])
    assert "5 chunks" in describe(fig) and "(form 3, policy 2)" in describe(fig)
    assert "1 policy; 2 form" in describe(fig)


def test_what_is_told_is_said_once_and_later_drawings_are_added():
    fig, ax = figure("Told")
    ax.plot([0, 1])
    tell(ax, "A ramp")
    ax.axhline(2)
    tell_less = describe(fig)
    assert tell_less == "Told. A ramp. A horizontal line at 2."


def test_a_notebook_stores_the_text_beside_the_picture(monkeypatch):
    made = {}
    formatters = {
        kind: SimpleNamespace(for_type=lambda cls, way, kind=kind: made.update({kind: way}))
        for kind in ("image/png", "text/html")
    }
    monkeypatch.setattr(figures, "in_kernel", lambda: True)
    monkeypatch.setattr("matplotlib_inline.backend_inline.set_matplotlib_formats", lambda *_, **__: None)
    shell = SimpleNamespace(display_formatter=SimpleNamespace(formatters=formatters))
    monkeypatch.setattr(figures, "shell", lambda: shell)
    with plt.rc_context():
        figures.use_style()
    fig, ax = figure('"A" < B', "x")
    ax.plot([0, 1])
    data, metadata = made["image/png"](fig)
    assert data.startswith(b"\x89PNG") and metadata == {"alt": describe(fig)}
    monkeypatch.setenv("HANDS_ON_STATIC", "0")
    assert made["text/html"](fig).startswith('<img alt="&quot;A&quot; &lt; B. ')
    monkeypatch.setenv("HANDS_ON_STATIC", "1")
    assert made["text/html"](fig) is None  # or a stored notebook would hold each figure twice


def test_a_browser_stores_its_alt_text_beside_the_picture(monkeypatch):
    shown = {}
    monkeypatch.setattr("helpers.old.attention.plots.widgets_live", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda data, **more: shown.update(more, data=data))
    head_browser(torch.eye(3)[None, None], ["a", "b", "c"], {"itself": (0, 0)}, "One head")
    assert shown["metadata"]["image/png"]["alt"].startswith(
        "One head. itself layer 0, head 0: Whom each token looks at"
    )
    assert "image/png" in shown["data"]
