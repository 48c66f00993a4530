"""One trial of decoding settings: twelve openings continued, and how varied and how probable the continuations are.

    found = trial(model, tokenizer, sample(temperature(0.7), top_p(0.9)), n_new=64)
    found.distinct, found.perplexity

The perplexity is the model's own, of what it wrote, at temperature 1 and with nothing removed; so settings are judged
by one measure. Every continuation has `n_new` tokens, since longer texts repeat more. The sweep `05_decoding` records
these trials. What it does not do: read the continuations. Do that yourself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from helpers.generation.decoding import generate
from helpers.generation.sampling import Sampler
from helpers.old.metrics.calibration import distinct_n

OPENINGS = (
    "The bicycle shop opened at nine, and",
    "Dear customer, thank you for your order. We",
    "The first thing she noticed about the electric bicycle was",
    "In the winter of 1987, the mechanic",
    "My neighbor has a new cargo bicycle. Every morning",
    "The train to Utrecht was late again, so",
    "Three things make a good battery:",
    "It rained for the whole week, but",
    "The engineers sat around the table and",
    "Nobody in the village could explain why",
    "How to mend a flat tire: first",
    "Last summer we rode along the river until",
)
HELD_OUT = (  # for judging what was chosen on OPENINGS
    "The new baker at the corner sells",
    "Thank you for your message. Your bicycle",
    "What I like most about autumn is",
    "In the year 2040, most cities",
    "The doctor looked at the letter and",
    "My grandmother kept a diary in which",
    "Two reasons speak for a smaller car:",
    "The concert began late, because",
    "After the storm, the children of the village",
    "A good map shows",
    "Before you paint a wall, you should",
    "The last bus had left, so we",
)


@dataclass(frozen=True)
class Trial:
    """The twelve continuations: ids and log-probabilities, (12, n_new) each, share of distinct pairs, perplexity."""

    written: Tensor
    log_probs: Tensor
    distinct: float
    perplexity: float


class Watched:
    """A sampler that notes the log-probability of each choice under the model as it is: `log_probs`, (B,) each."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler
        self.log_probs: list[Tensor] = []

    def __call__(self, logits: Tensor, ids: Tensor | None = None) -> Tensor:
        """As the sampler does: logits (B, V)  →  ids (B,)."""
        chosen = self.sampler(logits, ids)
        self.log_probs.append(logits.gather(-1, chosen[:, None])[:, 0] - logits.logsumexp(-1))
        return chosen


def trials(
    model: Any,
    tokenizer: Any,
    sampler: Sampler,
    n_new: int,
    repeats: int = 1,
    openings: Sequence[str] = OPENINGS,
) -> list[Trial]:
    """`repeats` trials made in one batch of 12 · repeats texts. Raises ValueError as `generate` does."""
    prompts = [tokenizer(text)["input_ids"] for text in openings] * repeats
    watched = Watched(sampler)
    ids = generate(model, prompts, n_new, sampler=watched, ignore_eos=True)
    written = ids[:, -n_new:].cpu().chunk(repeats)
    log_probs = torch.stack(watched.log_probs, dim=1).double().cpu().chunk(repeats)  # (12, n_new) each
    return [Trial(w, p, distinct_n(w, 2), math.exp(-float(p.mean()))) for w, p in zip(written, log_probs, strict=True)]


def trial(model: Any, tokenizer: Any, sampler: Sampler, n_new: int, openings: Sequence[str] = OPENINGS) -> Trial:
    """One trial."""
    return trials(model, tokenizer, sampler, n_new, openings=openings)[0]


def share_repeated(ids: list[int] | Tensor, n: int = 4, last: int = 32) -> float:
    """Of the last `last` tokens, the share that ends an n-gram which stood in the text before: 1 in a closed loop."""
    ids = [int(i) for i in ids]
    grams = [tuple(ids[i - n + 1 : i + 1]) for i in range(n - 1, len(ids))]
    seen: set[tuple[int, ...]] = set()
    repeated = []
    for gram in grams:
        repeated.append(gram in seen)
        seen.add(gram)
    return sum(repeated[-last:]) / len(repeated[-last:])
