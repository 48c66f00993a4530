"""Examples side by side: padded to one length, or packed into rows without letting them see each other.

    collate([a, b])            aaaa        one row an example; ids, labels and mask are padded on the right
                               bb..

    pack([a, b, c], 8)         [[a, b], [c]]                    which examples share a row of 8 tokens
    collate_packed(rows)       aaaabb..    with segments 11112200: attention and positions restart with each
                               ccc.....

What it does not do: cut examples into pieces, mix lengths by buckets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from helpers.chat_data import Example
from helpers.probability import IGNORED


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
    return _padded([[example] for example in examples], packed=False)


def collate_packed(rows: Sequence[Sequence[Example]]) -> Batch:
    """Several examples a row, with segments that keep them apart. Raises ValueError as `collate` does."""
    return _padded(rows, packed=True)


def pack(examples: Sequence[Example], max_length: int) -> list[list[Example]]:
    """Which examples share a row of at most max_length tokens: the longest first, each into the first row with room.

    First fit decreasing needs at most 11/9 of the fewest possible rows, and one (Dósa, 2007). Raises ValueError for an
    example that is too long for any row.
    """
    rows: list[list[Example]] = []
    room: list[int] = []
    for example in sorted(examples, key=len, reverse=True):
        if len(example) > max_length:
            raise ValueError(f"An example of {len(example)} tokens does not fit into a row of {max_length}.")
        row = next((i for i, free in enumerate(room) if free >= len(example)), len(rows))
        if row == len(rows):
            rows.append([])
            room.append(max_length)
        rows[row].append(example)
        room[row] -= len(example)
    return rows


def _padded(rows: Sequence[Sequence[Example]], packed: bool) -> Batch:
    lengths = [sum(map(len, row)) for row in rows]
    if not lengths or any(not len(example) for row in rows for example in row):
        raise ValueError("A batch needs at least one example, and every example at least one token.")
    shape = (len(rows), max(lengths))
    ids, labels = torch.zeros(shape, dtype=torch.long), torch.full(shape, IGNORED)  # (B, T); id 0 is hidden by the mask
    segments = torch.zeros(shape, dtype=torch.long)
    for i, row in enumerate(rows):
        start = 0
        for number, example in enumerate(row, start=1):
            end = start + len(example)
            ids[i, start:end] = torch.tensor(example.ids)
            labels[i, start + 1 : end] = torch.tensor(example.labels)[1:]  # no text says how the next one begins
            segments[i, start:end] = number
            start = end
    return Batch(ids, labels, segments=segments) if packed else Batch(ids, labels, mask=segments != 0)
