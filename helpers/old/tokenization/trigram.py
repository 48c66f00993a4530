"""The smallest language model that deserves the name: the next token from counts of the two tokens before it.

    model = Trigram(ids, vocab_size)          # counts: no gradient, no weights, a second for a million tokens
    model.bits(other_ids)                     # summed -log2 p of each token, given the two before it

A fair and fast judge of vocabularies, and the baseline that a neural language model has to beat. Kneser and Ney, 1995,
in its interpolated form (Chen and Goodman, 1999).

What it does not do: look further back than two tokens, or learn that two tokens are alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DISCOUNT = 0.75  # taken from every count, to pay for what was never seen


class Trigram:
    """Interpolated Kneser-Ney: p(next) = (count − ¾) / total + (share of the ¾) · p(next, one token less back)."""

    def __init__(self, ids: Sequence[int], vocab_size: int) -> None:
        self.size, self.tables = vocab_size, []
        for n in (1, 2, 3):
            if n < 3:  # fewer than two tokens back: after how many different tokens does it occur?
                found = np.sort(np.unique(self.runs(ids, n + 1)) % vocab_size**n)
            else:
                found = self.runs(ids, 3)
            grams, times = np.unique(found, return_counts=True)
            contexts, first = np.unique(grams // vocab_size, return_index=True)
            total, kinds = np.add.reduceat(times, first), np.diff([*first, len(grams)])
            self.tables.append((grams, times, contexts, total, kinds))

    def runs(self, ids: Sequence[int], n: int) -> NDArray[np.int64]:
        """Every n neighbors as one number, (len(ids) − n + 1,): the ids are the digits of a number to base V."""
        row = np.asarray(ids, dtype=np.int64)
        return sum(row[i : len(row) - n + 1 + i] * self.size ** (n - 1 - i) for i in range(n))

    def bits(self, ids: Sequence[int]) -> float:
        """−log₂ p of all `ids` together. The first token has no context and the second has one token of it."""
        p = np.full(len(ids), 1 / self.size)
        for n, (grams, times, contexts, total, kinds) in enumerate(self.tables, start=1):
            asked = self.runs(ids, n)
            count, all_counts = look_up(grams, times, asked), look_up(contexts, total, asked // self.size)
            saved = DISCOUNT * look_up(contexts, kinds, asked // self.size)
            shorter, known = p[n - 1 :], all_counts > 0
            longer = (np.maximum(count - DISCOUNT, 0) + saved * shorter) / np.maximum(all_counts, 1)
            p[n - 1 :] = np.where(known, longer, shorter)
        return float(-np.log2(p).sum())


def look_up(keys: NDArray, values: NDArray, asked: NDArray) -> NDArray:
    """The value of each key that is asked for, 0 where there is none; `keys` are sorted."""
    at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[at] == asked, values[at], 0)
