"""RoPE's circles."""

from __future__ import annotations

import matplotlib.pyplot as plt
import torch

from helpers.old.attention import rotation_circles


def test_a_circle_for_each_pair_says_how_far_it_turned():
    angles = torch.arange(6)[:, None] * torch.tensor([1.5, 0.5, 0.01])
    fig = rotation_circles(angles.cos(), angles.sin(), (0, 2), "Pair 0 turns fast")
    (ax,) = fig.axes
    assert "over 430 degrees in pair 0, over 3 degrees in pair 2" in fig.alt  # more than a full turn is counted
    written = [text.get_text() for text in ax.texts if text.get_text()]
    assert [text for text in written if len(text) == 1] == ["0", "1", "2", "3", "4", "5", "0", "5"]
    plt.close(fig)
