"""Greedy replies of a chat model to many prompts, several read side by side, and how sure it was of each.

    [reply] = greedy_replies(model, tokenizer, [prompt_ids], max_new_tokens=32)
    reply.text, reply.likelihood

What it does not do: sample, or stream (`helpers.generation.decoding`).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import Any, NamedTuple

import torch
from torch import Tensor

from helpers.generation.batching import Forward
from helpers.generation.decoding import generate
from helpers.generation.sampling import greedy
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


def _together(model: Any, tokenizer: Any, prompts: list[list[int]], max_new_tokens: int) -> list[Reply]:
    said: list[Tensor] = []  # log-probabilities (B, 1), one a step

    def recorded(logits: Tensor, before: Tensor) -> Tensor:
        tokens = greedy(logits, before)
        said.append(logits.float().log_softmax(dim=-1).gather(-1, tokens[:, None]))
        return tokens

    width = max(map(len, prompts))
    out = generate(model, prompts, max_new_tokens, sampler=recorded)[:, width:].tolist()
    ends = Forward(model).eos_ids
    replies = []
    for tokens, logs in zip(out, torch.cat(said, dim=1).tolist(), strict=True):
        length = next((n for n, token in enumerate(tokens, start=1) if token in ends), len(tokens))
        replies.append(Reply(reply_text(tokenizer, tokens[:length]).strip(), exp(sum(logs[:length]) / length)))
    return replies
