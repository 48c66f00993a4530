"""Pictures of attention: one panel a head, tiles where the weights are, and sliders that redraw."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from helpers.old.attention import build_browser, draw_head, head_browser, head_grid, rotation_circles
from helpers.old.attention import plots as attention_plots
from helpers.plots import figure, png

TOKENS = ["The", " bike", " is", "\n"]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def weights() -> torch.Tensor:
    made = torch.zeros(2, 3, 4, 4)
    made[:] = torch.eye(4)
    made[1, 2] = torch.eye(4).flip(1)
    return made


def test_a_grid_has_a_captioned_panel_for_each_head(weights):
    fig = head_grid(weights, TOKENS, {"itself": (0, 0), "backwards": (1, 2), "x": (0, 1), "y": (1, 0)}, "Heads")
    shown = [ax for ax in fig.axes if ax.axison]
    assert [ax.get_title() for ax in shown[:2]] == ["itself\nlayer 0, head 0", "backwards\nlayer 1, head 2"]
    assert len(shown) == 4 and fig.get_suptitle() == "Heads"
    assert len(png(fig)) < 80_000


def test_rows_are_queries_from_top_to_bottom_and_spaces_can_be_seen():
    _, ax = figure("")
    weights = torch.zeros(4, 4)
    weights[0, 3] = 1  # the first query looks at the last key
    draw_head(ax, weights, TOKENS)
    tiles = np.asarray(ax.collections[0].get_array()).reshape(4, 4)
    assert tiles[0, 3] == 1 and tiles.sum() == 1
    assert ax.get_ylim() == (4, 0) and ax.get_xlim() == (0, 4)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["The", "·bike", "·is", "↵"]


def test_bfloat16_weights_that_carry_gradients_are_drawn(weights):
    head_grid(weights.bfloat16().requires_grad_(), TOKENS, {"x": (0, 0)}, "x")


@pytest.mark.parametrize(
    ("shape", "n_tokens", "said"),
    [
        ((2, 3, 4, 4), 5, "5 tokens need weights of shape"),
        ((3, 4, 4), 4, "4 tokens need"),
        ((1, 1, 30, 30), 30, "room"),
    ],
)
def test_weights_that_do_not_fit_the_tokens_are_refused(shape, n_tokens, said):
    with pytest.raises(ValueError, match=said):
        head_grid(torch.zeros(shape), ["a"] * n_tokens, {"x": (0, 0)}, "x")


def test_no_head_is_refused(weights):
    with pytest.raises(ValueError, match="at least one head"):
        head_grid(weights, TOKENS, {}, "x")


def test_a_slider_redraws_the_head_that_it_names(weights):
    pytest.importorskip("ipywidgets")
    layer, head, picture = build_browser(weights, TOKENS, layer=0, head=2).children
    before = Image.open(io.BytesIO(picture.value)).tobytes()
    assert (layer.max, head.max) == (1, 2)
    layer.value = 1
    after = Image.open(io.BytesIO(picture.value)).tobytes()
    assert before != after
    layer.value = 0
    assert Image.open(io.BytesIO(picture.value)).tobytes() == before
    assert not plt.get_fignums()  # nothing that a notebook would show a second time


def test_where_no_widget_can_live_the_browser_is_the_grid(weights):
    head_browser(weights, TOKENS, {"itself": (0, 0)}, "Heads")
    assert len(plt.get_fignums()) == 1 and plt.gcf().get_suptitle() == "Heads"


def test_with_widgets_the_grid_is_kept_beside_them(weights, monkeypatch):
    pytest.importorskip("ipywidgets")
    kept = []
    monkeypatch.setattr(attention_plots, "widgets_live", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda data, metadata, raw: kept.append(data))
    head_browser(weights, TOKENS, {"itself": (0, 0)}, "Heads")
    assert {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"} <= set(kept[0])
    assert not plt.get_fignums()


def test_a_circle_for_each_pair_says_how_far_it_turned():
    angles = torch.arange(6)[:, None] * torch.tensor([1.5, 0.5, 0.01])
    fig = rotation_circles(angles.cos(), angles.sin(), (0, 2), "Pair 0 turns fast")
    (ax,) = fig.axes
    assert "over 430 degrees in pair 0, over 3 degrees in pair 2" in fig.alt  # more than a full turn is counted
    written = [text.get_text() for text in ax.texts if text.get_text()]
    assert [text for text in written if len(text) == 1] == ["0", "1", "2", "3", "4", "5", "0", "5"]
