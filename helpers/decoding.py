"""The loop that makes text of a model: forward, choose, append, until something says stop.

    ids = generate(model, prompt_ids, max_new_tokens=64)                     # (B, prompt + new)
    ids = generate(model, prompts, 64, sampler=sample(temperature(0.7)))     # prompts of unequal lengths

The model is anything that maps ids (B, T) to logits (B, T, V). With `new_cache` it reads each token once; without, it
reads the whole text again for every new token. Texts and tensors: ids are int64, padding stands on the left.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from helpers.sampling import Sampler, greedy
from helpers.streaming import ReplyText, Tokenizer

Prompts = Tensor | Sequence[int] | Sequence[Sequence[int]] | Sequence[Tensor]


class Streamer(Protocol):
    """What watches tokens arrive; the library's streamers do."""

    def put(self, ids: Tensor) -> None:
        """First the prompt (B, T), then each step's tokens (B,), on the CPU."""

    def end(self) -> None:
        """Nothing follows."""


# What a model is asked -----------------------------------------------------------------------------------------------


class Forward:
    """A model's forward pass as decoding needs it: the logits of the last positions, (B, V).

    Keywords that the model does not have are left out; `mask` it must have where texts are padded.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.call = model if callable(model) else model.forward
        takes = inspect.signature(getattr(model, "forward", self.call)).parameters
        anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes.values())
        self.takes_mask = "mask" in takes
        self.options = {"last_only": True} if "last_only" in takes else {}
        self.has_cache = hasattr(model, "new_cache") and ("cache" in takes or anything)
        config = getattr(model, "config", None)
        self.max_len = getattr(config, "max_len", None)
        self.eos_ids = tuple(getattr(config, "eos_ids", ()))
        self.device = next((p.device for p in getattr(model, "parameters", lambda: iter(()))()), None)

    def __call__(self, ids: Tensor, cache: Any = None, mask: Tensor | None = None) -> Tensor:
        """ids: (B, T)  →  logits (B, V) of what follows the last."""
        options = self.options if mask is None else {**self.options, "mask": mask}
        logits = self.call(ids, **options) if cache is None else self.call(ids, cache, **options)
        if not isinstance(logits, Tensor) or logits.dim() != 3:
            raise TypeError(
                f"forward(ids) must give logits, a tensor (B, T, V), not {_kind(logits)}: a model of the library has "
                "a generate of its own; for this one load it by Llama.from_pretrained."
            )
        return logits[:, -1]


@dataclass
class Batch:
    """Prompts side by side: ids (B, T) int64, padded on the left; mask (B, T), False at padding, or None for none."""

    ids: Tensor
    mask: Tensor | None


def as_batch(ids: Prompts, pad_id: int = 0, device: torch.device | None = None) -> Batch:
    """One prompt or several, as tensors or lists, made a batch. Raises ValueError for an empty one, TypeError."""
    if isinstance(ids, Tensor):
        rows = list(ids[None] if ids.dim() == 1 else ids)
        if ids.dim() not in (1, 2):
            raise ValueError(f"Prompts have the shape (T,) or (B, T), not {tuple(ids.shape)}.")
    else:
        single = len(ids) > 0 and not isinstance(ids[0], Tensor | Sequence)
        rows = [torch.as_tensor(row) for row in ([ids] if single else ids)]
    if not rows or any(row.numel() == 0 for row in rows):
        raise ValueError("A prompt is empty: give at least one token, such as the beginning-of-text token.")
    if wrong := [row for row in rows if row.dtype not in (torch.int64, torch.int32) or row.dim() != 1]:
        raise TypeError(f"A prompt is a row of token ids, whole numbers, not {wrong[0].dtype} {tuple(wrong[0].shape)}.")
    lengths = [len(row) for row in rows]
    width = max(lengths)
    padded = torch.full((len(rows), width), pad_id, dtype=torch.int64, device=device)
    for i, row in enumerate(rows):
        padded[i, width - len(row) :] = row
    if min(lengths) == width:
        return Batch(padded, None)
    return Batch(padded, torch.arange(width, device=device) >= width - torch.tensor(lengths, device=device)[:, None])


def _kind(thing: object) -> str:
    return f"a tensor {tuple(thing.shape)}" if isinstance(thing, Tensor) else type(thing).__name__


# When to stop --------------------------------------------------------------------------------------------------------


class Stops:
    """What ends a reply, by row: end-of-sequence ids, other ids, strings in the text. Asked once a step."""

    def __init__(self, batch: int, ids: Iterable[int], texts: Sequence[ReplyText] = ()) -> None:
        self.ids = frozenset(ids)
        self.texts = texts
        self.finished = [False] * batch
        self.needed = bool(self.ids or texts)

    def put(self, tokens: list[int]) -> bool:
        """Take each row's token; True if all rows are finished."""
        for row, token in enumerate(tokens):
            if not self.finished[row]:
                self.finished[row] = token in self.ids or bool(self.texts and self.texts[row].put(token))
        return all(self.finished)


def split_stops(stop: str | int | Iterable[str | int], tokenizer: Tokenizer | None) -> tuple[list[int], list[str]]:
    """Ids and strings that end a reply; a string that is one special token is its id, since text shows none of them."""
    given = [stop] if isinstance(stop, str | int) else list(stop)
    if wrong := [item for item in given if not isinstance(item, str | int) or item == "" or isinstance(item, bool)]:
        raise ValueError(f"stop takes strings that are not empty and token ids, not {wrong[0]!r}.")
    ids, words = [item for item in given if isinstance(item, int)], [item for item in given if isinstance(item, str)]
    if words and tokenizer is None:
        raise ValueError(f"To stop at the text {words[0]!r}, generate needs the tokenizer: write tokenizer=….")
    special = dict(zip(getattr(tokenizer, "all_special_tokens", ()), getattr(tokenizer, "all_special_ids", ())))
    return ids + [special[word] for word in words if word in special], [word for word in words if word not in special]


# The loop ------------------------------------------------------------------------------------------------------------


def generate(
    model: Any,
    ids: Prompts,
    max_new_tokens: int,
    *,
    sampler: Sampler = greedy,
    cache: bool = True,
    stop: str | int | Iterable[str | int] = (),
    ignore_eos: bool = False,
    streamer: Streamer | None = None,
    tokenizer: Tokenizer | None = None,
    eos_ids: int | Iterable[int] | None = None,
    pad_id: int | None = None,
) -> Tensor:
    """Continue each prompt by up to `max_new_tokens` tokens: (B, prompt + new) int64, as the library's `generate`.

    ids: (T,) or (B, T), or a list of prompts of unequal lengths, which are padded on the left. A row that has come to
    an end (`eos_ids`, by default the model's; `stop`: token ids or, with `tokenizer`, strings) keeps what ended it and
    is filled with `pad_id`, by default the first of `eos_ids`. Raises ValueError for an empty prompt, one that leaves
    no room in the model's max_len, and options that contradict each other.
    """
    run = Run(model, ids, max_new_tokens, sampler, cache, stop, ignore_eos, tokenizer, eos_ids, pad_id)
    if streamer is not None:
        streamer.put(run.out[:, : run.start].cpu())
    try:
        for tokens in run.steps():
            if streamer is not None:
                streamer.put(tokens.cpu())
    finally:
        if streamer is not None:
            streamer.end()
    return run.out[:, : run.length]


def stream(
    model: Any,
    tokenizer: Tokenizer,
    ids: Prompts,
    max_new_tokens: int,
    *,
    sampler: Sampler = greedy,
    cache: bool = True,
    stop: str | int | Iterable[str | int] = (),
    ignore_eos: bool = False,
    eos_ids: int | Iterable[int] | None = None,
) -> Iterator[str]:
    """The text of one reply, piece by piece: no character is ever split, and what ends the reply is never shown.

    Options as in `generate`. A piece is shown when the next token proves it complete, one token late.
    """
    run = Run(model, ids, max_new_tokens, sampler, cache, stop, ignore_eos, tokenizer, eos_ids, None, text=True)
    if len(run.out) != 1:
        raise ValueError(f"stream takes one prompt, not {len(run.out)}: for several use generate.")

    def pieces() -> Iterator[str]:
        reply = run.stops.texts[0]
        for _ in run.steps():
            if piece := reply.take():
                yield piece
        reply.end()
        if piece := reply.take(last=True):
            yield piece

    return pieces()


class Run:
    """One call of `generate`, checked and ready: `steps` runs it, `out[:, :length]` is what stands so far."""

    def __init__(
        self,
        model: Any,
        ids: Prompts,
        max_new_tokens: int,
        sampler: Sampler,
        cache: bool,
        stop: str | int | Iterable[str | int],
        ignore_eos: bool,
        tokenizer: Tokenizer | None,
        eos_ids: int | Iterable[int] | None,
        pad_id: int | None,
        text: bool = False,
    ) -> None:
        self.forward, self.sampler = Forward(model), sampler
        if isinstance(max_new_tokens, bool) or not isinstance(max_new_tokens, int) or max_new_tokens < 1:
            raise ValueError(f"max_new_tokens is a whole number from 1, not {max_new_tokens}.")
        if ignore_eos and eos_ids is not None:
            raise ValueError("ignore_eos=True and eos_ids contradict each other: give one of them.")
        given = self.forward.eos_ids if eos_ids is None else eos_ids
        ends = (given,) if isinstance(given, int) else tuple(given)
        self.pad_id = pad_id if pad_id is not None else ends[0] if ends else 0
        stop_ids, words = split_stops(stop, tokenizer)
        batch = as_batch(ids, self.pad_id, self.forward.device)
        B, T = batch.ids.shape
        if self.forward.max_len is not None and T + max_new_tokens > self.forward.max_len:
            raise ValueError(
                f"The prompt has {T} tokens and {max_new_tokens} more are asked for, {T + max_new_tokens} in all: "
                f"{T + max_new_tokens - self.forward.max_len} more than the model's context of {self.forward.max_len}."
            )
        if batch.mask is not None and not self.forward.takes_mask:
            raise ValueError("These prompts differ in length, and this model takes no mask=: give them one by one.")
        texts = [ReplyText(tokenizer, words) for _ in range(B)] if words or text else ()
        self.stops = Stops(B, [*stop_ids, *(() if ignore_eos else ends)], texts)
        self.mask = batch.mask
        self.out = torch.full((B, T + max_new_tokens), self.pad_id, dtype=torch.int64, device=batch.ids.device)
        self.out[:, :T] = batch.ids
        self.start = self.length = T
        self.cache = model.new_cache(B, T + max_new_tokens - 1) if cache and self.forward.has_cache else None

    @torch.inference_mode()
    def steps(self) -> Iterator[Tensor]:
        """Run: gives each step's tokens, (B,)."""
        out, cache, mask, stops = self.out, self.cache, self.mask, self.stops
        said = out if mask is None else out.clone()  # what samplers see: padding repeats a token of its own text
        if mask is not None:
            said[:, : self.start] = torch.where(mask, out[:, : self.start], out[:, self.start - 1, None])
            mask = torch.cat((mask, mask.new_ones(len(out), out.shape[1] - self.start)), dim=1)
        read = 0  # positions that the cache holds
        for length in range(self.start, out.shape[1]):
            unread = None if mask is None or read >= self.start else mask[:, read:length]
            logits = self.forward(out[:, read:length], cache, unread)
            tokens = self.sampler(logits.float(), said[:, :length])
            if tokens.shape != out.shape[:1]:
                raise ValueError(f"A sampler gives one id a row, ({len(out)},), not {_kind(tokens)}: use sample(…).")
            for row, finished in enumerate(stops.finished):
                if finished:
                    tokens[row] = self.pad_id
            out[:, length] = tokens
            if said is not out:
                said[:, length] = tokens
            read, self.length = length if cache is not None else 0, length + 1
            done = stops.needed and stops.put(tokens.tolist())
            yield tokens
            if done:
                return
