"""Who sees whom: exchange a token, and look which outputs move."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


@torch.no_grad()
def influence(model_of: Callable[[Tensor], Tensor], ids: Tensor, other_id: int) -> Tensor:
    """Row t, column u: 1 where the output at t moves when token u becomes `other_id`, 0 where it stays.

    model_of: ids (1, N) → outputs (1, T, C); ids: (1, N) without `other_id`  →  (T, N) float32.
    """
    before, columns = model_of(ids), []
    for u in range(ids.shape[1]):
        exchanged = ids.clone()
        exchanged[0, u] = other_id
        moved = (model_of(exchanged) - before)[0].abs().amax(-1) > 1e-6  # (T,)
        columns.append(moved.float())
    return torch.stack(columns, dim=1)
