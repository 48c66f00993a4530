"""Less memory in training: what a feed-forward network computed on the way is forgotten, and computed again backward.

    recompute_(model)           # same loss, same gradients; about half of the activations, a fifth more time

Gradient checkpointing (Chen et al., 2016), by `torch.utils.checkpoint`, for the part of a layer that keeps most:
gate, up and their product are each wider than the stream, and depend on nothing but the stream.

What it does not do: attention, whose keys and values a cache may hold; models of other libraries, which have
`gradient_checkpointing_enable`.
"""

from __future__ import annotations

from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint


def recompute_(model: nn.Module) -> None:
    """Change a `Llama` in place: its feed-forward networks keep their input only. Twice does what once does.

    Raises ValueError for a model that has no `blocks` with a `feed_forward`.
    """
    layers = [getattr(block, "feed_forward", None) for block in getattr(model, "blocks", ())]
    if not layers or None in layers:
        raise ValueError("Recomputation is made for a Llama: this model has no blocks with a feed_forward.")
    for layer in layers:
        if not isinstance(layer.forward, partial):
            layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
