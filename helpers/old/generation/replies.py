"""Replies of a chat model, greedy ones to many prompts or several to one, and how sure it was of each.

    [reply] = greedy_replies(model, tokenizer, [prompt_ids], max_new_tokens=32)
    reply.text, reply.likelihood
    drawn_replies(model, tokenizer, prompt_ids, samplers, max_new_tokens=32)   # one for each of the samplers

What it does not do: stream (`helpers.generation.decoding`).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import Any, NamedTuple

import torch
from torch import Tensor

from helpers.generation.batching import Forward
from helpers.generation.decoding import generate
from helpers.generation.sampling import Sampler, greedy
from helpers.generation.streaming import reply_text


class Reply(NamedTuple):
    """text: without special tokens. likelihood: the geometric mean of its tokens' probabilities, 0 to 1, the token that
    ends it counted."""

    text: str
    likelihood: float


def greedy_replies(
    model: Any, tokenizer: Any, prompts: Sequence[list[int]], max_new_tokens: int, batch: int = 8
) -> list[Reply]:
    """The reply to each prompt, in their order.

    model: a decoder of the course's (`Llama`, `FastLlama`); prompts: token ids, none of them empty; batch: how many are
    read at once. Those of about one length are read together, so that little is padded. Raises ValueError for a batch
    below 1, and as `helpers.generation.decoding.generate`.
    """
    if batch < 1:
        raise ValueError(f"batch is how many prompts are read at once, 1 or more, not {batch}.")
    replies = [Reply("", 0.0)] * len(prompts)
    by_length = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    for start in range(0, len(prompts), batch):
        chosen = by_length[start : start + batch]
        together = _together(model, tokenizer, [prompts[i] for i in chosen], max_new_tokens)
        for i, reply in zip(chosen, together, strict=True):
            replies[i] = reply
    return replies


@torch.inference_mode()
def drawn_replies(
    model: Any, tokenizer: Any, prompt: list[int], samplers: Sequence[Sampler], max_new_tokens: int
) -> list[Reply]:
    """Several replies to one prompt, in the order of the samplers, one each; the prompt is read once.

    model: as for `greedy_replies`; samplers: each chooses the tokens of its own reply, which is therefore the same
    whichever others are drawn, if each has its own generator. The likelihoods are the model's own, as without samplers.
    Raises ValueError for no samplers, an empty prompt, and one that leaves no room for the reply.
    """
    if not samplers:
        raise ValueError("There is no reply without a sampler: give at least one.")
    n = len(samplers)
    forward = Forward(model)
    ids, _ = forward.prompts(prompt, max_new_tokens, 0)  # (1, T)
    T = ids.shape[1]
    once, cache = model.new_cache(1, T), model.new_cache(n, T + max_new_tokens)
    logits = forward.last(ids, once).expand(n, -1)  # (n, V)
    for name in ("keys", "values"):  # (L, n, H_kv, max_len, head_dim)
        read = getattr(once, name)
        store = getattr(cache, name).to(read)
        store[:, :, :, :T] = read
        setattr(cache, name, store)
    cache.advance(T)
    chosen: list[Tensor] = []  # (n,), one a step
    said: list[Tensor] = []
    going = torch.ones(n, dtype=torch.bool, device=logits.device)
    ends = torch.tensor(forward.eos_ids, device=logits.device)
    while going.any() and len(chosen) < max_new_tokens:
        chosen.append(torch.cat([sampler(logits[i : i + 1], None) for i, sampler in enumerate(samplers)]))
        said.append(logits.log_softmax(dim=-1).gather(-1, chosen[-1][:, None])[:, 0])
        going &= ~torch.isin(chosen[-1], ends)
        logits = forward.last(chosen[-1][:, None], cache)
    rows = zip(torch.stack(chosen, dim=1).tolist(), torch.stack(said, dim=1).tolist(), strict=True)
    return [_reply(tokenizer, tokens, logs, forward.eos_ids) for tokens, logs in rows]


def _reply(tokenizer: Any, tokens: list[int], logs: list[float], ends: Sequence[int]) -> Reply:
    """What stands before the first token of `ends`, and the mean of the log-probabilities up to it, as a likelihood."""
    length = next((n for n, token in enumerate(tokens, start=1) if token in ends), len(tokens))
    return Reply(reply_text(tokenizer, tokens[:length]).strip(), exp(sum(logs[:length]) / length))


def _together(model: Any, tokenizer: Any, prompts: list[list[int]], max_new_tokens: int) -> list[Reply]:
    said: list[Tensor] = []  # log-probabilities (B, 1), one a step

    def recorded(logits: Tensor, before: Tensor) -> Tensor:
        tokens = greedy(logits, before)
        said.append(logits.float().log_softmax(dim=-1).gather(-1, tokens[:, None]))
        return tokens

    width = max(map(len, prompts))
    out = generate(model, prompts, max_new_tokens, sampler=recorded)[:, width:].tolist()
    rows = zip(out, torch.cat(said, dim=1).tolist(), strict=True)
    return [_reply(tokenizer, tokens, logs, Forward(model).eos_ids) for tokens, logs in rows]
