"""The key/value cache: what a decoder remembers of the tokens it has read, so that it reads each only once.

    cache = KVCache(model.config, batch=1, max_len=100)
    logits = model(prompt, cache)                 # (1, T, V); the cache now holds T positions
    logits = model(next_token, cache)             # (1, 1, V): one token in, no token read twice

All memory is taken at once: 2 · n_layers · batch · n_kv_heads · max_len · head_dim numbers.

What it does not do: pages (Kwon et al., 2023), quantization, dropping old tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from helpers.attention import segment_mask, segment_positions


class CacheSize(Protocol):
    """What the cache needs of a model's configuration."""

    n_layers: int
    n_kv_heads: int
    head_dim: int


def append_kv(past: Tensor | None, new: Tensor) -> Tensor:
    """Put the keys (or values) of new tokens behind those of the past, in one new tensor.

    past: (B, H, S, head_dim), or None where nothing was read yet; new: (B, H, T, head_dim)  →  (B, H, S + T, head_dim)
    """
    return new if past is None else torch.cat((past, new), dim=2)


def write_kv(store: Tensor, length: int, new: Tensor) -> Tensor:
    """Write the keys (or values) of new tokens behind the `length` positions in use; return all that are in use now.

    store: (B, H, max_len, head_dim), new: (B, H, T, head_dim)  →  (B, H, length + T, head_dim), a view of `store`
    """
    end = length + new.shape[2]
    store[:, :, length:end] = new
    return store[:, :, :end]


class KVCache:
    """Keys and values of up to `max_len` positions of `batch` texts, for every layer of a decoder.

    config: a decoder's configuration (n_layers, n_kv_heads, head_dim). The cache takes the precision and the device
    of the first keys that it is given; say dtype and device to have it right from the start.
    length: positions held so far, padding included. Raises ValueError for a batch or max_len below 1.
    """

    def __init__(
        self,
        config: CacheSize,
        batch: int,
        max_len: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        if batch < 1 or max_len < 1:
            raise ValueError(f"A cache holds at least 1 text and 1 position, not batch={batch}, max_len={max_len}.")
        shape = (config.n_layers, batch, config.n_kv_heads, max_len, config.head_dim)
        self.keys = torch.zeros(shape, dtype=dtype, device=device)  # (L, B, H_kv, max_len, head_dim)
        self.values = torch.zeros(shape, dtype=dtype, device=device)
        self.real = torch.ones(batch, max_len, dtype=torch.bool, device=device)  # False at padding
        self.padded = False  # does `real` hold any False so far? Saves looking, and a mask.
        self.length = 0
        self.memory: list[tuple[Tensor, Tensor]] | None = None  # with an encoder: cross-attention's keys and values

    @property
    def batch(self) -> int:
        """Number of texts."""
        return self.keys.shape[1]

    @property
    def max_len(self) -> int:
        """Positions that fit."""
        return self.keys.shape[3]

    @property
    def nbytes(self) -> int:
        """Bytes of keys and values, used or not."""
        return self.keys.nbytes + self.values.nbytes

    def require_room(self, batch: int, T: int) -> None:
        """Raises ValueError unless `T` more positions of `batch` texts fit."""
        if batch != self.batch:
            raise ValueError(f"The cache is made for a batch of {self.batch}, not of {batch}: make one for this batch.")
        if self.length + T > self.max_len:
            raise ValueError(
                f"The cache holds {self.max_len} positions and {self.length} of them are used, so {T} more do not fit: "
                f"make it with max_len={self.length + T} or more."
            )

    def write(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Store k and v (B, H_kv, T, head_dim) behind what is there; return all of the layer's, (B, H_kv, S, head_dim).

        `length` stays as it is until `advance`, since every layer writes the same positions. No gradient flows back.
        """
        start = self.length
        self.require_room(k.shape[0], k.shape[2])
        if (k.shape[1], k.shape[3]) != (self.keys.shape[2], self.keys.shape[4]):
            raise ValueError(
                f"The cache has {self.keys.shape[2]} heads of {self.keys.shape[4]} numbers, the keys {k.shape[1]} of "
                f"{k.shape[3]}: make it with the model's own configuration, as model.new_cache() does."
            )
        if start == 0 and (k.dtype, k.device) != (self.keys.dtype, self.keys.device):
            self.keys, self.values, self.real = self.keys.to(k), self.values.to(k), self.real.to(k.device)
        return write_kv(self.keys[layer], start, k.detach()), write_kv(self.values[layer], start, v.detach())

    def advance(self, T: int) -> None:
        """Count the `T` positions that every layer has written."""
        self.length += T

    def truncate(self, length: int) -> None:
        """Forget all but the first `length` positions. Raises ValueError for more than there are, or less than 0."""
        if not 0 <= length <= self.length:
            raise ValueError(f"The cache holds {self.length} positions and cannot be cut to {length}.")
        self.length = length
        self.real[:, length:] = True
        self.padded = not bool(self.real.all())
        self.memory = self.memory if length else None


class GrowingCache(KVCache):
    """The cache that most first versions have: each new token copies the whole past into longer tensors.

    Takes the place of a `KVCache` and gives the same numbers; memory is taken as the text grows. append: what puts new
    keys behind the past ones (`append_kv`).
    """

    def __init__(
        self,
        config: CacheSize,
        batch: int,
        max_len: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        append: Callable[[Tensor | None, Tensor], Tensor] = append_kv,
    ) -> None:
        super().__init__(config, batch, max_len, dtype, "meta")  # shapes, without memory
        self.real = torch.ones(batch, max_len, dtype=torch.bool, device=device)
        self.append = append
        self.past: list[list[Tensor | None]] = [[None, None] for _ in range(config.n_layers)]  # keys, values

    @property
    def nbytes(self) -> int:
        """Bytes of keys and values so far."""
        return sum(tensor.nbytes for pair in self.past for tensor in pair if tensor is not None)

    def write(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """As `KVCache.write`."""
        self.require_room(k.shape[0], k.shape[2])
        past = self.past[layer]
        past[0], past[1] = self.append(past[0], k.detach()), self.append(past[1], v.detach())
        return past[0], past[1]

    def truncate(self, length: int) -> None:
        """As `KVCache.truncate`."""
        super().truncate(length)
        self.past = [[None if kept is None else kept[:, :, :length] for kept in pair] for pair in self.past]


@dataclass(frozen=True)
class LayerView:
    """One layer of a `KVCache`."""

    cache: KVCache
    layer: int

    def update(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Store the new keys and values; return all of this layer's (`KVCache.write`)."""
        return self.cache.write(self.layer, k, v)


def layer_caches(cache: KVCache | None, n_layers: int) -> list[LayerView] | list[None]:
    """One view of the cache for each layer, or None for each. Raises ValueError for a cache of another depth."""
    if cache is None:
        return [None] * n_layers
    if len(cache.keys) != n_layers:
        raise ValueError(
            f"The cache has {len(cache.keys)} layers, the model {n_layers}: make it with model.new_cache()."
        )
    return [LayerView(cache, layer) for layer in range(n_layers)]


def place_tokens(
    ids: Tensor, cache: KVCache | None, mask: Tensor | None, segments: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Where tokens stand and which keys are real, for a decoder about to read `ids` behind what is in the cache.

    ids: (B, T); mask: (B, T) bool, False at padding, or None for no padding; segments: (B, T), as in `segment_mask`
    →  positions, (T,) or, with padding, (B, T): real tokens are counted from 0 in each text, wherever it starts;
       keys (B, 1, 1, S) bool, S = cached + T, or None where all are real; with segments (B, 1, T, T).
    Raises ValueError where the shapes disagree, the cache is full, or segments come with a cache or a mask.
    """
    B, T = ids.shape
    if segments is not None:
        if segments.shape != ids.shape or cache is not None or mask is not None:
            raise ValueError(
                f"Segments have the shape of the ids, {tuple(ids.shape)}, mark padding by 0 and go without a mask or a "
                "cache."
            )
        segments = segments.to(ids.device)
        return segment_positions(segments), segment_mask(segments)[:, None]
    if mask is not None and mask.shape != ids.shape:
        raise ValueError(
            f"The mask has the shape {tuple(mask.shape)} and the ids {tuple(ids.shape)}: it says for each of these "
            "tokens whether it is real; a cache remembers the earlier ones."
        )
    mask = None if mask is None or bool(mask.all()) else mask.to(ids.device, torch.bool)  # none hidden: spare a mask
    start = 0
    if cache is not None:
        cache.require_room(B, T)
        start = cache.length
        cache.padded = cache.padded or mask is not None
        if cache.padded:
            cache.real = cache.real.to(ids.device)
            cache.real[:, start : start + T] = True if mask is None else mask
            mask = cache.real[:, : start + T]
    if mask is None:
        return torch.arange(start, start + T, device=ids.device), None
    positions = (mask.long().cumsum(1) - 1).clamp(min=0)[:, start:]  # (B, T)
    return positions, mask[:, None, None, :]


def require_ids(ids: Tensor, vocab_size: int) -> None:
    """Raises TypeError or ValueError unless `ids` is a (B, T) int64 tensor of ids below `vocab_size`, T at least 1."""
    if not isinstance(ids, Tensor) or ids.dtype not in (torch.int64, torch.int32):
        found = str(ids.dtype) if isinstance(ids, Tensor) else type(ids).__name__
        raise TypeError(f"Token ids are a tensor of whole numbers, not {found}: write torch.tensor([ids]).")
    if ids.dim() != 2 or ids.numel() == 0:
        raise ValueError(f"Token ids have the shape (batch, time) with at least one token, not {tuple(ids.shape)}.")
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or high >= vocab_size:
        raise ValueError(
            f"There is no token {low if low < 0 else high}: ids of this model go from 0 to {vocab_size - 1}."
        )
