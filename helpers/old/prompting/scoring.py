"""Labels scored by the course's own decoders: 12d, 14b and two sweeps. `helpers.prompting` does it with the library's.

    scores = label_scores(model, tokenizer, prompts, labels)          # (N, L): log p(label text | prompt), in nats
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from helpers.old.generation.prefix import PrefixCache
from helpers.transformer.kv_cache import KVCache

Messages = Sequence[Mapping[str, str]]


def chat_ids(tokenizer: Any, messages: Messages) -> list[int]:
    """The token ids of a conversation, up to where the assistant is to speak.

    messages: {"role": …, "content": …}, or one text, which becomes the user's only message.
    """
    turns = [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)
    return list(tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False))


@torch.inference_mode()
def label_scores(model: Any, tokenizer: Any, prompts: Sequence[list[int]], labels: Sequence[str]) -> Tensor:
    """log p(label text | prompt) in nats, summed over the label's tokens: (N, L) float32.

    model: a decoder of the course (`Llama`, `FastLlama`); prompts: N rows of token ids, such as `chat_ids` gives;
    labels: L different texts. What all prompts begin with is read once, each prompt's other tokens once, and then all
    labels side by side behind it. Raises ValueError for no prompts, an empty prompt, no labels, an empty label, or two
    labels of the same tokens, and where a prompt with its longest label does not fit the model's context.

    The scores of Brown et al. (2020), section 2.4, before any normalization.
    """
    rows = _label_rows(tokenizer, labels)
    if not prompts or not all(map(len, prompts)):
        raise ValueError("Scoring needs at least one prompt, and at least one token in each.")
    device, room = next(model.parameters()).device, max(map(len, rows))
    longest = max(map(len, prompts)) + room
    if longest > model.config.max_len:
        raise ValueError(
            f"A prompt and its longest label take {longest} tokens, more than the model's context of "
            f"{model.config.max_len}: cut the prompt."
        )
    shared = min(len(os.path.commonprefix([list(prompt) for prompt in prompts])), min(map(len, prompts)) - 1)
    cache = model.new_cache(1, longest)
    if shared:
        model(torch.tensor([list(prompts[0][:shared])], device=device), cache, last_only=True)
    padded = pad_sequence([torch.tensor(row) for row in rows], batch_first=True).to(device)  # (L, room)
    real = torch.arange(room, device=device) < torch.tensor([len(row) for row in rows], device=device)[:, None]
    scores = []
    for prompt in prompts:
        cache.truncate(shared)
        rest = torch.tensor([list(prompt[shared:])], device=device)
        first = model(rest, cache, last_only=True)[:, -1:]  # (1, 1, V): what may come first
        log_p = first.float().log_softmax(-1).expand(len(rows), -1, -1)
        if room > 1:
            later = model(padded[:, :-1], _behind(model, cache, len(rows), room - 1))  # (L, room − 1, V)
            log_p = torch.cat((log_p, later.float().log_softmax(-1)), dim=1)
        chosen = log_p.gather(-1, padded[..., None])[..., 0]  # (L, room), of each token of each label
        scores.append((chosen * real).sum(1))
    return torch.stack(scores).cpu()


def _label_rows(tokenizer: Any, labels: Sequence[str]) -> list[list[int]]:
    if isinstance(labels, str) or not labels:
        raise ValueError("Scoring needs a list of label texts, at least one.")
    rows = [list(tokenizer(label, add_special_tokens=False)["input_ids"]) for label in labels]
    if not all(rows):
        raise ValueError(f"Label {[bool(row) for row in rows].index(False)} is empty: it has no token to score.")
    if len(set(map(tuple, rows))) < len(rows):
        raise ValueError("Two labels are the same text: no score can tell them apart.")
    return rows


def _behind(model: Any, cache: KVCache, rows: int, room: int) -> KVCache:
    """A cache for `rows` texts that all continue what `cache` (one text) holds, without a copy for each of them."""
    n = cache.length
    wide = PrefixCache(model.config, n + room, cache.keys.device)
    wide.prefix = [(k[:, :, :n], v[:, :, :n]) for k, v in zip(cache.keys, cache.values, strict=True)]
    wide.advance(n)
    wide.spread(rows)
    return wide
