"""Speculative decoding: something cheap drafts a few tokens, the model checks them all in one pass.

    result = speculative(model, prompt_ids, 64, draft=PromptLookup())      # drafts copied from the text itself
    result = speculative(model, prompt_ids, 64, draft=small_model)         # drafts by a cheaper model
    result.ids, result.acceptance, result.tokens_per_pass

Reading one token and reading eight cost a memory-bound machine nearly the same, so an accepted draft is a pass saved.
What comes out is distributed as if the model had drawn every token itself (Leviathan et al., 2023; Chen et al., 2023).
`accept_or_resample` is the rule. Why it is right: a token comes as a kept draft with probability min(p, q), after a
refusal with max(p − q, 0), and these two add up to p.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from helpers.generation.batching import Forward, Prompts
from helpers.generation.decoding import Decoding
from helpers.generation.sampling import Sampler, draw, greedy, sample, uniform
from helpers.generation.streaming import Tokenizer


@dataclass(frozen=True)
class Speculation:
    """What `speculative` wrote, and how its drafts fared.

    ids: (1, prompt + new). passes: how often the model read something, its prompt included.
    """

    ids: Tensor
    new: int
    drafted: int
    accepted: int
    passes: int

    @property
    def acceptance(self) -> float:
        """Accepted drafts as a share of all that were checked; NaN where nothing was drafted."""
        return self.accepted / self.drafted if self.drafted else float("nan")

    @property
    def tokens_per_pass(self) -> float:
        """New tokens for each pass of the model: 1 without drafts."""
        return self.new / self.passes


def accept_or_resample(token: int, p: Tensor, q: Tensor, generator: torch.Generator | None = None) -> tuple[bool, int]:
    """Keep a drafted token with probability min(1, p/q), else draw another from what p has more than q.

    token: drawn from q. p, q: (V,), the model's and the draft's probabilities  →  whether it is kept, and the token to
    write, which is distributed as p whatever q is (Leviathan et al., 2023).
    """
    if float(uniform(1, p.device, generator)) * float(q[token]) < float(p[token]):
        return True, token
    excess = (p - q).clamp(min=0)
    excess = excess if float(excess.sum()) > 0 else p  # only by rounding: p and q are then equal
    return False, int(draw(excess[None], generator))


# Who drafts ----------------------------------------------------------------------------------------------------------


class Draft(Protocol):
    """What proposes tokens."""

    def start(self, length: int, sampler: Sampler) -> None:
        """A new text of at most `length` tokens begins."""

    def propose(self, ids: Tensor, n: int) -> tuple[Tensor, Tensor | None]:
        """ids: (1, T)  →  up to `n` tokens (k,) and what each was drawn from, (k, V), or None: there was no chance."""


class PromptLookup:
    """Drafts copied from the text so far: what followed the last `ngram` tokens when they stood there before.

    Tries shorter ends down to `min_ngram` where nothing matches; takes the latest match, and where its continuation
    runs into the end of the text goes on with its own draft, so that a loop is drafted on (Saxena, 2023).
    """

    def __init__(self, ngram: int = 3, min_ngram: int = 1) -> None:
        if not 1 <= min_ngram <= ngram:
            raise ValueError(f"An n-gram has at least 1 token and min_ngram is at most ngram: {min_ngram}, {ngram}.")
        self.ngram, self.min_ngram = ngram, min_ngram

    def start(self, length: int, sampler: Sampler) -> None:
        """Nothing to prepare: the text itself is all that is used."""

    def propose(self, ids: Tensor, n: int) -> tuple[Tensor, None]:
        """ids: (1, T)  →  up to `n` tokens, (k,), and None, since copying leaves nothing to chance."""
        text = ids[0]
        for size in range(min(self.ngram, len(text) - 1), self.min_ngram - 1, -1):
            windows = text[:-1].unfold(0, size, 1)  # (T − size, size): every n-gram but the last
            found = (windows == text[-size:]).all(dim=1).nonzero()
            if len(found):
                copied = text[int(found[-1]) + size :]  # at least one token
                return copied.repeat(-(-n // len(copied)))[:n], None
        return text[:0], None


class ModelDraft:
    """Drafts by another model with the same vocabulary, which chooses as the sampler does."""

    def __init__(self, model: Any) -> None:
        self.forward = Forward(model)

    def start(self, length: int, sampler: Sampler) -> None:
        """An empty cache for the text. Raises ValueError where it is longer than the draft's context."""
        if self.forward.max_len is not None and length > self.forward.max_len:
            raise ValueError(
                f"The draft's context holds {self.forward.max_len} tokens, and the text may grow to {length}."
            )
        self.sampler, self.read = sampler, 0
        self.cache = self.forward.model.new_cache(1, length) if self.forward.has_cache else None

    def propose(self, ids: Tensor, n: int) -> tuple[Tensor, Tensor | None]:
        """ids: (1, T)  →  `n` tokens (n,) and what they were drawn from, (n, V), or None if greedy."""
        if self.cache is not None:  # what was refused since the last time is forgotten
            self.read = min(self.read, ids.shape[1] - 1)
            self.cache.truncate(self.read)
        text, chances = ids, []
        for _ in range(n):
            logits = self.forward.last(text[:, self.read :], self.cache)  # (1, V)
            self.read = text.shape[1] if self.cache is not None else 0
            if self.sampler is greedy:
                token = greedy(logits)
            else:
                chances.append(self.sampler.probabilities(logits, text))
                token = draw(chances[-1], self.sampler.generator)
            text = torch.cat((text, token[None]), dim=1)
        return text[0, ids.shape[1] :], torch.cat(chances) if chances else None


# The loop ------------------------------------------------------------------------------------------------------------


def speculative(
    model: Any,
    ids: Prompts,
    max_new_tokens: int,
    *,
    draft: Draft | Any = None,
    n_draft: int = 8,
    sampler: Sampler = greedy,
    cache: bool = True,
    stop: str | int | Iterable[str | int] = (),
    ignore_eos: bool = False,
    tokenizer: Tokenizer | None = None,
    eos_ids: int | Iterable[int] | None = None,
) -> Speculation:
    """Continue one prompt as `generate` does, in fewer passes of the model: `n_draft` tokens are drafted for each.

    draft: `PromptLookup()`, the default, or a cheaper model with the same vocabulary. With greedy the ids are those of
    `generate`, as long as the model computes the same logits for one token and for several; with `sample(…)` they
    have the same distribution, not the same draws. The other options and errors as in `generate`; the model's cache
    needs `truncate`. Raises ValueError for several prompts, n_draft below 1, and another kind of sampler.
    """
    run = Decoding(model, ids, max_new_tokens, sampler, cache, stop, ignore_eos, eos_ids, tokenizer=tokenizer)
    if len(run.out) != 1:
        raise ValueError(f"speculative takes one prompt, not {len(run.out)}: rows would accept unequal numbers.")
    if isinstance(n_draft, bool) or not isinstance(n_draft, int) or n_draft < 1:
        raise ValueError(f"n_draft is a whole number from 1, not {n_draft}.")
    if sampler is not greedy and not isinstance(sampler, sample):
        raise ValueError("speculative has to know the sampler's probabilities: use greedy or sample(…).")
    draft = PromptLookup() if draft is None else draft
    return _speculate(run, draft if hasattr(draft, "propose") else ModelDraft(draft), n_draft)


@torch.inference_mode()
def _speculate(run: Decoding, draft: Draft, n_draft: int) -> Speculation:
    out, cache, start, total = run.out, run.cache, run.length, run.out.shape[1]
    length, drafted, accepted, passes, read, ended = start, 0, 0, 0, 0, False  # read: positions that the cache holds
    draft.start(total, run.sampler)
    while length < total and not ended:
        n = 0 if cache is not None and read == 0 else min(n_draft, total - length - 1)  # read the prompt by itself
        proposed, q = draft.propose(out[:, :length], n) if n else (out[0, :0], None)
        k = len(proposed)
        out[0, length : length + k] = proposed
        logits = run.forward(out[:, read : length + k], cache, last_only=k == 0)[0, -k - 1 :].float()  # (k + 1, V)
        tokens = _verify(logits, out[:, : length + k], q, run.sampler)
        kept = len(tokens) - 1
        for i, token in enumerate(tokens):
            if ended := run.stops.put([token]):
                tokens = tokens[: i + 1]
                break
        passes, drafted, accepted = passes + 1, drafted + k, accepted + min(kept, len(tokens))
        out[0, length : length + len(tokens)] = torch.tensor(tokens, device=out.device)
        length += len(tokens)
        if cache is not None:
            read = length - 1  # the last token is chosen, not read
            cache.truncate(read)
    return Speculation(out[:, :length], length - start, drafted, accepted, passes)


def _verify(logits: Tensor, ids: Tensor, q: Tensor | None, sampler: Sampler) -> list[int]:
    """The drafts that are accepted, and one token more.

    logits: (k + 1, V), before each draft and behind the last; ids: (1, T + k), the text with its k drafts; q: (k, V).
    """
    k = len(logits) - 1
    drafts = ids[0, ids.shape[1] - k :].tolist()
    if sampler is greedy:
        best = greedy(logits).tolist()
        kept = next((i for i in range(k) if best[i] != drafts[i]), k)
        return best[: kept + 1]
    if q is not None and q.shape[1] != logits.shape[1]:
        raise ValueError(f"The draft knows {q.shape[1]} tokens and the model {logits.shape[1]}: their ids must agree.")
    for i, token in enumerate(drafts):
        p = sampler.probabilities(logits[i : i + 1], ids[:, : ids.shape[1] - k + i])[0]  # (V,)
        certain = torch.zeros_like(p).index_fill(0, ids[0, -k + i], 1.0) if q is None else q[i]
        kept, token = accept_or_resample(token, p, certain, sampler.generator)
        if not kept:
            return [*drafts[:i], token]
    return [*drafts, int(draw(sampler.probabilities(logits[k:], ids), sampler.generator))]
