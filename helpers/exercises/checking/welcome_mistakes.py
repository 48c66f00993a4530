"""Wrong versions of the exercises of 00_welcome, each of which learners write; `welcome` says what is wrong."""

from __future__ import annotations

import torch
from torch import Tensor

from helpers.memory import BITS, weights_bytes


def per_weight(**sizes: float):
    """`weights_bytes` with other bytes a weight."""
    table = {name: bits / 8 for name, bits in BITS.items()} | sizes

    def variant(n_parameters: int, dtype: str):
        if dtype not in table:
            raise ValueError(f"unknown dtype {dtype}")
        return int(-(-n_parameters * table[dtype] // 1))

    return variant


def changed_bytes(change):
    """`weights_bytes` with its result changed; bad dtypes still refused."""
    return lambda n_parameters, dtype: (
        change(n_parameters, BITS[dtype]) if dtype in BITS else weights_bytes(n_parameters, dtype)
    )


def normalized_over_wrong_dim(a: Tensor, b: Tensor) -> Tensor:
    return torch.nn.functional.normalize(a, dim=0) @ torch.nn.functional.normalize(b, dim=0).T


def nan_on_zero(a: Tensor, b: Tensor) -> Tensor:
    return (a / a.norm(dim=-1, keepdim=True)) @ (b / b.norm(dim=-1, keepdim=True)).T


def only_one_normalized(a: Tensor, b: Tensor) -> Tensor:
    return torch.nn.functional.normalize(a, dim=-1) @ b.T


def whole_matrix_length(a: Tensor, b: Tensor) -> Tensor:
    return a @ b.T / (a.norm() * b.norm()).clamp(min=1e-12)


def squared_lengths(a: Tensor, b: Tensor) -> Tensor:
    scale = (a * a).sum(-1)[:, None] * (b * b).sum(-1)[None, :]
    return torch.where(scale == 0, torch.zeros(()), a @ b.T / scale)


def speed(formula):
    """`generation_speed` with its guards and another formula."""

    def variant(prompt_tokens: int, total_tokens: int, seconds: float):
        if seconds <= 0 or total_tokens < prompt_tokens:
            raise ValueError("impossible input")
        return formula(prompt_tokens, total_tokens, seconds)

    return variant


def choose(
    key=lambda c: (c[1], -c[1] * BITS[c[2]]),
    headroom: float = 1.2,
    pick=max,
    bytes_each=lambda c: c[1] * BITS[c[2]] / 8,
    fits=lambda need, budget: need <= budget,
):
    """`largest_that_fits` with other ideas of what fits and what is best."""

    def variant(budget_gb: float, candidates: list):
        fitting = [c for c in candidates if fits(headroom * bytes_each(c), budget_gb)]
        return pick(fitting, key=key)[0] if fitting else None

    return variant


def crashing(finish):
    return lambda budget_gb, candidates: finish([c for c in candidates if 1.2 * c[1] * BITS[c[2]] / 8 <= budget_gb])


NOTHING_FITS = "you take the best of a list without asking whether the list is empty; return None where nothing fits."
