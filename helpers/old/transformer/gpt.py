"""GPT, the course's own small decoder, in which each part can be exchanged for another to see what it is good for.

    model = GPT(GPTConfig(vocab_size=256, positions="alibi"))
    logits = model(ids)                        # (B, T) → (B, T, V)

The default is a small Llama: RMSNorm before each sublayer, RoPE, SwiGLU, no biases. `GPTConfig(norm="layer",
activation="gelu_tanh", gated=False, positions="learned", bias=True)` is GPT-2.

What it does not do: load weights (`helpers.transformer.llama` does), generate, train.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn

from helpers.attention import MultiHeadAttention, RopeScaling, require_heads, rope_cos_sin, rope_frequencies
from helpers.old.attention import T5RelativeBias, alibi_bias, sinusoidal
from helpers.transformer.kv_cache import KVCache, layer_caches, place_tokens, require_ids
from helpers.transformer.layers import BLOCKS, NORMS, FeedForward, init_weights

POSITIONS = ("rope", "learned", "sinusoidal", "alibi", "t5", "none")


@dataclass(frozen=True)
class GPTConfig:
    """Sizes and parts of a GPT. Raises ValueError for parts that do not exist and heads that do not divide.

    positions: "rope", "learned", "sinusoidal", "alibi", "t5" or "none". norm: "rms", "layer" or "none".
    block: "pre" or "post" (where the norm stands), "no_residual". activation: "silu", "gelu", "gelu_tanh", "relu".
    d_ff: 4 · d_model if None, 8/3 of it when gated, rounded up to a multiple of 8: equally many parameters.
    causal=False lets every position see every other, as an encoder does; then there is no cache.
    """

    vocab_size: int
    d_model: int = 128
    n_layers: int = 4
    n_heads: int = 4
    n_kv_heads: int | None = None
    head_dim: int | None = None
    d_ff: int | None = None
    max_len: int = 256  # learned positions end here; the others only were not trained beyond
    positions: str = "rope"
    norm: str = "rms"
    block: str = "pre"
    activation: str = "silu"
    gated: bool = True
    bias: bool = False
    tied: bool = True
    causal: bool = True
    dropout: float = 0.0
    rope_base: float = 10_000.0
    rope_scaling: RopeScaling | None = None

    def __post_init__(self) -> None:
        for what, value, choices in (
            ("positions", self.positions, POSITIONS),
            ("norm", self.norm, NORMS),
            ("block", self.block, BLOCKS),
        ):
            if value not in choices:
                raise ValueError(f"{what}={value!r} does not exist: choose one of {', '.join(choices)}.")
        n_kv_heads = self.n_heads if self.n_kv_heads is None else self.n_kv_heads
        require_heads(self.d_model, self.n_heads, n_kv_heads, self.head_dim)
        widths = 8 * self.d_model / 3 if self.gated else 4 * self.d_model
        object.__setattr__(self, "n_kv_heads", n_kv_heads)
        object.__setattr__(self, "head_dim", self.head_dim or self.d_model // self.n_heads)
        object.__setattr__(self, "d_ff", self.d_ff or 8 * math.ceil(widths / 8))


class GPT(nn.Module):
    """A small decoder with exchangeable parts; its parts are named as in `Llama`."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = c = config
        self.embedding = nn.Embedding(c.vocab_size, c.d_model)
        self.position_embedding = nn.Embedding(c.max_len, c.d_model) if c.positions == "learned" else None
        self.relative_bias = T5RelativeBias(c.n_heads, bidirectional=not c.causal) if c.positions == "t5" else None
        self.dropout = nn.Dropout(c.dropout)
        self.blocks = nn.ModuleList(
            BLOCKS[c.block](
                c.d_model,
                MultiHeadAttention(c.d_model, c.n_heads, c.n_kv_heads, c.head_dim, bias=c.bias),
                FeedForward(c.d_model, c.d_ff, c.activation, c.gated, bias=c.bias),
                NORMS[c.norm],
                dropout=c.dropout,
            )
            for _ in range(c.n_layers)
        )
        self.norm = NORMS["none" if c.block == "post" else c.norm](c.d_model)  # post-norm blocks end with theirs
        self.head = nn.Linear(c.d_model, c.vocab_size, bias=False)
        init_weights(self, c.n_layers)
        if c.tied:
            self.head.weight = self.embedding.weight

    def forward(
        self, ids: Tensor, cache: KVCache | None = None, mask: Tensor | None = None, last_only: bool = False
    ) -> Tensor:
        """ids: (B, T)  →  logits (B, T, V), or (B, 1, V) with last_only. cache and mask as in `Llama.forward`."""
        require_ids(ids, self.config.vocab_size)
        if cache is not None and not self.config.causal:
            raise ValueError("A model with causal=False rereads everything for each token, so it has no cache.")
        positions, real = place_tokens(ids, cache, mask)  # (T,) or (B, T); None or (B, 1, 1, S)
        T, past = ids.shape[1], cache.length if cache is not None else 0
        x = self.dropout(self.add_positions(self.embedding(ids), positions))  # (B, T, C)
        rope, bias = self.rope(positions), self.bias(T, past + T)
        for block, layer_cache in zip(self.blocks, layer_caches(cache, len(self.blocks)), strict=True):
            x = block(x, causal=self.config.causal, mask=real, rope=rope, bias=bias, cache=layer_cache)  # (B, T, C)
        if cache is not None:
            cache.advance(T)
        x = x[:, -1:] if last_only else x
        return self.head(self.norm(x))  # (B, T, V)

    def add_positions(self, x: Tensor, positions: Tensor) -> Tensor:
        """x plus the vectors of absolute positions, (B, T, C), where the scheme has any. ValueError beyond max_len."""
        c = self.config
        if c.positions == "sinusoidal":
            table = sinusoidal(int(positions.max()) + 1, c.d_model, device=x.device)
            return x * c.d_model**0.5 + table[positions].to(x.dtype)  # scaled as in the paper, to weigh as much
        if self.position_embedding is None:
            return x
        if (furthest := int(positions.max())) >= c.max_len:
            raise ValueError(
                f"Learned positions end at max_len={c.max_len}, and this text has {furthest + 1}: cut it, or choose "
                "another scheme of positions."
            )
        return x + self.position_embedding(positions)

    def rope(self, positions: Tensor) -> tuple[Tensor, Tensor] | None:
        """Cosine and sine for rotary positions; None for the other schemes."""
        if self.config.positions != "rope":
            return None
        c = self.config
        frequencies = rope_frequencies(c.head_dim, c.rope_base, c.rope_scaling, positions.device)
        return rope_cos_sin(positions, frequencies, c.rope_scaling.cos_sin_factor if c.rope_scaling else 1.0)

    def bias(self, T: int, S: int) -> Tensor | None:
        """What the scheme adds to the scores, (1 or none, H, T, S); None for schemes that add nothing."""
        if self.config.positions == "alibi":
            return alibi_bias(self.config.n_heads, T, S, self.embedding.weight.device)
        return self.relative_bias(T, S) if self.relative_bias is not None else None

    def new_cache(self, batch: int, max_len: int) -> KVCache:
        """An empty cache in the model's precision and on its device."""
        weight = self.embedding.weight
        return KVCache(self.config, batch, max_len, weight.dtype, weight.device)
