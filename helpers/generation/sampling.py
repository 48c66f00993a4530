"""From logits to the next token: transforms that reshape the distribution, and samplers that draw from it.

    sampler = sample(temperature(0.7), top_p(0.9))
    next_ids = sampler(logits)                 # (B, V) → (B,)
    next_ids = greedy(logits)                  # always the likeliest

A transform maps logits (B, V) to logits (B, V); what it removes becomes −inf. They apply in the order in which they
are given, and the order matters: a temperature before `top_p` changes what `top_p` keeps, behind it only the odds.

All equal the library's logits processors. What is not here: beams, grammars, typical sampling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

REMOVED = float("-inf")  # the logit of a token that must not come: its probability is 0
Transform = Callable[..., Tensor]  # (logits (B, V), ids (B, T) or None) → logits (B, V)


class Sampler(Protocol):
    """What chooses the next token: `greedy` and what `sample` returns."""

    def __call__(self, logits: Tensor, ids: Tensor | None = None) -> Tensor:
        """logits: (B, V), ids: (B, T) what stands so far  →  ids (B,)."""


# Transforms ----------------------------------------------------------------------------------------------------------


def temperature(t: float) -> Transform:
    """Divide logits by `t`: below 1 the likely gets likelier, above 1 the odds even out (Ackley et al., 1985).

    Matches the library's `TemperatureLogitsWarper`. Raises ValueError unless `t` is above 0.
    """
    if t == 0:
        raise ValueError("temperature(0) would divide by zero: for the likeliest token each time, use greedy.")
    _require(0 < t < float("inf"), f"A temperature is a number above 0, not {t}.")
    return lambda logits, ids=None: logits / t


def top_k(k: int, *, min_tokens_to_keep: int = 1) -> Transform:
    """Keep the `k` likeliest tokens, and what ties with the last of them (Fan et al., 2018).

    A `k` beyond the vocabulary keeps everything. Matches `TopKLogitsWarper`. Raises ValueError for k below 1.
    """
    _require(_is_count(k), f"top_k keeps at least 1 token, a whole number, not {k}.")
    _require_kept(min_tokens_to_keep)

    def keep_k(logits: Tensor, ids: Tensor | None = None) -> Tensor:
        last = logits.topk(min(max(k, min_tokens_to_keep), logits.shape[-1]), dim=-1).values[..., -1:]  # (B, 1)
        return logits.masked_fill(logits < last, REMOVED)

    return keep_k


def top_p(p: float, *, min_tokens_to_keep: int = 1) -> Transform:
    """Keep the likeliest tokens that together have the probability `p`: nucleus sampling (Holtzman et al., 2020).

    The token that crosses `p` stays. Matches `TopPLogitsWarper`. Raises ValueError for p outside (0, 1].
    """
    _require(0 < p <= 1, f"top_p is a probability above 0 and at most 1, not {p}.")
    _require_kept(min_tokens_to_keep)

    def keep_nucleus(logits: Tensor, ids: Tensor | None = None) -> Tensor:
        rising, order = logits.sort(dim=-1)  # (B, V), the least likely first
        tail = rising.softmax(dim=-1).cumsum(dim=-1) <= 1 - p  # the unlikely ones that are not worth 1 − p together
        tail[..., -min_tokens_to_keep:] = False
        return logits.masked_fill(torch.zeros_like(tail).scatter(-1, order, tail), REMOVED)

    return keep_nucleus


def min_p(p: float, *, min_tokens_to_keep: int = 1) -> Transform:
    """Keep tokens at least `p` times as likely as the likeliest: few where the model is sure (Nguyen et al., 2024).

    Matches `MinPLogitsWarper`. Raises ValueError for p outside [0, 1].
    """
    _require(0 <= p <= 1, f"min_p is a share between 0 and 1, not {p}.")
    _require_kept(min_tokens_to_keep)

    def keep_likely(logits: Tensor, ids: Tensor | None = None) -> Tensor:
        probabilities = logits.softmax(dim=-1)  # (B, V)
        unlikely = probabilities < p * probabilities.amax(dim=-1, keepdim=True)
        likeliest = probabilities.topk(min(min_tokens_to_keep, logits.shape[-1]), dim=-1).indices
        return logits.masked_fill(unlikely.scatter(-1, likeliest, False), REMOVED)

    return keep_likely


def repetition_penalty(r: float) -> Transform:
    """Divide positive logits of tokens that stand in `ids` by `r`, multiply negative ones (Keskar et al., 2019).

    Once a token, however often it stood, the prompt included; without `ids` nothing was said. Matches
    `RepetitionPenaltyLogitsProcessor`. Raises ValueError unless `r` is above 0.
    """
    _require(0 < r < float("inf"), f"A repetition penalty is a number above 0 (1 changes nothing), not {r}.")

    def penalize(logits: Tensor, ids: Tensor | None = None) -> Tensor:
        if ids is None:
            return logits
        said = logits.gather(-1, ids)  # (B, T)
        return logits.scatter(-1, ids, torch.where(said < 0, said * r, said / r))

    return penalize


def compose(*transforms: Transform) -> Transform:
    """One transform that applies all of these, from left to right; none of them leaves logits as they are."""
    for transform in transforms:
        if not callable(transform):
            raise TypeError(f"A transform is made by temperature, top_k, … and maps logits to logits, not {transform}.")

    def apply(logits: Tensor, ids: Tensor | None = None) -> Tensor:
        for transform in transforms:
            logits = transform(logits, ids)
        return logits

    return apply


# Samplers ------------------------------------------------------------------------------------------------------------


def greedy(logits: Tensor, ids: Tensor | None = None) -> Tensor:
    """The likeliest token of each row, the first where several tie: (B, V) → (B,).

    Raises ValueError for logits with NaN and rows in which every token is removed.
    """
    best = logits.max(dim=-1)
    require_choice(best.values)
    return best.indices


class sample:
    """Draw from the softmax of the transformed logits: (B, V) → (B,).

    generator: a `torch.Generator`, for draws that can be repeated; PyTorch's global one by default. Raises ValueError
    for logits with NaN and rows in which every token is removed.
    """

    def __init__(self, *transforms: Transform, generator: torch.Generator | None = None) -> None:
        self.transform = compose(*transforms)
        self.generator = generator

    def probabilities(self, logits: Tensor, ids: Tensor | None = None) -> Tensor:
        """What it draws from: (B, V) → (B, V) float32, each row sums to 1."""
        logits = self.transform(logits.float(), ids)
        require_choice(logits.amax(dim=-1))
        return logits.softmax(dim=-1)

    def __call__(self, logits: Tensor, ids: Tensor | None = None) -> Tensor:
        """logits: (B, V), ids: (B, T) what stands so far  →  ids (B,)."""
        return draw(self.probabilities(logits, ids), self.generator)


def draw(weights: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """One index a row, with odds as its weights: lay them side by side, throw a dart, see where it sticks.

    weights: (B, V), at least 0, of any sum above 0  →  (B,) int64. The dart is above 0, so what weighs 0 is never hit.
    The distribution of `torch.multinomial`, which draws a random number for every token where this draws one.
    """
    edges = weights.cumsum(dim=-1)  # (B, V): where each one ends
    dart = 1 - uniform(len(weights), weights.device, generator)[:, None]  # (0, 1]
    return torch.searchsorted(edges, dart * edges[:, -1:])[:, 0]


def uniform(n: int, device: torch.device, generator: torch.Generator | None = None) -> Tensor:
    """`n` numbers from [0, 1), (n,); drawn where the generator is, so that a seed means the same on every device."""
    return torch.rand(n, generator=generator, device=device if generator is None else generator.device).to(device)


def require_choice(best: Tensor) -> None:
    """Raises ValueError unless the best logit of every row, (B,), is a number: NaN spoils a maximum, so it shows."""
    if bool(best.isfinite().all()):
        return
    if bool(best.isnan().any()):
        raise ValueError("The logits hold NaN, so no token can be chosen: look at what the model computed.")
    if bool((best == REMOVED).any()):
        raise ValueError("Every token is removed (all logits are -inf): loosen the transforms, or look for a mask.")
    raise ValueError("The logits hold +inf, too large for their precision: compute in float32 or bfloat16.")


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1


def _require_kept(number: object) -> None:
    _require(_is_count(number), f"min_tokens_to_keep is a whole number from 1, not {number}.")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
