"""Wrong versions of the exercises of 02d_encoder_decoder, each of which learners write; `encoder_decoder` names the
cause."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from helpers.attention.multi_head import attention_weights
from helpers.foundations.probability import IGNORED

# mean_pool ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sum(hidden: Tensor, mask: Tensor) -> Tensor:
    return (hidden * mask.unsqueeze(-1)).sum(1)


def mean_over_all(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden.mean(1)


def divided_by_length(hidden: Tensor, mask: Tensor) -> Tensor:
    return _sum(hidden, mask) / hidden.shape[1]


def summed(hidden: Tensor, mask: Tensor) -> Tensor:
    return _sum(hidden, mask)


def divided_by_all_real_tokens(hidden: Tensor, mask: Tensor) -> Tensor:
    return _sum(hidden, mask) / mask.sum()


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


def hidden_above_the_rate(ids: Tensor, draw: Tensor, rate: float, mask_id: int, pad_id: int) -> tuple[Tensor, Tensor]:
    hidden = (draw > rate) & (ids != pad_id)
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


def everything_asked_with_padding(
    ids: Tensor, draw: Tensor, rate: float, mask_id: int, pad_id: int
) -> tuple[Tensor, Tensor]:
    return torch.where(_hidden(ids, draw, rate, pad_id), mask_id, ids), ids.clone()


def asked_for_the_shown_with_padding(
    ids: Tensor, draw: Tensor, rate: float, mask_id: int, pad_id: int
) -> tuple[Tensor, Tensor]:
    hidden = _hidden(ids, draw, rate, pad_id)
    return torch.where(hidden, mask_id, ids), torch.where(hidden, IGNORED, ids)


def padding_in_labels(ids: Tensor, draw: Tensor, rate: float, mask_id: int, pad_id: int) -> tuple[Tensor, Tensor]:
    hidden = _hidden(ids, draw, rate, pad_id)
    return torch.where(hidden, mask_id, ids), torch.where(hidden, ids, pad_id)


def fixed_padding(ids: Tensor, draw: Tensor, rate: float, mask_id: int, pad_id: int) -> tuple[Tensor, Tensor]:
    hidden = _hidden(ids, draw, rate, 0)
    return torch.where(hidden, mask_id, ids), torch.where(hidden, ids, IGNORED)


def hidden_at_the_rate(ids: Tensor, draw: Tensor, rate: float, mask_id: int, pad_id: int) -> tuple[Tensor, Tensor]:
    hidden = (draw <= rate) & (ids != pad_id)
    return torch.where(hidden, mask_id, ids), torch.where(hidden, ids, IGNORED)


def drawn_anew(ids: Tensor, draw: Tensor, rate: float, mask_id: int, pad_id: int) -> tuple[Tensor, Tensor]:
    hidden = _hidden(ids, torch.rand(ids.shape), rate, pad_id)
    return torch.where(hidden, mask_id, ids), torch.where(hidden, ids, IGNORED)


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


def shifted_left_behind_the_start(labels: Tensor, start_id: int) -> Tensor:
    read = torch.roll(labels, -1, dims=1)
    read[:, 0] = start_id
    return _without_skipped(read, start_id)


def skipped_as_zero(labels: Tensor, start_id: int) -> Tensor:
    read = torch.roll(labels, 1, dims=1)
    read[:, 0] = start_id
    return read.clamp(min=0)


def only_minus_100_skipped(labels: Tensor, start_id: int) -> Tensor:
    read = torch.roll(labels, 1, dims=1)
    read[:, 0] = start_id
    return torch.where(read == IGNORED, start_id, read)


def zero_skipped_too(labels: Tensor, start_id: int) -> Tensor:
    read = torch.roll(labels, 1, dims=1)
    read[:, 0] = start_id
    return torch.where(read <= 0, start_id, read)


def start_in_front(labels: Tensor, start_id: int) -> Tensor:
    return _without_skipped(F.pad(labels, (1, 0), value=start_id), start_id)


def first_is_zero(labels: Tensor, start_id: int) -> Tensor:
    read = _without_skipped(torch.roll(labels, 1, dims=1), start_id)
    read[:, 0] = 0
    return read


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


def all_from_the_decoder(
    x: Tensor, memory: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    return cross(masked=False)(x, x, w_q, w_k, w_v, mask)


def roles_swapped(
    x: Tensor, memory: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    return cross(masked=False)(memory, x, w_q, w_k, w_v, mask)


def matrices_swapped(
    x: Tensor, memory: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    return cross()(x, memory, w_q, w_v, w_k, mask)


def mask_inverted(
    x: Tensor, memory: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    return attended(x, memory, w_q, w_k, w_v, ~mask.unsqueeze(1))


def causal_too(x: Tensor, memory: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    past = torch.ones(x.shape[1], memory.shape[1], dtype=torch.bool).tril()
    return attended(x, memory, w_q, w_k, w_v, mask.unsqueeze(1) & past)


def mask_without_an_axis(
    x: Tensor, memory: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    return attended(x, memory, w_q, w_k, w_v, mask)


def mask_for_queries(
    x: Tensor, memory: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    return attended(x, memory, w_q, w_k, w_v, mask.unsqueeze(2))


def attended(x: Tensor, memory: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-attention with a mask of any shape, as `attention_weights` takes it."""
    weights = attention_weights(x @ w_q, memory @ w_k, mask)
    return weights @ (memory @ w_v), weights


def scores_for_weights(
    x: Tensor, memory: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    scores = (x @ w_q) @ (memory @ w_k).transpose(1, 2) * w_q.shape[1] ** -0.5
    scores = torch.where(mask.unsqueeze(1), scores, -torch.inf)
    return scores.softmax(-1) @ (memory @ w_v), scores
