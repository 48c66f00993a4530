"""Continuous batching in its smallest form: a fixed number of seats, and nobody waits for the slowest.

    seat 0   a a a a a a d d d d
    seat 1   b b c c c c c c e e
When b has written its end, c takes its seat; each column is one pass of the model.
"""

from __future__ import annotations

from collections import deque

import torch

from helpers.transformer.kv_cache import KVCache


@torch.inference_mode()
def minimal_serve(
    model: torch.nn.Module, prompts: list[list[int]], max_new_tokens: int, end_id: int, seats: int, max_len: int
) -> list[list[int]]:
    """The greedy reply to each prompt, its end token included. max_len: columns of the cache that all seats share."""
    waiting, replies = deque(range(len(prompts))), [[] for _ in prompts]
    seated: list[int | None] = [None] * seats  # which prompt is being answered in each seat
    newest = torch.zeros(seats, 1, dtype=torch.int64)  # the token that each seat reads next
    cache = model.new_cache(seats, max_len)
    cache.real[:], cache.padded = False, True  # no seat sees any column yet
    while waiting or any(prompt is not None for prompt in seated):
        for seat in range(seats):
            if seated[seat] is None and waiting:
                seated[seat] = waiting.popleft()
                newest[seat] = admit(model, cache, seat, prompts[seated[seat]])
            if seated[seat] is not None:
                reply = replies[seated[seat]]
                reply.append(int(newest[seat]))
                if reply[-1] == end_id or len(reply) == max_new_tokens:
                    seated[seat] = None
        drop_unused_columns(cache, seated)
        newest = model(newest, cache)[:, -1].argmax(dim=-1, keepdim=True)  # (seats, 1), one pass for all
    return replies


def admit(model: torch.nn.Module, cache: KVCache, seat: int, prompt: list[int]) -> int:
    """Read a prompt by itself and put its keys and values into the seat's last columns; gives the next token."""
    own, T = model.new_cache(1, len(prompt)), len(prompt)
    logits = model(torch.tensor([prompt]), own)
    cache.length = max(cache.length, T)
    columns = slice(cache.length - T, cache.length)
    cache.keys[:, seat, :, columns], cache.values[:, seat, :, columns] = own.keys[:, 0], own.values[:, 0]
    cache.real[seat], cache.real[seat, columns] = False, True  # what stood here before is hidden
    return int(logits[0, -1].argmax())


def drop_unused_columns(cache: KVCache, seated: list[int | None]) -> None:
    """Make room: columns that no taken seat sees are left out, and the others move together."""
    cache.real[[prompt is None for prompt in seated]] = False
    used = cache.real[:, : cache.length].any(dim=0).nonzero()[:, 0]
    cache.length = n = len(used)
    for store in (cache.keys, cache.values):
        store[:, :, :, :n] = store[:, :, :, used]
    cache.real[:, :n], cache.real[:, n:] = cache.real[:, used], False
