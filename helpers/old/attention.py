"""What only lessons that wait for their rework use of attention: older positions, a window's mask, RoPE drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers.attention import distances, rope_frequencies


def sliding_window_mask(
    T: int, window: int, n_global: int = 0, S: int | None = None, device: torch.device | str | None = None
) -> Tensor:
    """Each query sees itself, the window − 1 positions before it, and the first `n_global` positions: (T, S) bool.

    Mistral's mask (Jiang et al., 2023), with n_global > 0 that of StreamingLLM (Xiao et al., 2024).
    """
    if window < 1 or n_global < 0:
        raise ValueError(f"A window holds at least 1 position and n_global is at least 0, not {window} and {n_global}.")
    apart = distances(T, S, device)  # (T, S), negative for the past
    is_global = torch.arange(apart.shape[1], device=device) < n_global
    return (apart <= 0) & ((apart > -window) | is_global)


def sinusoidal(T: int, d: int, base: float = 10_000.0, device: torch.device | str | None = None) -> Tensor:
    """A fixed vector for each position (Vaswani et al., 2017): (T, d), row t is sin(t·f₀), cos(t·f₀), sin(t·f₁), …"""
    positions = torch.arange(T, dtype=torch.float32, device=device)
    angles = positions[:, None] * rope_frequencies(d, base, device=device)  # (T, d/2)
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)  # (T, d), sine and cosine side by side


def alibi_slopes(n_heads: int) -> Tensor:
    """How fast each head forgets (Press et al., 2022): (n_heads,), 2^(−8/n), 2^(−16/n), … for a power of two.

    Otherwise the slopes of the next smaller power, then every other one of the next larger, as in the authors' code.
    """
    if n_heads < 1:
        raise ValueError(f"ALiBi needs at least one head, not {n_heads}.")

    def geometric(n: int) -> Tensor:
        return 2.0 ** (-8.0 / n * torch.arange(1, n + 1, dtype=torch.float32))

    power = 2 ** int(math.log2(n_heads))
    return torch.cat((geometric(power), geometric(2 * power)[0::2][: n_heads - power]))


def alibi_bias(n_heads: int, T: int, S: int | None = None, device: torch.device | str | None = None) -> Tensor:
    """What to add to the scores: −slope × distance, (n_heads, T, S), ahead of the query, too: mask what is not seen."""
    return -alibi_slopes(n_heads).to(device)[:, None, None] * distances(T, S, device).abs()  # (H, T, S)


def t5_buckets(distance: Tensor, bidirectional: bool, n_buckets: int = 32, max_distance: int = 128) -> Tensor:
    """The bucket of each distance (Raffel et al., 2020): one a distance when near, wider farther off, one beyond.

    distance: int64, key minus query  →  the same shape, 0 … n_buckets − 1. bidirectional: half of the buckets for keys
    ahead; otherwise those share bucket 0. Matches `T5Attention._relative_position_bucket` in transformers.
    """
    ahead = torch.zeros_like(distance)
    if bidirectional:
        n_buckets //= 2
        ahead = (distance > 0).long() * n_buckets
        distance = distance.abs()
    else:
        distance = (-distance).clamp(min=0)
    n_exact = n_buckets // 2
    growth = torch.log(distance.float().clamp(min=1) / n_exact) / math.log(max_distance / n_exact)
    wide = (n_exact + (growth * (n_buckets - n_exact)).long()).clamp(max=n_buckets - 1)
    return ahead + torch.where(distance < n_exact, distance, wide)


class T5RelativeBias(nn.Module):
    """A learned number for each head and bucket of distances, added to the scores: `bias(T, S)` -> (1, H, T, S)."""

    def __init__(self, n_heads: int, bidirectional: bool, n_buckets: int = 32, max_distance: int = 128) -> None:
        super().__init__()
        self.bidirectional, self.n_buckets, self.max_distance = bidirectional, n_buckets, max_distance
        self.by_bucket = nn.Embedding(n_buckets, n_heads)

    def forward(self, T: int, S: int | None = None) -> Tensor:
        apart = distances(T, S, self.by_bucket.weight.device)  # (T, S)
        buckets = t5_buckets(apart, self.bidirectional, self.n_buckets, self.max_distance)
        return self.by_bucket(buckets).permute(2, 0, 1).unsqueeze(0)  # (T, S, H) → (1, H, T, S)


def rotation_circles(cos: Any, sin: Any, pairs: Sequence[int], title: str) -> Any:
    """One circle for each of `pairs`: where RoPE turns the arrow (1, 0) at positions 0, 1, …, the rows of cos and sin.

    cos, sin: (T, head_dim/2). Where arrows stand close, only the first and the last bear their position.
    """
    import matplotlib.pyplot as plt

    from helpers.plots.figures import QUIET, figure

    turned = np.degrees(np.unwrap(np.arctan2(np.asarray(sin), np.asarray(cos)), axis=0))  # (T, head_dim/2)
    last, wide = len(turned) - 1, 2.8 * (len(pairs) - 1) + 1.4
    spread = ", ".join(f"over {turned[last, i]:.0f} degrees in pair {i}" for i in pairs)
    fig, ax = figure(title, size=(7, 2.9), alt=f"Circles with arrows for positions 0 to {last}, spread {spread}.")
    for n, i in enumerate(pairs):
        ax.add_patch(plt.Circle((2.8 * n, 0), 1, fill=False, color=QUIET, linewidth=0.8))
        for t, (x, y) in enumerate(zip(cos[:, i], sin[:, i], strict=True)):
            ax.annotate("", (2.8 * n + x, y), (2.8 * n, 0), arrowprops={"arrowstyle": "->", "color": "#0072b2"})
            if t in (0, last) or abs(turned[1, i]) > 10:
                ax.text(2.8 * n + 1.15 * x, 1.15 * y, str(t), ha="center", va="center", fontsize=8)
        ax.text(2.8 * n, -1.5, f"pair {i}, positions 0 to {last}", ha="center")
    ax.set_axis_off()
    ax.set(xlim=(-1.4, wide), ylim=(-1.7, 1.3), aspect="equal")
    return fig
