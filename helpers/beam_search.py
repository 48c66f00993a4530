"""Beam search: keep the few likeliest beginnings instead of one, and compare whole replies at the end.

    ids, scores = beam_search(model, prompt_ids, max_new_tokens=32, n_beams=4)

At each step every beam is continued by every token, and the best continuations become the new beams. A reply's score is
the sum of its log-probabilities over its length to the power `length_penalty`: without that, short replies would win.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from helpers.batching import Forward, Prompts
from helpers.sampling import require_choice

Reply = tuple[float, Tensor]  # score, ids


def beam_search(
    model: Any,
    ids: Prompts,
    max_new_tokens: int,
    n_beams: int = 4,
    *,
    length_penalty: float = 1.0,
    n_return: int = 1,
    eos_ids: int | Iterable[int] | None = None,
) -> tuple[Tensor, Tensor]:
    """The `n_return` best replies to each prompt that beams of `n_beams` find: ids (B · n_return, T), their scores.

    ids: as in `generate`. A reply ends with one of `eos_ids`, by default the model's own, or at `max_new_tokens`.
    length_penalty: above 0 helps long replies, below 0 short ones. The search ends once no beam can beat the replies
    that are finished, judged at the beams' present length. Matches the library's `generate(num_beams=…)`.
    Raises ValueError for n_return above n_beams, more beams than tokens to begin with, and as `generate` does.
    """
    forward = Forward(model)
    ends = forward.ends(eos_ids)
    pad_id = next(iter(ends), 0)
    prompts, mask = forward.prompts(ids, max_new_tokens, pad_id)
    if isinstance(n_beams, bool) or not isinstance(n_beams, int) or not 1 <= n_return <= n_beams:
        raise ValueError(f"There are at least 1 beam and 1 to n_beams replies, not n_beams={n_beams}, {n_return}.")
    found: list[Reply] = []
    for row in range(len(prompts)):
        prompt = prompts[row] if mask is None else prompts[row, mask[row]]
        found += _search(forward, prompt, max_new_tokens, n_beams, length_penalty, ends)[:n_return]
    T = prompts.shape[1]
    longest = max(len(reply) for _, reply in found)
    out = torch.full((len(found), T + longest), pad_id, device=prompts.device)
    for i, (_, reply) in enumerate(found):
        out[i, :T] = prompts[i // n_return]
        out[i, T : T + len(reply)] = reply
    return out, torch.tensor([score for score, _ in found], device=prompts.device)


@torch.inference_mode()
def _search(
    forward: Forward, prompt: Tensor, max_new_tokens: int, n_beams: int, length_penalty: float, ends: tuple[int, ...]
) -> list[Reply]:
    """The best finished replies to one prompt (T,), the best first."""
    T = len(prompt)
    beams = prompt.new_empty(n_beams, T + max_new_tokens)
    beams[:, :T] = prompt
    totals = torch.full((n_beams,), float("-inf"), device=prompt.device)  # log p of each beam
    totals[0] = 0.0  # all beams are the same at first, so only one of them counts
    cache = forward.model.new_cache(n_beams, T + max_new_tokens - 1) if forward.has_cache else None
    finished: list[Reply] = []
    read = 0  # positions that the cache holds
    for new in range(1, max_new_tokens + 1):
        length = T + new
        logits = forward.last(beams[:, read : length - 1], cache)  # (n_beams, V)
        require_choice(logits.amax(dim=-1))
        grown = totals[:, None] + logits.log_softmax(dim=-1)  # (n_beams, V): log p of each continuation
        V = grown.shape[1]
        if V - len(ends) < n_beams:
            raise ValueError(f"{n_beams} beams need as many tokens to begin with, and this vocabulary has {V}.")
        # Of the best so many, at least n_beams go on, even if each beam's likeliest tokens end it.
        best = grown.flatten().topk(min(max(2, 1 + len(ends)) * n_beams, grown.numel()))
        rows, tokens = best.indices // V, best.indices % V
        goes_on = []
        for rank, (total, row, token) in enumerate(
            zip(best.values.tolist(), rows.tolist(), tokens.tolist(), strict=True)
        ):
            if token not in ends and new < max_new_tokens:
                goes_on.append(rank)
            elif rank < n_beams:  # a reply that ends here has to be among the best, like a beam
                reply = torch.cat((beams[row, T : length - 1], tokens[rank, None]))
                finished.append((total / new**length_penalty, reply))
        finished = sorted(finished, key=lambda reply: reply[0], reverse=True)[:n_beams]
        if new == max_new_tokens:
            break
        kept = torch.tensor(goes_on[:n_beams], device=prompt.device)
        totals = best.values[kept]
        if len(finished) == n_beams and float(totals[0]) / new**length_penalty <= finished[-1][0]:
            break
        beams = beams[rows[kept]]
        beams[:, length - 1] = tokens[kept]
        if cache is not None:
            cache.reorder(rows[kept])
            read = length - 1
    return finished
