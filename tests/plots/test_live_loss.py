"""The live loss: drawn once where nothing redraws, redrawn and left once where something does."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pytest
import torch

from helpers.plots import LiveLoss, live_loss


@pytest.fixture(autouse=True)
def no_figure_is_left():
    plt.close("all")
    yield
    plt.close("all")


def curve():
    return plt.gcf().axes[0].lines[0]


def test_without_a_live_kernel_the_figure_is_drawn_once_at_the_end():
    with LiveLoss(3, "It falls", ylabel="loss (nats)", baseline=(1.0, "blind")) as live:
        for loss in (3.0, torch.tensor(2.0), 1.5):
            live.add(loss)
            assert not plt.get_fignums()
    assert live.losses == [3.0, 2.0, 1.5]
    assert len(plt.get_fignums()) == 1
    assert curve().get_ydata().tolist() == [3.0, 2.0, 1.5]
    ax = plt.gcf().axes[0]
    assert ax.get_ylabel() == "loss (nats)" and [text.get_text() for text in ax.texts] == ["blind"]


def test_a_loss_that_explodes_leaves_a_gap_and_no_error():
    with LiveLoss(4, "It breaks", log=True) as live:
        for loss in (1.0, math.inf, math.nan, 2.0):
            live.add(loss)
    assert [math.isfinite(y) for y in curve().get_ydata()] == [True, False, False, True]


def test_an_error_in_the_loop_is_not_swallowed_and_no_step_is_needed():
    with pytest.raises(KeyError):
        with LiveLoss(2, "It stops"):
            raise KeyError("x")


def test_a_live_figure_is_updated_in_place_and_not_shown_twice(monkeypatch):
    shown = []

    class Handle:
        def update(self, figure):
            shown.append(len(figure.axes[0].lines[0].get_ydata()))

    monkeypatch.setattr(live_loss, "in_kernel", lambda: True)
    monkeypatch.setenv("HANDS_ON_STATIC", "0")
    monkeypatch.setattr("IPython.display.display", lambda *_, **__: Handle())
    monkeypatch.setattr(live_loss, "REDRAW_SECONDS", -1)  # at every step
    with LiveLoss(2, "It falls") as live:
        live.add(2.0)
        live.add(1.0)
    assert shown == [1, 2, 2]
    assert not plt.get_fignums()
