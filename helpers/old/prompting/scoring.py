"""Which label fits? Ask how probable each label's text is behind the prompt, and correct for how probable it is anyway.

    scores = label_scores(model, tokenizer, prompts, labels)          # (N, L): log p(label text | prompt), in nats
    usual = label_scores(model, tokenizer, [empty_prompt], labels)    # (1, L): the same prompt without a text
    pmi(scores, usual[0]).argmax(1)                                   # the label for which the text speaks most

    log p(label | ticket):      refund −4    inspection −9            refund wins behind every ticket
    log p(label | no ticket):   refund −3    inspection −11           … since it is the more usual word
    difference, the PMI:        refund −1    inspection +2            this ticket speaks for inspection

Five rules turn scores into a choice: the likelihood itself, `length_normalized`, `pmi`, `calibrated`, and `pmi` with
the mean over unlabeled texts in place of a prompt without a text. None of them needs a labeled example.

For comparison, the way that most prompts ask: `choice_prompt` lists the labels, and `named_label` finds the first one
in what the model writes.

What it does not do: train, or give probabilities that can be trusted as they are (`helpers.old.metrics.calibration`).
"""

from __future__ import annotations

import os
import re
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


def label_lengths(tokenizer: Any, labels: Sequence[str]) -> Tensor:
    """The tokens of each label: (L,) int64. Raises ValueError like `label_scores`."""
    return torch.tensor([len(row) for row in _label_rows(tokenizer, labels)])


def length_normalized(scores: Tensor, lengths: Tensor) -> Tensor:
    """The mean log-probability of a label's tokens: (N, L) from scores (N, L) and lengths (L,).

    It takes off what a label loses by being long, and not what it loses by being unusual. The rule that GPT-3's
    authors used for most multiple-choice tasks (Brown et al., 2020).
    """
    return scores / lengths


def pmi(scores: Tensor, without: Tensor) -> Tensor:
    """Pointwise mutual information, log p(label | ticket) − log p(label | no ticket), in nats: (N, L).

    scores: (N, L); without: (L,), the scores behind the same prompt with no ticket in it, or their mean over many
    tickets whose labels nobody knows. Raises ValueError where the numbers of labels differ.

    Holtzman et al., “Surface Form Competition”, 2021 (`without` from a prompt that names the domain); with the mean
    over a batch, it is the rule of Zhou et al., “Batch Calibration”, 2023.
    """
    if without.shape != scores.shape[-1:]:
        raise ValueError(f"There are {scores.shape[-1]} labels, so `without` has as many scores, not {without.shape}.")
    return scores - without


def calibrated(scores: Tensor, content_free: Tensor) -> Tensor:
    """Probabilities of the labels that are equal on average where the ticket says nothing: (N, L), rows add up to 1.

    scores: (N, L); content_free: (F, L), the scores behind the same prompt with texts that say nothing, such as
    CONTENT_FREE. Each row of probabilities among the labels is divided by the mean row of the content-free texts.

    Contextual calibration (Zhao et al., “Calibrate Before Use”, 2021, with W = diag(p_cf)⁻¹ and b = 0).
    """
    usual = content_free.softmax(-1).mean(0)  # (L,)
    p = scores.softmax(-1) / usual
    return p / p.sum(-1, keepdim=True)


def choice_prompt(text: str, labels: Sequence[str], question: str = "Which of these labels fits the message?") -> str:
    """The prompt that most people write: the labels as a list in the order given, the wish for one, and the text.

    The model answers freely, or, if its answer is limited to the labels, by their scores behind this prompt.
    """
    options = "\n".join(f"- {label}" for label in labels)
    return f"{question}\n{options}\n\nAnswer with one label and nothing else.\n\nMessage from a customer:\n{text}"


def named_label(reply: str, labels: Sequence[str]) -> str | None:
    """The label that a free reply names first, whatever its case; of two that begin together, the longer. Else None."""
    pattern = "|".join(re.escape(label) for label in sorted(labels, key=len, reverse=True))
    found = re.search(rf"(?<!\w)(?:{pattern})(?!\w)", reply, re.IGNORECASE) if labels else None
    return next((label for label in labels if found and label.lower() == found[0].lower()), None)


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
