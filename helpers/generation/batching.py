"""Prompts side by side, and a model asked what follows them.

    ids, mask = as_batch([[5, 6, 7], [8]])     # [[5, 6, 7], [0, 0, 8]] and [[1, 1, 1], [0, 0, 1]]
    logits = Forward(model).last(ids, mask=mask)                     # (B, V), of the token behind each prompt

A decoder continues at the right end, so padding stands on the left, and the mask says which tokens are real.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

Prompts = Tensor | Sequence[int] | Sequence[Sequence[int]] | Sequence[Tensor]


def as_batch(ids: Prompts, pad_id: int = 0, device: torch.device | None = None) -> tuple[Tensor, Tensor | None]:
    """One prompt or several, of equal or unequal lengths, as a batch.

    ids: (T,), (B, T), a list of ids, or a list of such prompts  →  ids (B, T) int64, padded on the left with `pad_id`,
    and a mask (B, T), False at padding, or None where there is none. A tensor (B, T) is taken to have no padding.
    Raises ValueError for an empty prompt and other shapes, TypeError for what is no ids.
    """
    rows = _rows(ids)
    lengths = torch.tensor([len(row) for row in rows])
    width = int(lengths.max())
    batch = torch.full((len(rows), width), pad_id, dtype=torch.int64)
    for i, row in enumerate(rows):
        batch[i, width - len(row) :] = row
    device = rows[0].device if device is None else device
    if bool((lengths == width).all()):
        return batch.to(device), None
    return batch.to(device), (torch.arange(width) >= width - lengths[:, None]).to(device)


def _rows(ids: Prompts) -> list[Tensor]:
    if isinstance(ids, str) or not isinstance(ids, Tensor | Sequence):
        raise TypeError(
            f"A prompt is a list or tensor of token ids, not {kind(ids)}: encode a text, take its input_ids."
        )
    if isinstance(ids, Tensor) and ids.dim() not in (1, 2):
        raise ValueError(f"Prompts have the shape (T,) or (B, T), not {tuple(ids.shape)}.")
    one = ids.dim() == 1 if isinstance(ids, Tensor) else not any(isinstance(item, Tensor | Sequence) for item in ids)
    rows = []
    for row in [ids] if one else ids:
        if not isinstance(row, Tensor) and (wrong := [token for token in row if not hasattr(token, "__index__")]):
            raise TypeError(f"Token ids are whole numbers, not {wrong[0]!r:.40}: encode texts first.")
        row = torch.as_tensor(row) if len(row) else torch.empty(0, dtype=torch.int64)
        if row.dtype not in (torch.int64, torch.int32) or row.dim() != 1:
            raise TypeError(f"A prompt is a row of whole numbers, not {row.dtype} of shape {tuple(row.shape)}.")
        rows.append(row)
    if not rows or any(len(row) == 0 for row in rows):
        raise ValueError("A prompt is empty: give at least one token, such as the one that begins a text.")
    return rows


class Forward:
    """A model's forward pass, as decoding needs it, with what decoding has to know of the model.

    model: anything with forward(ids, cache=None) → logits (B, T, V). It is given `last_only=` and `mask=` where it
    takes them; padded prompts need `mask`, and a cache needs `new_cache(batch, max_len)`.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.call = model if callable(model) else model.forward
        takes = inspect.signature(getattr(model, "forward", self.call)).parameters
        self.takes_mask, self.takes_last_only = "mask" in takes, "last_only" in takes
        self.has_cache = hasattr(model, "new_cache")
        config = getattr(model, "config", None)
        self.max_len = getattr(config, "max_len", None)
        self.eos_ids = tuple(getattr(config, "eos_ids", ()))
        weights = getattr(model, "parameters", lambda: iter(()))()
        self.device = next((weight.device for weight in weights), None)

    def __call__(self, ids: Tensor, cache: Any = None, mask: Tensor | None = None, last_only: bool = False) -> Tensor:
        """ids: (B, T)  →  logits (B, T, V), or (B, 1, V) with last_only. Raises TypeError for anything else."""
        options: dict[str, Any] = {} if mask is None else {"mask": mask}
        if last_only and self.takes_last_only:
            options["last_only"] = True
        logits = self.call(ids, **options) if cache is None else self.call(ids, cache, **options)
        if not isinstance(logits, Tensor) or logits.dim() != 3:
            raise TypeError(
                f"forward(ids) has to give logits, a tensor (B, T, V), not {kind(logits)}: a model of the library has "
                "its own generate; for this one, load it by Llama.from_pretrained."
            )
        return logits[:, -1:] if last_only else logits

    def last(self, ids: Tensor, cache: Any = None, mask: Tensor | None = None) -> Tensor:
        """ids: (B, T)  →  the logits of what follows, (B, V) float32."""
        return self(ids, cache, mask, last_only=True)[:, -1].float()

    def prompts(self, ids: Prompts, max_new_tokens: int, pad_id: int) -> tuple[Tensor, Tensor | None]:
        """`as_batch` on the model's device. Raises ValueError where the reply would not fit, or a mask is needed."""
        if isinstance(max_new_tokens, bool) or not isinstance(max_new_tokens, int) or max_new_tokens < 1:
            raise ValueError(f"max_new_tokens is a whole number from 1, not {max_new_tokens}.")
        batch, mask = as_batch(ids, pad_id, self.device)
        length = batch.shape[1] + max_new_tokens
        if self.max_len is not None and length > self.max_len:
            raise ValueError(
                f"The prompt has {batch.shape[1]} tokens and may grow by {max_new_tokens} to {length}, "
                f"{length - self.max_len} more than the model's context of {self.max_len}: cut the prompt or the reply."
            )
        if mask is not None and not self.takes_mask:
            raise ValueError("These prompts differ in length, and this model takes no mask=: give them one by one.")
        return batch, mask

    def ends(self, eos_ids: int | Iterable[int] | None, ignore_eos: bool = False) -> tuple[int, ...]:
        """The ids that end a text: those given, or the model's own. Raises ValueError for both kinds of orders."""
        if ignore_eos and eos_ids is not None:
            raise ValueError("ignore_eos=True and eos_ids contradict each other: give one of them.")
        given = self.eos_ids if eos_ids is None else eos_ids
        return (given,) if isinstance(given, int) else tuple(given)


def kind(thing: object) -> str:
    """What an error calls a thing: its type, or a tensor's shape."""
    return f"a tensor {tuple(thing.shape)}" if isinstance(thing, Tensor) else type(thing).__name__
