"""Examples side by side, padded to one length.

    collate([a, b])            aaaa        one row an example; ids, labels and mask are padded on the right
                               bb..

What it does not do: cut examples into pieces, mix lengths by buckets, pack several into a row (`Batch.segments` takes
rows that are packed elsewhere).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from helpers.old.foundations.probability import IGNORED
from helpers.old.training.chats import Example


@dataclass(frozen=True)
class Batch:
    """What a model reads in one go: ids and labels (B, T) int64; mask (B, T) bool, False at padding, or segments.

    Labels stand at their own token's place, −100 where nothing is trained.
    """

    ids: Tensor
    labels: Tensor
    mask: Tensor | None = None
    segments: Tensor | None = None

    @property
    def n_labels(self) -> int:
        """How many tokens are predicted: a row's first is given to the model, not asked of it."""
        return int((self.labels[:, 1:] != IGNORED).sum())

    def to(self, device: torch.device | str) -> Batch:
        """The same on another device."""
        moved = (None if x is None else x.to(device) for x in (self.ids, self.labels, self.mask, self.segments))
        return Batch(*moved)


def collate(examples: Sequence[Example]) -> Batch:
    """One row an example, padded on the right to the longest; the mask, not an id, says what is padding.

    Raises ValueError where there is no example, or an empty one.
    """
    if not examples or not all(map(len, examples)):
        raise ValueError("A batch needs at least one example, and every example at least one token.")
    shape = (len(examples), max(map(len, examples)))
    ids, labels = torch.zeros(shape, dtype=torch.long), torch.full(shape, IGNORED)  # (B, T); id 0 is hidden by the mask
    mask = torch.zeros(shape, dtype=torch.bool)
    for i, example in enumerate(examples):
        ids[i, : len(example)] = torch.tensor(example.ids)
        labels[i, 1 : len(example)] = torch.tensor(example.labels)[1:]  # nothing predicts a row's first token
        mask[i, : len(example)] = True
    return Batch(ids, labels, mask)
