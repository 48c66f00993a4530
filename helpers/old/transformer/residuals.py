"""The residual stream: the vectors that run through a decoder from block to block.

    stream = residual_stream(model, ids)                        # (n_layers + 1, B, T, C)
    lens = model.head(model.norm(stream))                       # what each layer would answer, were it the last

Layer n is the stream *after* n blocks: layer 0 is the embedding, layer n_layers is what the last norm reads. The model
is a `Llama` or a `GPT` with rotary positions; texts have no padding. Reading it so is the logit lens (nostalgebraist,
2020).
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn


class Decoder(Protocol):
    """What this module needs of a model; `helpers.transformer.llama.Llama` has it."""

    embedding: nn.Embedding
    blocks: nn.ModuleList

    def rope(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine of the positions' angles."""


def residual_stream(model: Decoder, ids: Tensor) -> Tensor:
    """ids: (B, T)  →  the stream after 0, 1, … n_layers blocks: (n_layers + 1, B, T, C)."""
    states, rope = [model.embedding(ids)], model.rope(torch.arange(ids.shape[1], device=ids.device))
    for block in model.blocks:
        states.append(block(states[-1], causal=True, rope=rope))
    return torch.stack(states)
