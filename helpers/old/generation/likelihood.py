"""How likely a model finds a text: log-probabilities of its tokens, and perplexity.

    token_log_probs(model, ids)                # (B, T) → (B, T − 1): log p(token | all before it), in nats
    perplexity(model, ids)                     # exp(−mean), a number of equally likely choices

The first token has nothing before it and is not scored. No gradient flows; memory stays at a piece of logits.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from helpers.generation.batching import Forward, Prompts, as_batch
from helpers.old.foundations import probability
from helpers.old.metrics.windows import windows

PIECE = 128  # positions whose logits are in memory at once: 25 MB for a vocabulary of 49,152


@torch.no_grad()
def token_log_probs(model: Any, ids: Prompts) -> Tensor:
    """log p(token | all tokens before it), in nats, of every token but the first: (B, T − 1) float32.

    ids: (T,) or (B, T), without padding. With a cache the text is read in pieces. Raises ValueError for fewer than 2
    tokens and for texts of unequal lengths.
    """
    forward = Forward(model)
    batch, mask = as_batch(ids, device=forward.device)
    if mask is not None:
        raise ValueError("token_log_probs takes texts of one length: score texts of unequal lengths one by one.")
    B, T = batch.shape
    if T < 2:
        raise ValueError("A text of 1 token has nothing to score: the first token has nothing before it.")
    cache = model.new_cache(B, T - 1) if forward.has_cache else None
    scored, piece = [], PIECE if cache is not None else T
    for start in range(0, T - 1, piece):
        end = min(start + piece, T - 1)
        logits = forward(batch[:, start:end], cache).float()  # (B, piece, V)
        chosen = logits.gather(-1, batch[:, start + 1 : end + 1, None])[..., 0]
        scored.append(chosen - logits.logsumexp(dim=-1))
    return torch.cat(scored, dim=1)


def perplexity(model: Any, ids: Prompts, *, context: int | None = None, stride: int | None = None) -> float:
    """exp of the mean surprise a token, −log p, over one text or several: among how many choices the model guesses.

    ids: one text or several, of any lengths; a mean over tokens, so that long texts weigh more. context: a text is
    read in windows of so many tokens, each `stride` further (half a window by default), and every token but the first
    is scored once, behind all that its window holds before it; the model's max_len by default.
    Raises ValueError for texts of 1 token, a context below 2, and a stride outside 1 … context − 1.
    """
    forward = Forward(model)
    texts = [ids] if isinstance(ids, Tensor) and ids.dim() == 1 else ids
    if not isinstance(texts, Tensor) and len(texts) and isinstance(texts[0], int):
        texts = [texts]
    if not len(texts):
        raise ValueError("There is no text to score.")
    context = forward.max_len if context is None else context
    total, count = 0.0, 0
    for text in texts:
        row = as_batch(text, device=forward.device)[0]  # (1, T)
        for start, end, n_scored in windows(row.shape[1], context, stride):
            log_probs = token_log_probs(model, row[:, start:end])[:, -n_scored:]
            total, count = total - float(log_probs.double().sum()), count + log_probs.numel()
    return probability.perplexity(total / count)
