"""What all texts of a batch begin with, such as the instruction, read only once: in training and in generation.

    train(model, examples, recipe, loss=loss_behind_prefix)     # instead of loss_at_labels: same numbers, fewer tokens
    generate(BehindPrefix(model, instruction), tickets, 64)     # prompts without the instruction

    without   SSSS aaaa        S: 118 tokens of instruction, in every row
              SSSS bbb         8 tickets: 8 · (118 + 85) = 1,624 tokens
    with      SSSS             118 + 8 · 85 = 798 tokens
                   aaaa
                   bbb

Each row's attention looks back at the same keys and values, and its gradient flows into them: the sum over the rows is
what the copies would have given. What it does not do: prefixes that only some rows share, packed rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from helpers.transformer.kv_cache import CacheSize, KVCache, append_kv


class PrefixCache(KVCache):
    """Keys and values of one prefix, with their gradients, in front of every row that comes after `spread`."""

    def __init__(self, config: CacheSize, max_len: int, device: torch.device | str) -> None:
        super().__init__(config, 1, max_len, device="meta")  # shapes, without memory
        self.real = torch.ones(1, max_len, dtype=torch.bool, device=device)
        self.prefix: list[tuple[Tensor, Tensor] | None] = [None] * config.n_layers

    def spread(self, batch: int) -> None:
        """From now on, `batch` rows follow, each of them behind the prefix."""
        self.keys, self.values = (x.expand(-1, batch, -1, -1, -1) for x in (self.keys, self.values))
        self.real = self.real.repeat(batch, 1)

    def write(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Keep what the prefix gives; put it in front of what the rows give. (B, H_kv, T, head_dim) each."""
        if self.prefix[layer] is None:
            self.prefix[layer] = (k, v)
            return k, v
        before = (x.expand(len(k), -1, -1, -1) for x in self.prefix[layer])
        return tuple(append_kv(old, new) for old, new in zip(before, (k, v), strict=True))


class BehindPrefix:
    """A model that has read `prefix` already: it takes the prompts' other tokens, and its caches begin with those.

    model: one of the course, with `new_cache`. What is computed once is right as long as its weights stay as they are.
    """

    def __init__(self, model: Any, prefix: Sequence[int]) -> None:
        self.model, self.config, self.parameters = model, model.config, model.parameters
        self.read = model.new_cache(1, len(prefix))
        with torch.inference_mode():
            model(torch.tensor([list(prefix)], device=next(model.parameters()).device), self.read, last_only=True)

    def new_cache(self, batch: int, max_len: int) -> KVCache:
        """Room for max_len positions behind the prefix, which is in every row. Raises ValueError beyond the context."""
        n = self.read.length
        if n + max_len > self.config.max_len:
            raise ValueError(
                f"A prefix of {n} tokens and {max_len} behind it are more than the model's context of "
                f"{self.config.max_len}: cut one of them."
            )
        cache = self.model.new_cache(batch, n + max_len)
        cache.keys[:, :, :, :n], cache.values[:, :, :, :n] = self.read.keys, self.read.values
        cache.advance(n)
        return cache

    def forward(self, ids: Tensor, cache: KVCache, mask: Tensor | None = None, last_only: bool = False) -> Tensor:
        """As the model's own, with a cache that `new_cache` made."""
        return self.model(ids, cache, mask=mask, last_only=last_only)
