"""Wrong versions of the exercises of 02d_encoder_decoder, each of which learners write; `encoder_decoder` names the
cause."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from helpers.probability import IGNORED

# mean_pool ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sum(hidden: Tensor, mask: Tensor) -> Tensor:
    return (hidden * mask.unsqueeze(-1)).sum(1)


def mean_over_all(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden.mean(1)


def divided_by_length(hidden: Tensor, mask: Tensor) -> Tensor:
    return _sum(hidden, mask) / hidden.shape[1]


def summed(hidden: Tensor, mask: Tensor) -> Tensor:
    return _sum(hidden, mask)


def first_state(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden[:, 0]


def largest(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden.masked_fill(~mask.unsqueeze(-1), -torch.inf).amax(1)


def of_length_one(hidden: Tensor, mask: Tensor) -> Tensor:
    return F.normalize(_sum(hidden, mask), dim=-1)


def mean_of_padding(hidden: Tensor, mask: Tensor) -> Tensor:
    return _sum(hidden, ~mask) / (~mask).sum(1, keepdim=True).clamp(min=1)


# mask_tokens ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _hidden(ids: Tensor, draw: Tensor, rate: float, pad_id: int) -> Tensor:
    return (draw < rate) & (ids != pad_id)


def everything_asked(ids: Tensor, draw: Tensor, rate: float, mask_id: int, pad_id: int) -> tuple[Tensor, Tensor]:
    labels = torch.where(ids == pad_id, IGNORED, ids)
    return torch.where(_hidden(ids, draw, rate, pad_id), mask_id, ids), labels


def kept_and_hidden_swapped(ids: Tensor, draw: Tensor, rate: float, mask_id: int, pad_id: int) -> tuple[Tensor, Tensor]:
    hidden = (draw >= rate) & (ids != pad_id)
    return torch.where(hidden, mask_id, ids), torch.where(hidden, ids, IGNORED)


def asked_for_the_shown(ids: Tensor, draw: Tensor, rate: float, mask_id: int, pad_id: int) -> tuple[Tensor, Tensor]:
    hidden = _hidden(ids, draw, rate, pad_id)
    shown = ~hidden & (ids != pad_id)
    return torch.where(hidden, mask_id, ids), torch.where(shown, ids, IGNORED)


def zero_in_labels(ids: Tensor, draw: Tensor, rate: float, mask_id: int, pad_id: int) -> tuple[Tensor, Tensor]:
    hidden = _hidden(ids, draw, rate, pad_id)
    return torch.where(hidden, mask_id, ids), torch.where(hidden, ids, 0)


def nothing_hidden(ids: Tensor, draw: Tensor, rate: float, mask_id: int, pad_id: int) -> tuple[Tensor, Tensor]:
    return ids.clone(), torch.where(_hidden(ids, draw, rate, pad_id), ids, IGNORED)


def fixed_rate(ids: Tensor, draw: Tensor, rate: float, mask_id: int, pad_id: int) -> tuple[Tensor, Tensor]:
    hidden = _hidden(ids, draw, 0.15, pad_id)
    return torch.where(hidden, mask_id, ids), torch.where(hidden, ids, IGNORED)


# shift_right ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _without_skipped(read: Tensor, start_id: int) -> Tensor:
    return torch.where(read < 0, start_id, read)


def shifted_left(labels: Tensor, start_id: int) -> Tensor:
    read = torch.roll(labels, -1, dims=1)
    read[:, -1] = start_id
    return _without_skipped(read, start_id)


def start_is_zero(labels: Tensor, start_id: int) -> Tensor:
    read = torch.roll(labels, 1, dims=1)
    read[:, 0] = 0
    return _without_skipped(read, 0)


def skipped_remain(labels: Tensor, start_id: int) -> Tensor:
    read = torch.roll(labels, 1, dims=1)
    read[:, 0] = start_id
    return read


def rolled(labels: Tensor, start_id: int) -> Tensor:
    return _without_skipped(torch.roll(labels, 1, dims=1), start_id)


# cross_attention ─────────────────────────────────────────────────────────────────────────────────────────────────────


def cross(
    scale: Callable[[Tensor], float] = lambda w: w.shape[1] ** -0.5,
    masked: bool = True,
    hidden: float = -torch.inf,
    after: bool = False,
    dim: int = -1,
) -> Callable[..., tuple[Tensor, Tensor]]:
    """Cross-attention with another scale, what stands in for a masked score, and the axis of the softmax."""

    def attend(x: Tensor, memory: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        scores = (x @ w_q) @ (memory @ w_k).transpose(1, 2) * scale(w_q)
        padding = ~mask.unsqueeze(1)
        if masked and not after:
            scores = torch.where(padding, hidden, scores)
        weights = scores.softmax(dim)
        weights = torch.where(padding, 0.0, weights) if after else weights
        return weights @ (memory @ w_v), weights

    return attend


def keys_as_values(
    x: Tensor, memory: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    return cross()(x, memory, w_q, w_k, w_k, mask)
