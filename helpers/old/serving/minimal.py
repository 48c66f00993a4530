"""Continuous batching in its smallest form: a fixed number of rows, and nobody waits for the slowest.

    row 0   a a a a a a d d d d
    row 1   b b c c c c c c e e
When b has written its end, c takes its row; each column is one pass of the model.
"""

from __future__ import annotations

import torch

from helpers.transformer.kv_cache import KVCache


@torch.inference_mode()
def minimal_serve(
    model: torch.nn.Module, prompts: list[list[int]], max_new_tokens: int, end_id: int, rows: int, max_len: int
) -> list[list[int]]:
    """The greedy reply to each prompt, its end token included. max_len: columns of the cache that all rows share."""
    waiting, replies = list(range(len(prompts))), [[] for _ in prompts]
    running: list[int | None] = [None] * rows  # which prompt is being answered in each row
    newest = torch.zeros(rows, 1, dtype=torch.int64)  # the token that each row reads next
    cache = model.new_cache(rows, max_len)
    cache.real[:], cache.padded = False, True  # no row sees any column yet
    while True:
        for row in range(rows):
            while waiting or running[row] is not None:
                if running[row] is None:
                    running[row] = waiting.pop(0)
                    newest[row] = admit(model, cache, row, prompts[running[row]])
                reply = replies[running[row]]
                reply.append(int(newest[row]))
                if reply[-1] != end_id and len(reply) < max_new_tokens:
                    break  # it goes on with the next pass
                running[row] = None  # finished: the next one that waits joins before the pass
        if all(prompt is None for prompt in running):
            return replies
        drop_unused_columns(cache, running)
        newest = model(newest, cache)[:, -1].argmax(dim=-1, keepdim=True)  # (rows, 1), one pass for all


def admit(model: torch.nn.Module, cache: KVCache, row: int, prompt: list[int]) -> int:
    """Read a prompt by itself and put its keys and values into the row's last columns; gives the next token."""
    own, T = model.new_cache(1, len(prompt)), len(prompt)
    logits = model(torch.tensor([prompt]), own)
    cache.length = max(cache.length, T)
    columns = slice(cache.length - T, cache.length)
    cache.keys[:, row, :, columns], cache.values[:, row, :, columns] = own.keys[:, 0], own.values[:, 0]
    cache.real[row], cache.real[row, columns] = False, True  # what stood here before is hidden
    return int(logits[0, -1].argmax())


def drop_unused_columns(cache: KVCache, running: list[int | None]) -> None:
    """Make room: columns that no running row sees are left out, and the others move together."""
    cache.real[[prompt is None for prompt in running]] = False
    used = cache.real[:, : cache.length].any(dim=0).nonzero()[:, 0]
    cache.length = n = len(used)
    for store in (cache.keys, cache.values):
        store[:, :, :, :n] = store[:, :, :, used]
    cache.real[:, :n], cache.real[:, n:] = cache.real[:, used], False
