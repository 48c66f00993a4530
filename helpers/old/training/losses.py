"""How wrong is a model about what comes next? The shift, the mask, and the sum that accumulation needs.

    logits at t are held against the label at t + 1                                           (shift_labels)
    loss of a batch = sum over its labels / number of its labels, over all micro-batches
    (helpers.old.training.loop)

Logits are computed only for the tokens that are trained: with a vocabulary of 49,152 they are the largest tensor of a
training step. `loss_behind_prefix` gives the number of `loss_at_labels`, too, and reads what all rows begin with only
once (`helpers.old.generation.prefix`).

What it does not do: preferences, distillation, label smoothing.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from helpers.old.foundations.probability import IGNORED
from helpers.old.generation.prefix import PrefixCache
from helpers.old.training.collation import Batch


def shift_labels(labels: Tensor) -> Tensor:
    """What the logits at each place are held against: the next place's label, −100 at the last: (B, T) → (B, T).

    [[5, 6, 7]]  →  [[6, 7, -100]]
    """
    targets = labels.new_full(labels.shape, IGNORED)
    targets[:, :-1] = labels[:, 1:]
    return targets


def loss_at_labels(model: nn.Module, batch: Batch) -> Tensor:
    """Sum of the surprise at all labels of a batch, nats, with logits only where a label comes next; for a `Llama`."""
    targets = shift_labels(batch.labels)
    at = targets != IGNORED  # (B, T), n of them True
    logits = model(batch.ids, mask=batch.mask, at=at, **_segments(batch))  # (n, V)
    return F.cross_entropy(logits.float(), targets[at], reduction="sum")


def _segments(batch: Batch) -> dict[str, Any]:
    return {} if batch.segments is None else {"segments": batch.segments}


def loss_behind_prefix(model: nn.Module, batch: Batch) -> Tensor:
    """`loss_at_labels`, sum of the surprise at all labels in nats, for a `Llama` and rows without
    segments; what no row is trained on and all rows begin with is read once."""
    targets = shift_labels(batch.labels)
    at = targets != IGNORED  # (B, T), n of them True
    n = shared_length(batch) // 4 * 4  # few different shapes: kernels are made for each one
    cache = None
    if n:
        cache = PrefixCache(model.config, batch.ids.shape[1], batch.ids.device)
        model(batch.ids[:1, :n], cache, last_only=True)
        cache.spread(len(batch.ids))
    mask = None if batch.mask is None else batch.mask[:, n:]
    logits = model(batch.ids[:, n:], cache, mask=mask, at=at[:, n:])  # (n labels, V)
    return F.cross_entropy(logits.float(), targets[at], reduction="sum")


def shared_length(batch: Batch) -> int:
    """How many tokens all rows begin with, as far as none of them is padding or predicts a label."""
    alike = (batch.ids == batch.ids[:1]).all(dim=0)
    if batch.mask is not None:
        alike &= batch.mask.all(dim=0)
    alike &= (shift_labels(batch.labels) == IGNORED).all(dim=0)
    return int(alike.long().cumprod(dim=0).sum().clamp(max=len(alike) - 1))
