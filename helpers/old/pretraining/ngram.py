"""A language model from counts: what came next after these few tokens, and after fewer where these are too rare.

    model = NGram.count(data.train, data.vocab_size, order=6)       # no gradient, no weights, a second
    model.surprise(data.held_out)                                   # as `helpers.old.pretraining.bits` gives it
    model(ids)                                                      # (B, T) → log probabilities (B, T, V)

Interpolated Kneser–Ney smoothing (Kneser and Ney, 1995; Chen and Goodman, 1999):

    p(next | context) = max(count − d, 0) / total  +  d · kinds / total · p(next | context without its oldest token)

From each count a discount d is taken, and the sum of what was taken is given to the shorter context, so that the
probabilities of all tokens still sum to one. kinds: how many different tokens came after the context. Below the
longest context, a count is of the different tokens that came *before*: "Francisco" is frequent, but only after "San".

What it does not do: know that two contexts are alike; one that was never seen says nothing.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.old.pretraining.bits import Surprise
from helpers.old.pretraining.data import Tokens

LEAST = 0.1  # discount: at 0, what was never seen would be impossible
LARGEST = 2**62  # runs of tokens are counted as whole numbers below this


class NGram(nn.Module):
    """The next token from the `order` − 1 tokens before it; make one with `count`."""

    def __init__(self, tables: list[tuple[NDArray, ...]], discounts: list[float], vocab_size: int) -> None:
        super().__init__()
        self.tables, self.discounts, self.vocab_size = tables, discounts, vocab_size

    @property
    def order(self) -> int:
        """Tokens in the longest run that was counted."""
        return len(self.tables)

    @property
    def n_counts(self) -> int:
        """Different runs of tokens that it remembers."""
        return sum(len(table[0]) for table in self.tables)

    @classmethod
    def count(cls, tokens: Tokens, vocab_size: int, order: int, discount: float | None = None) -> NGram:
        """Count the runs of a text. discount: by default n₁ / (n₁ + 2 n₂) for each length, where n₁ runs occur once
        and n₂ twice. Raises ValueError for an order below 1, too long for the vocabulary or longer than the text."""
        if order < 1 or order >= len(tokens) or vocab_size ** (order + 1) > LARGEST:
            raise ValueError(
                f"An order is at least 1, below the {len(tokens):,} tokens of the text, and at most "
                f"{int(math.log(LARGEST) / math.log(max(2, vocab_size))) - 1} for {vocab_size} tokens, not {order}."
            )
        tables, discounts = [], []
        for n in range(1, order + 1):
            if n < order:  # before it: how many different tokens?
                found = np.sort(np.unique(runs(tokens.ids, n + 1, vocab_size)) % vocab_size**n)
            else:
                found = runs(tokens.ids, n, vocab_size)
            grams, times = np.unique(found, return_counts=True)
            contexts, first = np.unique(grams // vocab_size, return_index=True)
            total, kinds = np.add.reduceat(times, first), np.diff([*first, len(grams)])
            once, twice = int((times == 1).sum()), int((times == 2).sum())
            estimated = max(LEAST, once / max(1, once + 2 * twice))
            discounts.append(estimated if discount is None else discount)
            tables.append((grams, times, contexts, total, kinds))
        return cls(tables, discounts, vocab_size)

    def probabilities(self, context: NDArray, following: NDArray) -> NDArray:
        """p of each following token: context (N, order − 1), the newest token last, and following (N, K) → (N, K).

        A context of fewer tokens begins with −1 in the places that it lacks.
        """
        p = np.full(following.shape, 1 / self.vocab_size)
        whole = np.ones((len(context), 1), dtype=bool)
        before = np.zeros((len(context), 1), dtype=np.int64)  # the context's tokens as the digits of one number
        for n, (grams, times, contexts, total, kinds) in enumerate(self.tables, start=1):
            if n > 1:
                whole = whole & (context[:, -(n - 1), None] >= 0)
                before = before + context[:, -(n - 1), None].astype(np.int64) * self.vocab_size ** (n - 2)
            all_counts = look_up(contexts, total, before)  # (N, 1)
            count = look_up(grams, times, before * self.vocab_size + following)  # (N, K)
            taken = self.discounts[n - 1] * look_up(contexts, kinds, before)
            longer = (np.maximum(count - self.discounts[n - 1], 0) + taken * p) / np.maximum(all_counts, 1)
            p = np.where(whole & (all_counts > 0), longer, p)
        return p

    def nats(self, ids: NDArray) -> NDArray:
        """Surprise at each token of a text behind its first order − 1, in nats: (T,) → (T − order + 1,)."""
        ids = np.asarray(ids)
        windows = np.lib.stride_tricks.sliding_window_view(ids, self.order)  # (T − order + 1, order)
        return -np.log(self.probabilities(windows[:, :-1], windows[:, -1:])[:, 0])

    def surprise(self, tokens: Tokens) -> Surprise:
        """Mean surprise at a text; the first order − 1 tokens are only context."""
        nats = self.nats(tokens.ids)
        return Surprise(float(nats.mean()), tokens.bytes_per_token, len(nats))

    def seen(self, ids: NDArray) -> NDArray:
        """Was the whole context before each of these tokens ever seen? (T,) → (T − order + 1,) bool."""
        contexts, total = self.tables[-1][2], self.tables[-1][3]
        asked = runs(np.asarray(ids)[:-1], self.order - 1, self.vocab_size) if self.order > 1 else np.zeros(len(ids))
        return look_up(contexts, total, asked) > 0

    def forward(self, ids: Tensor) -> Tensor:
        """ids: (B, T) → log probabilities of the next token, (B, T, V)."""
        rows = F.pad(ids, (max(0, self.order - 2), 0), value=-1)
        context = rows.unfold(1, max(1, self.order - 1), 1).flatten(0, 1).numpy()  # (B · T, order − 1)
        p = self.probabilities(context, np.arange(self.vocab_size)[None].repeat(len(context), 0))
        return torch.from_numpy(np.log(p)).float().view(*ids.shape, -1)


def runs(ids: NDArray, n: int, vocab_size: int) -> NDArray:
    """Every n neighbors as one number, (len(ids) − n + 1,): the ids are the digits of a number to base V."""
    row = np.asarray(ids, dtype=np.int64)
    return sum(row[i : len(row) - n + 1 + i] * vocab_size ** (n - 1 - i) for i in range(n))


def look_up(keys: NDArray, values: NDArray, asked: NDArray) -> NDArray:
    """The value of each key that is asked for, 0 where there is none; `keys` are sorted."""
    at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[at] == asked, values[at], 0)
