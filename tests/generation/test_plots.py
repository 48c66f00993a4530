"""Odds and reliability drawn: what is written on the figures is what the numbers say."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from helpers.generation import min_p, sample, temperature, top_p
from helpers.old.generation import build_browser, odds_browser, odds_grid, reliability_diagram
from helpers.old.generation import plots as decoding_plots
from helpers.plots import figure

LOGITS = torch.linspace(3, -3, 40)[None]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def odds(logits, t=1.0, p=1.0, m=0.0):
    return sample(temperature(t), top_p(p), min_p(m)).probabilities(logits)


def texts(ax) -> list[str]:
    return [note.get_text() for note in ax.texts]


def test_a_panel_names_the_likeliest_tokens_and_says_how_many_are_left():
    fig = odds_grid(LOGITS, lambda i: f" t{i}", {"as is": odds, "cut": lambda x: odds(x, m=0.6)}, "Title")
    left, right = fig.axes
    assert [label.get_text() for label in left.get_yticklabels()] == [f"·t{i}" for i in range(12)]
    assert texts(left)[0] == f"{float(odds(LOGITS)[0, 0]):.0%}" and "40 tokens left" in left.get_xlabel()
    kept = int((odds(LOGITS, m=0.6) > 0).sum())
    assert f"{kept} tokens left" in right.get_xlabel() and texts(right).count("out") == 12 - kept
    assert "others 0%" in right.get_xlabel()


@pytest.mark.parametrize("count", [1, 5])
def test_a_grid_of_one_or_five_settings_is_refused(count):
    with pytest.raises(ValueError, match="two to four settings"):
        odds_grid(LOGITS, str, {str(i): odds for i in range(count)}, "Title")


def test_sliders_redraw_the_odds():
    box = build_browser(LOGITS, str, odds)
    *sliders, picture = box.children
    assert [slider.description for slider in sliders] == ["temperature", "top_p", "min_p"]
    before = bytes(picture.value)
    sliders[0].value = 0.5
    assert bytes(picture.value) != before and bytes(picture.value).startswith(b"\x89PNG")


def test_the_ends_of_every_slider_can_be_drawn():
    *sliders, picture = build_browser(LOGITS, str, odds).children
    for slider in sliders:
        for end in (slider.min, slider.max):
            slider.value = end
            assert bytes(picture.value).startswith(b"\x89PNG")


def test_without_live_widgets_the_browser_is_the_figure():
    odds_browser(LOGITS, str, odds, {"a": odds, "b": odds}, "Title")
    assert len(plt.get_fignums()) == 1


def test_with_live_widgets_the_figure_is_stored_beside_the_sliders(monkeypatch):
    shown = []
    monkeypatch.setattr(decoding_plots, "widgets_live", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda data, metadata, raw: shown.append((data, raw)))
    odds_browser(LOGITS, str, odds, {"a": odds, "b": odds}, "Title")
    ((data, raw),) = shown
    assert raw and data["image/png"].startswith(b"\x89PNG") and "application/vnd.jupyter.widget-view+json" in data
    assert not plt.get_fignums()


def test_a_reliability_diagram_has_the_bins_as_points_and_one_diagonal():
    sure = np.array([0.15, 0.15, 0.85, 0.85])
    _, ax = figure("Title")
    reliability_diagram(ax, sure, [True, False, True, True], "one")
    reliability_diagram(ax, sure, [False, False, True, False], "two")
    diagonal, one, two = ax.get_lines()
    assert diagonal.get_label() == "_perfect"
    assert one.get_xydata() == pytest.approx(np.array([[15, 50], [85, 100]]))
    assert two.get_xydata() == pytest.approx(np.array([[15, 0], [85, 50]]))
    assert texts(ax) == ["one", "two"]
