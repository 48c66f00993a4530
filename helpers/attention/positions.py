"""Four ways to tell attention where a token stands; without one, a sentence is a bag of words.

| scheme     | what it does                                      | functions here                                 |
|------------|---------------------------------------------------|------------------------------------------------|
| sinusoidal | adds a fixed vector to the embedding              | `sinusoidal`                                   |
| RoPE       | turns queries and keys by an angle                | `rope_frequencies`, `rope_cos_sin`, `apply_rope` |
| ALiBi      | subtracts a multiple of the distance from scores  | `alibi_slopes`, `alibi_bias`                   |
| T5         | adds a learned number for each distance to scores | `t5_buckets`, `T5RelativeBias`                 |

Vaswani et al., 2017; Su et al., 2021; Press et al., 2022; Raffel et al., 2020.

    cos, sin = rope_cos_sin(torch.arange(T), rope_frequencies(head_dim))
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)

Where queries and keys differ in number, the T queries are the last T of the S positions, as in decoding with a cache.

What it does not do: learned absolute positions (an `nn.Embedding` does them), frequencies that change while a text
grows ("dynamic" NTK), LongRoPE.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

ROPE_KINDS = ("linear", "ntk", "llama3", "yarn")


# Sinusoidal ----------------------------------------------------------------------------------------------------------


def sinusoidal(T: int, d: int, base: float = 10_000.0, device: torch.device | str | None = None) -> Tensor:
    """A fixed vector for each position: pairs of sine and cosine, from fast waves to slow ones.

    (T, d) float32, where row t holds sin(t·f₀), cos(t·f₀), sin(t·f₁), …  Raises ValueError for an odd `d`.
    """
    positions = torch.arange(T, dtype=torch.float32, device=device)
    angles = positions[:, None] * rope_frequencies(d, base, device=device)  # (T, d/2)
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)  # (T, d), sine and cosine side by side


# RoPE: rotary position embedding -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RopeScaling:
    """How to stretch RoPE over texts `factor` times longer than those of the training.

    kind: "linear" slows every frequency (Chen et al., 2023); "ntk" enlarges the base, which slows the slow ones most
    (bloc97, 2023); "llama3" leaves waves that turn often within the training length, slows those that do not, and
    blends between (Llama 3, 2024); "yarn" blends likewise and sharpens attention a little (Peng et al., 2023).
    trained_len: tokens of the training; "llama3" and "yarn" need it.
    fast, slow: waves that turn more often than `fast` within `trained_len` are left alone, those that turn less often
    than `slow` are slowed in full. None: 4 and 1 for "llama3", 32 and 1 for "yarn".
    magnitude: what "yarn" multiplies cosine and sine by; None: its paper's 0.1·ln(factor) + 1.
    """

    kind: str
    factor: float
    trained_len: int | None = None
    fast: float | None = None
    slow: float | None = None
    magnitude: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in ROPE_KINDS:
            raise ValueError(f"There is no RoPE scaling {self.kind!r}: choose one of {', '.join(ROPE_KINDS)}.")
        if not self.factor >= 1:
            raise ValueError(f"A RoPE scaling factor is at least 1 (1 changes nothing), not {self.factor}.")
        if self.kind in ("llama3", "yarn") and not self.trained_len:
            raise ValueError(f"The RoPE scaling {self.kind!r} needs trained_len, the number of tokens of the training.")

    @property
    def turns(self) -> tuple[float, float]:
        """`fast` and `slow`, or what the papers use."""
        usual = 4.0 if self.kind == "llama3" else 32.0
        return self.fast or usual, self.slow or 1.0

    @property
    def cos_sin_factor(self) -> float:
        """What cosine and sine are multiplied by: 1, except for "yarn"."""
        if self.kind != "yarn":
            return 1.0
        return self.magnitude if self.magnitude is not None else 0.1 * math.log(self.factor) + 1.0


def rope_frequencies(
    head_dim: int,
    base: float = 10_000.0,
    scaling: RopeScaling | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """Radians per token of each pair of coordinates, from 1 (fast) down to almost 1/base (slow).

    (head_dim/2,) float32, base^(−2i/head_dim). Matches `inv_freq` in transformers. Raises ValueError for an odd
    `head_dim`.
    """
    if head_dim < 2 or head_dim % 2:
        raise ValueError(f"Positions come in pairs of coordinates, so the width must be even, not {head_dim}.")
    if scaling is not None and scaling.kind == "ntk" and head_dim > 2:  # the first wave stays as it is
        base = base * scaling.factor ** (head_dim / (head_dim - 2))
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float32, device=device) / head_dim
    frequencies = 1.0 / base**exponents
    if scaling is None or scaling.kind == "ntk":
        return frequencies
    slowed = frequencies / scaling.factor
    if scaling.kind == "linear":
        return slowed
    kept = _kept_llama3(frequencies, scaling) if scaling.kind == "llama3" else _kept_yarn(head_dim, base, scaling)
    kept = kept.to(frequencies.device)
    return kept * frequencies + (1 - kept) * slowed


def _kept_llama3(frequencies: Tensor, scaling: RopeScaling) -> Tensor:
    """For each frequency, 1 where it stays as it is, 0 where it is slowed, between by how often it turns."""
    fast, slow = scaling.turns
    turns = scaling.trained_len * frequencies / (2 * math.pi)  # full circles within the training length
    return ((turns - slow) / (fast - slow)).clamp(0, 1)


def _kept_yarn(head_dim: int, base: float, scaling: RopeScaling) -> Tensor:
    """As `_kept_llama3`, but a straight ramp over the pairs' numbers, its ends rounded outwards as the authors do."""

    def pair_that_turns(times: float) -> float:
        return head_dim * math.log(scaling.trained_len / (times * 2 * math.pi)) / (2 * math.log(base))

    fast, slow = scaling.turns
    first = max(math.floor(pair_that_turns(fast)), 0)
    last = min(math.ceil(pair_that_turns(slow)), head_dim - 1)
    pairs = torch.arange(head_dim // 2, dtype=torch.float32)
    return 1 - ((pairs - first) / max(last - first, 0.001)).clamp(0, 1)


def rope_cos_sin(positions: Tensor, frequencies: Tensor, factor: float = 1.0) -> tuple[Tensor, Tensor]:
    """Cosine and sine of every position's angles.

    positions: (T,) or (B, T)  →  two of (T, head_dim/2) or (B, 1, T, head_dim/2), float32: angles of positions in the
    thousands are wrong in bfloat16. factor: `RopeScaling.cos_sin_factor`.
    """
    angles = positions[..., None].float() * frequencies  # (…, T, head_dim/2)
    if positions.dim() == 2:
        angles = angles.unsqueeze(1)  # room for the heads
    return angles.cos() * factor, angles.sin() * factor


def apply_rope(x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = False) -> Tensor:
    """Turn each pair of coordinates by its position's angle, so that q·k depends on the distance alone.

    x: (B, H, T, head_dim), cos and sin as `rope_cos_sin` gives them  →  (B, H, T, head_dim), dtype of x.
    interleaved: which coordinates make a pair. False: (0, d/2), (1, d/2 + 1), …, as in transformers' Llama. True:
    (0, 1), (2, 3), …, as in the paper, Meta's own code and llama.cpp. Weights trained with one fail with the other.
    """
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    if interleaved:
        first, second = x[..., 0::2], x[..., 1::2]
    else:
        first, second = x.chunk(2, dim=-1)  # (B, H, T, head_dim/2) each
    turned = first * cos - second * sin, first * sin + second * cos
    return torch.stack(turned, dim=-1).flatten(-2) if interleaved else torch.cat(turned, dim=-1)


# ALiBi: attention with linear biases ---------------------------------------------------------------------------------


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


def distances(T: int, S: int | None = None, device: torch.device | str | None = None) -> Tensor:
    """Key position minus query position, (T, S) int64: negative for the past."""
    S = T if S is None else S
    if S < T:
        raise ValueError(f"{T} queries cannot be the last of {S} positions.")
    keys = torch.arange(S, device=device)
    queries = torch.arange(S - T, S, device=device)
    return keys[None, :] - queries[:, None]


# T5: a learned number for each distance, far distances sharing one ---------------------------------------------------


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
