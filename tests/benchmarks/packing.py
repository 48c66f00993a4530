"""Several examples a row that do not see each other, and logits everywhere: what the costs of a step are compared with.

    pack([a, b, c], 8)         [[a, b], [c]]                    which examples share a row of 8 tokens
    collate_packed(rows)       aaaabb..    with segments 11112200: attention and positions restart with each
                               ccc.....

`loss_everywhere` gives the number and the gradients of `helpers.old.training.loss_at_labels`, from logits for every
token.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.old.foundations.probability import IGNORED
from helpers.old.training import Batch, Example, collate, shift_labels


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


def collate_packed(rows: Sequence[Sequence[Example]]) -> Batch:
    """Several examples a row, with segments that keep them apart. Raises ValueError as `collate` does."""
    joined = []
    for row in rows:
        ids = [i for example in row for i in example.ids]
        labels = [label for example in row for label in (IGNORED, *example.labels[1:])]  # none says how the next begins
        joined.append(Example(ids, labels))
    batch = collate(joined)
    segments = torch.zeros_like(batch.ids)
    for i, row in enumerate(rows):
        numbers = [number for number, example in enumerate(row, start=1) for _ in example.ids]
        segments[i, : len(numbers)] = torch.tensor(numbers)
    return Batch(batch.ids, batch.labels, segments=segments)


def loss_everywhere(model: nn.Module, batch: Batch) -> Tensor:
    """Sum of the surprise at all labels of a batch, nats, by way of logits for every token; for any decoder of ours."""
    segments = {} if batch.segments is None else {"segments": batch.segments}  # which only a `Llama` knows
    logits = model(batch.ids, mask=batch.mask, **segments)  # (B, T, V)
    targets = shift_labels(batch.labels)
    return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED, reduction="sum")
