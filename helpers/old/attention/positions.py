"""Three older ways to say where a token stands, and the mask of a sliding window.

| scheme     | what it does                                      | functions                      |
|------------|---------------------------------------------------|--------------------------------|
| sinusoidal | adds a fixed vector to the embedding              | `sinusoidal`                   |
| ALiBi      | subtracts a multiple of the distance from scores  | `alibi_slopes`, `alibi_bias`   |
| T5         | adds a learned number for each distance to scores | `t5_buckets`, `T5RelativeBias` |

Vaswani et al., 2017; Press et al., 2022; Raffel et al., 2020. RoPE is in `helpers.attention`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from helpers.attention import distances, rope_frequencies


def sliding_window_mask(
    T: int, window: int, n_global: int = 0, S: int | None = None, device: torch.device | str | None = None
) -> Tensor:
    """Each query sees itself, the window − 1 positions before it, and the first `n_global` positions of the text.

    (T, S) bool. Mistral's mask (Jiang et al., 2023), with n_global > 0 that of StreamingLLM (Xiao et al., 2024).
    Raises ValueError for a window below 1 or a negative `n_global`.
    """
    if window < 1 or n_global < 0:
        raise ValueError(f"A window holds at least 1 position and n_global is at least 0, not {window} and {n_global}.")
    apart = distances(T, S, device)  # (T, S), negative for the past
    is_global = torch.arange(apart.shape[1], device=device) < n_global
    return (apart <= 0) & ((apart > -window) | is_global)


def sinusoidal(T: int, d: int, base: float = 10_000.0, device: torch.device | str | None = None) -> Tensor:
    """A fixed vector for each position: pairs of sine and cosine, from fast waves to slow ones.

    (T, d) float32, where row t holds sin(t·f₀), cos(t·f₀), sin(t·f₁), …  Raises ValueError for an odd `d`.
    """
    positions = torch.arange(T, dtype=torch.float32, device=device)
    angles = positions[:, None] * rope_frequencies(d, base, device=device)  # (T, d/2)
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)  # (T, d), sine and cosine side by side


def alibi_slopes(n_heads: int) -> Tensor:
    """How fast each head forgets: (n_heads,) float32, 2^(−8/n), 2^(−16/n), … for a power of two.

    For other numbers of heads, the slopes of the next smaller power of two, then every other one of the next larger
    one, as in the authors' code. Raises ValueError below one head.
    """
    if n_heads < 1:
        raise ValueError(f"ALiBi needs at least one head, not {n_heads}.")

    def geometric(n: int) -> Tensor:
        return 2.0 ** (-8.0 / n * torch.arange(1, n + 1, dtype=torch.float32))

    power = 2 ** int(math.log2(n_heads))
    return torch.cat((geometric(power), geometric(2 * power)[0::2][: n_heads - power]))


def alibi_bias(n_heads: int, T: int, S: int | None = None, device: torch.device | str | None = None) -> Tensor:
    """What to add to the scores: −slope × distance, for each head.

    (n_heads, T, S) float32 for T queries, the last of S keys (S = T by default); add it before the softmax. Keys
    ahead of the query get the same penalty, so mask them where they may not be seen.
    """
    return -alibi_slopes(n_heads).to(device)[:, None, None] * distances(T, S, device).abs()  # (H, T, S)


def t5_buckets(distance: Tensor, bidirectional: bool, n_buckets: int = 32, max_distance: int = 128) -> Tensor:
    """The bucket of each distance: one a distance when near, logarithmically wider farther off, one beyond.

    distance: int64 of any shape, key minus query  →  the same shape, 0 … n_buckets − 1. bidirectional: half of the
    buckets for keys ahead; otherwise those share bucket 0, since a causal mask hides them.
    Matches `T5Attention._relative_position_bucket` in transformers.
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
