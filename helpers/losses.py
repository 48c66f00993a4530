"""How wrong is a model about what comes next? The shift, the mask, and the sum that accumulation needs.

    logits at t are held against the label at t + 1                                           (shift_labels)
    loss of a batch = sum over its labels / number of its labels, over all micro-batches      (helpers.training_loop)

`loss_at_labels` and `loss_everywhere` give the same number and the same gradients; the first computes logits only for
the tokens that are trained, and with a vocabulary of 49,152 the logits are the largest tensor of a training step.
`loss_behind_prefix` gives it, too, and reads what all rows begin with only once (`helpers.shared_prefix`).

What it does not do: preferences, distillation, label smoothing.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from helpers.collation import Batch
from helpers.probability import IGNORED
from helpers.shared_prefix import PrefixCache


def shift_labels(labels: Tensor) -> Tensor:
    """What the logits at each place are held against: the next place's label, −100 at the last: (B, T) → (B, T).

    [[5, 6, 7]]  →  [[6, 7, -100]]
    """
    targets = labels.new_full(labels.shape, IGNORED)
    targets[:, :-1] = labels[:, 1:]
    return targets


def next_token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean surprise at the labels, nats a token: logits (B, T, V), labels (B, T) at their own tokens' places.

    Matches the loss of `transformers`' causal models. NaN where nothing is labeled.
    """
    return F.cross_entropy(logits.flatten(0, 1).float(), shift_labels(labels).flatten(), ignore_index=IGNORED)


def loss_everywhere(model: nn.Module, batch: Batch) -> Tensor:
    """Sum of the surprise at all labels of a batch, nats, by way of logits for every token; for any decoder of ours."""
    logits = model(batch.ids, mask=batch.mask, **_segments(batch))  # (B, T, V)
    targets = shift_labels(batch.labels)
    return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED, reduction="sum")


def loss_at_labels(model: nn.Module, batch: Batch) -> Tensor:
    """The same sum, by way of logits only where the next token is a label; for a `Llama`."""
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
