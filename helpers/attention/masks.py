"""Who may look where: boolean masks, True where a query (row) may look at a key (column).

    causal_mask(3)                      padding_mask([3, 1], 3)      sliding_window_mask(4, window=2, n_global=1)
    [[1, 0, 0],                         [[1, 1, 1],                  [[1, 0, 0, 0],
     [1, 1, 0],                          [1, 0, 0]]                   [1, 1, 0, 0],
     [1, 1, 1]]                                                       [1, 1, 1, 0],
                                                                      [1, 0, 1, 1]]
Combine them with `&`. T queries are the last T of S positions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from helpers.attention.positions import distances


def causal_mask(T: int, S: int | None = None, device: torch.device | str | None = None) -> Tensor:
    """Each query sees itself and what came before: (T, S) bool, S = T by default. Raises ValueError if S < T."""
    return distances(T, S, device) <= 0


def padding_mask(lengths: Sequence[int] | Tensor, T: int, left: bool = False) -> Tensor:
    """True at real tokens: (B, T) bool for B texts of the given lengths, padded to T on the right, or on the left.

    Give it to the models as it is; for attention itself write `mask[:, None, None, :]`, room for heads and queries.
    Raises ValueError for a length outside 0 … T.
    """
    lengths = torch.as_tensor(lengths)
    if lengths.numel() and not 0 <= int(lengths.min()) <= int(lengths.max()) <= T:
        raise ValueError(f"Lengths must lie between 0 and the padded length {T}, not {lengths.tolist()}.")
    places = torch.arange(T, device=lengths.device)
    return places >= T - lengths[:, None] if left else places < lengths[:, None]


def sliding_window_mask(
    T: int, window: int, n_global: int = 0, S: int | None = None, device: torch.device | str | None = None
) -> Tensor:
    """Each query sees itself, the window − 1 positions before it, and the first `n_global` positions of the text.

    (T, S) bool. Mistral's mask (Jiang et al., 2023), with n_global > 0 that of StreamingLLM (Xiao et al., 2024).
    Raises ValueError for a window below 1 or a negative `n_global`.
    """
    if window < 1 or n_global < 0:
        raise ValueError(f"A window holds at least 1 position and n_global is at least 0, not {window} and {n_global}.")
    apart = distances(T, S, device)  # (T, S), negative for the past
    is_global = torch.arange(apart.shape[1], device=device) < n_global
    return (apart <= 0) & ((apart > -window) | is_global)


def segment_mask(segments: Tensor) -> Tensor:
    """Several texts in one row, and nobody looks into another: (B, T) whole numbers  →  (B, T, T) bool.

    segments: the number of the text that each token belongs to, from 1; 0 is padding, which nobody sees and which sees
    nothing. Combine it with the causal mask: what is left are triangles along the diagonal.

        [1, 1, 2, 0]  →  [[1, 1, 0, 0],
                          [1, 1, 0, 0],
                          [0, 0, 1, 0],
                          [0, 0, 0, 0]]
    """
    same = segments[:, :, None] == segments[:, None, :]
    return same & (segments != 0)[:, :, None]


def segment_positions(segments: Tensor) -> Tensor:
    """Positions that start again at 0 with every text: (B, T) whole numbers  →  (B, T) int64.

    The tokens of a text stand side by side: [1, 1, 1, 2, 2, 0]  →  [0, 1, 2, 0, 1, 0].
    """
    places = torch.arange(segments.shape[1], device=segments.device).expand_as(segments)
    starts = torch.ones_like(segments, dtype=torch.bool)
    starts[:, 1:] = segments[:, 1:] != segments[:, :-1]
    return places - torch.where(starts, places, 0).cummax(dim=1).values
