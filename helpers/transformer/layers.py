"""What transformers are stacked from: normalization, the feed-forward network, and the layer of both.

    x = x + attention(norm(x))            the residual stream x runs through; each sublayer reads a normalized copy
    x = x + feed_forward(norm(x))         of it and adds what it has to say

Shapes: x is (B, T, C) from the first block to the last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.attention import Memory, MultiHeadAttention

ACTIVATIONS = {
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
}


class RMSNorm(nn.Module):
    """Divide by the root mean square of the channels, then scale each channel (Zhang and Sennrich, 2019).

    (…, C) → (…, C), the same dtype; the mean of squares is taken in float32. Matches `torch.nn.RMSNorm`.
    """

    def __init__(self, d_model: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * wide.to(x.dtype)


class LayerNorm(nn.Module):
    """Subtract the mean of the channels, divide by their standard deviation, scale and shift (Ba et al., 2016).

    (…, C) → (…, C), the same dtype; computed in float32. Matches `torch.nn.LayerNorm`.
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        centered = wide - wide.mean(-1, keepdim=True)
        wide = centered * torch.rsqrt(centered.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * wide.to(x.dtype) + self.bias


NORMS = {"rms": RMSNorm, "layer": LayerNorm, "none": lambda d_model: nn.Identity()}


class FeedForward(nn.Module):
    """Widen, bend, narrow, at each position by itself: down(act(up(x))), or gated down(act(gate(x)) · up(x)).

    (B, T, d_model) → (B, T, d_model). activation: "gelu", "gelu_tanh", "relu" or "silu". Raises ValueError for
    another. Gated "silu" is `SwiGLU`, gated "gelu_tanh" is T5 v1.1's.
    """

    def __init__(
        self, d_model: int, d_ff: int, activation: str = "gelu", gated: bool = False, bias: bool = False
    ) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"There is no activation {activation!r}: choose one of {', '.join(ACTIVATIONS)}.")
        self.activation = activation
        self.gate_proj = nn.Linear(d_model, d_ff, bias=bias) if gated else None
        self.up_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.down_proj = nn.Linear(d_ff, d_model, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        act = ACTIVATIONS[self.activation]
        if self.gate_proj is None:
            return self.down_proj(act(self.up_proj(x)))
        return self.down_proj(act(self.gate_proj(x)) * self.up_proj(x))  # (B, T, d_ff) inside


class SwiGLU(FeedForward):
    """The gated feed-forward network with SiLU that Llama has (Shazeer, 2020): down(silu(gate(x)) · up(x))."""

    def __init__(self, d_model: int, d_ff: int, bias: bool = False) -> None:
        super().__init__(d_model, d_ff, "silu", gated=True, bias=bias)


class PreNormBlock(nn.Module):
    """One layer that normalizes what each sublayer reads, as in GPT-2, Llama and T5 (Xiong et al., 2020).

    attention and feed_forward are the sublayers; cross_attention comes between them in a decoder that has an encoder.
    norm: makes a normalization from d_model. dropout: on what a sublayer adds.
    """

    def __init__(
        self,
        d_model: int,
        attention: MultiHeadAttention,
        feed_forward: FeedForward,
        norm: Callable[[int], nn.Module] = RMSNorm,
        cross_attention: MultiHeadAttention | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.attention_norm, self.attention = norm(d_model), attention
        self.cross_norm = norm(d_model) if cross_attention is not None else None
        self.cross_attention = cross_attention
        self.feed_forward_norm, self.feed_forward = norm(d_model), feed_forward
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Memory = None, memory_mask: Tensor | None = None, **options: Any) -> Tensor:
        """x: (B, T, C)  →  (B, T, C). memory and its mask are for cross-attention, the options for self-attention."""
        x = x + self.dropout(self.attention(self.attention_norm(x), **options))
        if self.cross_attention is not None:
            x = x + self.dropout(self.cross_attention(self.cross_norm(x), memory, mask=memory_mask))
        return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


class PostNormBlock(PreNormBlock):
    """One layer that normalizes the sums, as in the original transformer (Vaswani et al., 2017) and BERT."""

    def forward(self, x: Tensor, memory: Memory = None, memory_mask: Tensor | None = None, **options: Any) -> Tensor:
        """x: (B, T, C)  →  (B, T, C), as in `PreNormBlock`."""
        x = self.attention_norm(x + self.dropout(self.attention(x, **options)))
        if self.cross_attention is not None:
            x = self.cross_norm(x + self.dropout(self.cross_attention(x, memory, mask=memory_mask)))
        return self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))


class NoResidualBlock(PreNormBlock):
    """A pre-norm layer whose sublayers replace x instead of adding to it: to see why nobody builds it so."""

    def forward(self, x: Tensor, memory: Memory = None, memory_mask: Tensor | None = None, **options: Any) -> Tensor:
        """x: (B, T, C)  →  (B, T, C), as in `PreNormBlock`."""
        x = self.dropout(self.attention(self.attention_norm(x), **options))
        if self.cross_attention is not None:
            x = self.dropout(self.cross_attention(self.cross_norm(x), memory, mask=memory_mask))
        return self.dropout(self.feed_forward(self.feed_forward_norm(x)))


BLOCKS = {"pre": PreNormBlock, "post": PostNormBlock, "no_residual": NoResidualBlock}


def init_weights(model: nn.Module, n_layers: int, std: float = 0.02) -> None:
    """GPT-2's start (Radford et al., 2019): matrices from N(0, std²), biases 0, norms 1.

    The projections that write to the residual stream, two a layer, get std/√(2·n_layers), so that their sum does not
    grow with depth.
    """
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            writes = name.endswith(("o_proj", "down_proj"))
            nn.init.normal_(module.weight, std=std / (2 * n_layers) ** 0.5 if writes else std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=std)
