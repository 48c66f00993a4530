"""The residual stream: the vectors that run through a decoder from block to block, to read and to exchange.

    stream = residual_stream(model, ids)                        # (n_layers + 1, B, T, C)
    lens = model.head(model.norm(stream))                       # what each layer would answer, were it the last
    logits = swap_residual(model, ids, 24, stream[24, :, -1])   # run again, with one vector exchanged

Layer n is the stream *after* n blocks: layer 0 is the embedding, layer n_layers is what the last norm reads. The model
is a `Llama` or a `GPT` with rotary positions; texts have no padding.

The two uses are the logit lens (nostalgebraist, 2020) and activation patching (Vig et al., 2020; Meng et al., 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn


class Decoder(Protocol):
    """What this module needs of a model; `helpers.transformer.llama.Llama` has it."""

    embedding: nn.Embedding
    blocks: nn.ModuleList
    norm: nn.Module
    head: nn.Linear

    def rope(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine of the positions' angles."""

    def __call__(self, ids: Tensor, *, last_only: bool = False) -> Tensor:
        """(B, T)  →  logits (B, T, V), or (B, 1, V)."""


def residual_stream(model: Decoder, ids: Tensor) -> Tensor:
    """ids: (B, T)  →  the stream after 0, 1, … n_layers blocks: (n_layers + 1, B, T, C)."""
    states, rope = [model.embedding(ids)], model.rope(torch.arange(ids.shape[1], device=ids.device))
    for block in model.blocks:
        states.append(block(states[-1], causal=True, rope=rope))
    return torch.stack(states)


def swap_residual(model: Decoder, ids: Tensor, layer: int, vector: Tensor, position: int = -1) -> Tensor:
    """Logits of the next token when `vector` replaces the stream at `position` after block `layer`.

    ids: (B, T); vector: (C,) or (B, C)  →  (B, V). layer counts from 0, the embedding, to n_layers, behind the last
    block. The model is left as it was.
    """
    _require_layer(layer, len(model.blocks))
    x, rope = model.embedding(ids), model.rope(torch.arange(ids.shape[1], device=ids.device))
    for number in range(len(model.blocks) + 1):
        if number == layer:
            x = x.clone()  # the embedding's rows and a caller's tensors stay as they are
            x[:, position] = vector
        if number < len(model.blocks):
            x = model.blocks[number](x, causal=True, rope=rope)  # (B, T, C)
    return model.head(model.norm(x[:, -1]))


def swap_at_every_layer(
    model: Decoder, ids: Tensor, vectors: Tensor, position: int = -1, layers: Sequence[int] | None = None
) -> Tensor:
    """`swap_residual` at each of `layers` (all by default) in one pass: row i swaps in `vectors[layers[i]]`.

    ids: (1, T); vectors: (n_layers + 1, C), one for each layer  →  (len(layers), V). The rows part from the unchanged
    run only where they swap, so the batch starts with one row and gains one at each layer: half the work.
    Raises ValueError for ids of more than one text and layers out of order or out of range.
    """
    layers = list(range(len(model.blocks) + 1)) if layers is None else list(layers)
    if ids.shape[0] != 1 or layers != sorted(set(layers)):
        raise ValueError("swap_at_every_layer takes one text, ids of shape (1, T), and layers in rising order.")
    for layer in layers:
        _require_layer(layer, len(model.blocks))
    rope = model.rope(torch.arange(ids.shape[1], device=ids.device))
    rows = model.embedding(ids)  # (1 + swaps so far, T, C); row 0 is the unchanged run
    for number in range(len(model.blocks) + 1):
        if number in layers:
            swapped = rows[:1].clone()
            swapped[0, position] = vectors[number]
            rows = torch.cat([rows, swapped])
        if number < len(model.blocks):
            rows = model.blocks[number](rows, causal=True, rope=rope)
    return model.head(model.norm(rows[1:, -1]))


def swap_heads(model: Decoder, ids: Tensor, other_ids: Tensor, block: int, position: int = -1) -> Tensor:
    """What one head of one block does: row h has head h's output at `position` taken from the run on `other_ids`.

    ids: (1, T), other_ids: (1, S); block counts from 1  →  (n_heads, V). Nothing else is exchanged, and the model is
    left as it was. Raises ValueError for a block that does not exist.
    """
    if not 1 <= block <= len(model.blocks):
        raise ValueError(f"There is no block {block}: they go from 1 to {len(model.blocks)}.")
    attention = model.blocks[block - 1].attention
    n_heads, given = attention.n_heads, {}

    def keep(_: nn.Module, args: tuple[Tensor]) -> None:
        given["other"] = args[0][0, position].view(n_heads, -1)  # (H, head_dim): the heads' outputs, side by side

    def put(_: nn.Module, args: tuple[Tensor]) -> tuple[Tensor]:
        heads = args[0].clone().view(n_heads, args[0].shape[1], n_heads, -1)  # (row, T, H, head_dim)
        for head in range(n_heads):
            heads[head, position, head] = given["other"][head]
        return (heads.flatten(2),)

    _with_hook(attention.o_proj, keep, lambda: model(other_ids, last_only=True))
    return _with_hook(attention.o_proj, put, lambda: model(ids.expand(n_heads, -1), last_only=True))[:, -1]


def _with_hook(module: nn.Module, hook: Callable, run: Callable[[], Tensor]) -> Tensor:
    handle = module.register_forward_pre_hook(hook)
    try:
        return run()
    finally:
        handle.remove()


def flip_layer(differences: Sequence[float] | Tensor) -> int | None:
    """First layer from which the differences stay below 0 to the end, or None where the last one does not.

    >>> flip_layer([7.3, 7.2, -6.4, -6.1])
    2
    """
    values = [float(value) for value in differences]
    below = next((i for i, value in enumerate(reversed(values)) if not value < 0), len(values))
    return len(values) - below if below else None


def _require_layer(layer: int, n_layers: int) -> None:
    if not 0 <= layer <= n_layers:
        raise ValueError(
            f"There is no layer {layer}: they go from 0, the embedding, to {n_layers}, behind the last block."
        )
