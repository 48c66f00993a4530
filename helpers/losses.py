"""How wrong is a model about what comes next? The shift, the mask, and the sum that accumulation needs.

    logits at t are held against the label at t + 1                                           (shift_labels)
    loss of a batch = sum over its labels / number of its labels, over all micro-batches      (helpers.training_loop)

Logits are computed only for the tokens that are trained: with a vocabulary of 49,152 they are the largest tensor of a
training step.

What it does not do: preferences, distillation, label smoothing.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from helpers.collation import Batch
from helpers.probability import IGNORED


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
