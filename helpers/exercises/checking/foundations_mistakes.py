"""Wrong versions of the exercises of 00b_foundations, each of which learners write; `foundations` names the cause."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers import stats
from helpers.foundations.probability import IGNORED

# pairwise_squared_distances ──────────────────────────────────────────────────────────────────────────────────────────


def _differences(a: Tensor, b: Tensor) -> Tensor:
    return a.unsqueeze(1) - b.unsqueeze(0)  # (N, M, d)


def mean_instead_of_sum(a: Tensor, b: Tensor) -> Tensor:
    return (_differences(a, b) ** 2).mean(-1)


def absolute_differences(a: Tensor, b: Tensor) -> Tensor:
    return _differences(a, b).abs().sum(-1)


def differences_not_squared(a: Tensor, b: Tensor) -> Tensor:
    return _differences(a, b).sum(-1)


# mean_squared_error ──────────────────────────────────────────────────────────────────────────────────────────────────


def summed_error(predictions: Tensor, targets: Tensor) -> Tensor:
    return ((predictions[:, 0] - targets) ** 2).sum()


def absolute_error(predictions: Tensor, targets: Tensor) -> Tensor:
    return (predictions[:, 0] - targets).abs().mean()


def root_of_error(predictions: Tensor, targets: Tensor) -> Tensor:
    return ((predictions[:, 0] - targets) ** 2).mean().sqrt()


def mean_before_square(predictions: Tensor, targets: Tensor) -> Tensor:
    return (predictions[:, 0] - targets).mean() ** 2


def divided_by_n_again(predictions: Tensor, targets: Tensor) -> Tensor:
    return ((predictions[:, 0] - targets) ** 2).mean() / len(targets)


def summed_square(predictions: Tensor, targets: Tensor) -> Tensor:
    return ((predictions - targets) ** 2).sum()


# mse_gradient ────────────────────────────────────────────────────────────────────────────────────────────────────────


def scaled_gradient(factor: Callable[[int, int], float]) -> Callable[..., Tensor]:
    """The gradient with another factor before Xᵀ(XW − Y), from N and k."""
    return lambda W, X, Y: factor(*Y.shape) * (X.T @ (X @ W - Y))


def gradient_without_transpose(W: Tensor, X: Tensor, Y: Tensor) -> Tensor:
    return 2 * X @ (X @ W - Y) / Y.numel()


def step_lowers_loss(gradient: Tensor, W: Tensor, X: Tensor, Y: Tensor) -> bool:
    """Does a step of 0.001 against `gradient` lower the loss? True where the loss is (nearly) zero already."""

    def loss(weights: Tensor) -> float:
        return float(((X.double() @ weights.double() - Y.double()) ** 2).mean())

    before = loss(W)
    return before < 1e-8 or loss(W - 1e-3 * gradient) < before


# softmax ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def naive_softmax(logits: Tensor, dim: int = -1) -> Tensor:
    return logits.exp() / logits.exp().sum(dim, keepdim=True)


def softmax_with_global_maximum(logits: Tensor, dim: int = -1) -> Tensor:
    return naive_softmax(logits - logits.max(), dim)


def always_last_dimension(logits: Tensor, dim: int = -1) -> Tensor:
    return torch.softmax(logits, -1)


def always_first_dimension(logits: Tensor, dim: int = -1) -> Tensor:
    return torch.softmax(logits, 0)


def normalized_over_everything(logits: Tensor, dim: int = -1) -> Tensor:
    return torch.softmax(logits.flatten(), 0).view(logits.shape)


def not_normalized(logits: Tensor, dim: int = -1) -> Tensor:
    return (logits - logits.amax(dim, keepdim=True)).exp()


def log_of_softmax(logits: Tensor, dim: int = -1) -> Tensor:
    return torch.log_softmax(logits, dim)


def clamped_softmax(logits: Tensor, dim: int = -1) -> Tensor:
    return naive_softmax(logits.clamp(max=80), dim)


# cross_entropy ───────────────────────────────────────────────────────────────────────────────────────────────────────


def entropy(
    *,
    sign: int = -1,
    base: float | None = None,
    summed: bool = False,
    over_all: bool = False,
    log_of_probability: bool = False,
    ignored: int | None = None,
) -> Callable[..., Tensor]:
    """Cross-entropy with one thing done wrong."""

    def variant(logits: Tensor, targets: Tensor, ignore_index: int = IGNORED) -> Tensor:
        keep = targets != (ignore_index if ignored is None else ignored)
        rows = logits[keep]
        logs = torch.softmax(rows, -1).log() if log_of_probability else torch.log_softmax(rows, -1)
        total = sign * logs[torch.arange(len(rows)), targets[keep]].sum()
        if base is not None:
            total = total / np.log(base)
        return total if summed else total / (len(targets) if over_all else len(rows))

    return variant


def minus_logit(logits: Tensor, targets: Tensor, ignore_index: int = IGNORED) -> Tensor:
    keep = targets != ignore_index
    return -logits[keep].gather(1, targets[keep][:, None]).mean()


def minus_probability(logits: Tensor, targets: Tensor, ignore_index: int = IGNORED) -> Tensor:
    return minus_logit(torch.softmax(logits, -1), targets, ignore_index)


# wilson ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def two_sided(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)


def one_sided(confidence: float) -> float:
    return NormalDist().inv_cdf(confidence)


def fixed(confidence: float) -> float:
    return 1.96


def interval(
    *,
    z: Callable[[float], float] = two_sided,
    middle: float = 0.5,
    inside: float = 0.25,
    center_only: bool = False,
) -> Callable[..., tuple]:
    """Wilson's interval with another z, another share of z² in the middle, or another under the root."""

    def variant(successes: Any, trials: Any, confidence: float = 0.95) -> tuple:
        score = z(confidence)
        whole = trials + score**2
        center = successes / trials if center_only else (successes + middle * score**2) / whole
        reach = score / whole * np.sqrt(successes * (trials - successes) / trials + inside * score**2)
        return center - reach, center + reach

    return variant


# items_needed ────────────────────────────────────────────────────────────────────────────────────────────────────────


def falling(sizes: Any) -> list:
    return sorted(sizes, reverse=True)


def size(
    *,
    half: float = 0.5,
    strict: float = 1.0,
    order: Callable[..., list] = sorted,
    interval: Callable[..., tuple] = stats.wilson,
    otherwise: Callable[..., Any] = lambda sizes: None,
) -> Callable[..., Any]:
    """`items_needed` with one thing done wrong."""

    def variant(share: float, margin: float, sizes: Any) -> Any:
        for n in order(sizes):
            low, high = interval(round(share * n), n)
            if half * (high - low) <= strict * margin:
                return n
        return otherwise(sizes) if len(sizes) else None

    return variant
