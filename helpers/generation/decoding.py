"""The loop that makes text of a model: forward, choose, append, until something says stop.

    ids = generate(model, prompt_ids, max_new_tokens=64)                     # (B, prompt + new)
    ids = generate(model, prompts, 64, sampler=sample(temperature(0.7)))     # prompts of unequal lengths
    for piece in stream(model, tokenizer, prompt_ids, 64): ...               # text, while it arrives

The model is anything that maps ids (B, T) to logits (B, T, V). With `new_cache` it reads each token once; without, it
reads the whole text again for every new token. `Decoding.steps` is the loop. A stop string is looked for in the text,
not in the ids: "\\nUser:" has many spellings in tokens, and may begin in the middle of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from helpers.generation.batching import Forward, Prompts, kind
from helpers.generation.sampling import Sampler, greedy
from helpers.generation.streaming import ReplyText, Tokenizer


class Streamer(Protocol):
    """What watches tokens arrive; the library's streamers do."""

    def put(self, ids: Tensor) -> None:
        """First the prompt (B, T), then each step's tokens (B,), on the CPU."""

    def end(self) -> None:
        """Nothing follows."""


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

    ids: (T,) or (B, T), or a list of prompts of unequal lengths, which are padded on the left. A row ends with one of
    `eos_ids`, by default the model's own, or with what `stop` names, token ids or, given the tokenizer, strings; it
    keeps what ended it and is filled with `pad_id`, by default the first of `eos_ids`. The model's context, max_len,
    has to hold prompt and reply. Raises ValueError for that, an empty prompt, and options that contradict each other.
    """
    run = Decoding(
        model, ids, max_new_tokens, sampler, cache, stop, ignore_eos, eos_ids, tokenizer=tokenizer, pad_id=pad_id
    )
    if streamer is not None:
        streamer.put(run.out[:, : run.length].cpu())
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

    Options and errors as in `generate`. A piece is shown once the next token proves it complete.
    """
    run = Decoding(
        model, ids, max_new_tokens, sampler, cache, stop, ignore_eos, eos_ids, tokenizer=tokenizer, as_text=True
    )
    if len(run.out) != 1:
        raise ValueError(f"stream takes one prompt, not {len(run.out)}: for several, use generate.")
    return run.pieces()


class Decoding:
    """One call of `generate`, checked and ready. `out[:, :length]` is what stands so far, `steps` goes on."""

    def __init__(
        self,
        model: Any,
        ids: Prompts,
        max_new_tokens: int,
        sampler: Sampler,
        cache: bool,
        stop: str | int | Iterable[str | int],
        ignore_eos: bool,
        eos_ids: int | Iterable[int] | None,
        *,
        tokenizer: Tokenizer | None,
        pad_id: int | None = None,
        as_text: bool = False,
    ) -> None:
        self.forward, self.sampler = Forward(model), sampler
        ends = self.forward.ends(eos_ids, ignore_eos)
        self.pad_id = pad_id if pad_id is not None else next(iter(ends), 0)
        prompts, self.mask = self.forward.prompts(ids, max_new_tokens, self.pad_id)
        B, T = prompts.shape
        stop_ids, words = split_stops(stop, tokenizer)
        texts = [ReplyText(tokenizer, words) for _ in range(B)] if words or as_text else []
        self.stops = Stops(B, stop_ids if ignore_eos else [*stop_ids, *ends], texts)
        self.out = torch.full((B, T + max_new_tokens), self.pad_id, device=prompts.device)
        self.out[:, :T] = prompts
        self.length = T
        self.cache = model.new_cache(B, T + max_new_tokens - 1) if cache and self.forward.has_cache else None

    @torch.inference_mode()
    def steps(self) -> Iterator[Tensor]:
        """Choose the next token of each row, append it, give it, (B,); and again."""
        out, mask, start, read = self.out, self.mask, self.length, 0  # read: positions that the cache holds
        said = out  # what samplers see
        if mask is not None:
            said = out.clone()
            said[:, :start] = torch.where(mask, out[:, :start], out[:, start - 1, None])  # no padding: nobody said it
            mask = torch.cat((mask, mask.new_ones(len(out), out.shape[1] - start)), dim=1)
        for length in range(start, out.shape[1]):
            hidden = None if mask is None or read >= start else mask[:, read:length]
            logits = self.forward.last(out[:, read:length], self.cache, hidden)  # (B, V)
            tokens = self.sampler(logits, said[:, :length])
            if tokens.shape != out.shape[:1]:
                raise ValueError(f"A sampler gives one id a row, ({len(out)},), not {kind(tokens)}: use sample(…).")
            out[:, length] = said[:, length] = tokens
            for row, finished in enumerate(self.stops.finished):
                if finished:
                    out[row, length] = self.pad_id
            self.length, read = length + 1, length if self.cache is not None else 0
            ended = self.stops.needed and self.stops.put(out[:, length].tolist())
            yield out[:, length]
            if ended:
                return

    def pieces(self) -> Iterator[str]:
        """The text of the only row, as far as it is settled after each step."""
        (reply,) = self.stops.texts
        for _ in self.steps():
            if piece := reply.take():
                yield piece
        reply.end()
        if piece := reply.take(last=True):
            yield piece


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
    added = getattr(tokenizer, "added_tokens_decoder", {})  # the library's tokenizers: id → token
    special = {token.content: i for i, token in added.items() if token.special}
    return ids + [special[word] for word in words if word in special], [word for word in words if word not in special]
