"""The next token of one request: its own temperature, nucleus, seed, grammar and log-probabilities.

    choice = Choice(ask)
    token = choice.next(logits)                # (V,) float32 → an id
    choice.logprobs(logits, token)             # TokenLogprobs or None

Each request draws from a generator of its own, so a seed gives the same tokens whoever else is being served.
`likeliest` takes the greedy requests of a step together.
"""

from __future__ import annotations

import torch
from torch import Tensor

from helpers.generation.sampling import REMOVED, draw, require_choice, top_p
from helpers.old.generation.token_grammar import ENDED
from helpers.old.serving.requests import Ask, TokenLogprobs

NUCLEUS = 256  # tokens among which the nucleus is looked for at first: sorting all 49,152 takes 20 times as long


class Choice:
    """How one request chooses, and what it remembers for that: random numbers drawn and the grammar's state."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.plain = ask.temperature == 0 and ask.grammar is None  # the likeliest, whatever was written
        self.written = 0
        self.state = None if ask.grammar is None else ask.grammar.start
        self.generator = None
        if ask.temperature > 0:
            self.generator = torch.Generator()
            self.generator.seed() if ask.seed is None else self.generator.manual_seed(ask.seed)

    def next(self, logits: Tensor) -> int:
        """logits: (V,) float32 → the id of the next token. Raises ValueError for logits that are no numbers."""
        ask = self.ask
        require_choice(logits.amax()[None])
        if ask.grammar is not None:
            allowed = ask.grammar.mask(self.state, ask.max_new_tokens - self.written)
            logits = logits.masked_fill(~allowed, REMOVED)
        if ask.temperature == 0:
            return int(logits.argmax())
        logits = logits[None] / ask.temperature
        if ask.top_p < 1:
            logits = nucleus(logits, ask.top_p)
        return int(draw(logits.softmax(dim=-1), self.generator))

    def put(self, token: int) -> None:
        """The token was written. Raises GrammarError for one that the grammar does not allow."""
        self.written += 1
        if self.ask.grammar is not None and self.state != ENDED:
            self.state = self.ask.grammar.step(self.state, token)

    def logprobs(self, logits: Tensor, token: int) -> TokenLogprobs | None:
        """What was asked for about a chosen token. logits: (V,), those of the model."""
        if self.ask.logprobs is None:
            return None
        values = logits.log_softmax(dim=-1)
        best = values.topk(self.ask.logprobs)
        top = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return TokenLogprobs(token, float(values[token]), tuple(top))


def likeliest(logits: Tensor) -> list[int | None]:
    """(n, V) → the likeliest token of each row; None where the logits are no numbers."""
    best = logits.max(dim=-1)
    fine = best.values.isfinite().tolist()
    return [token if is_number else None for token, is_number in zip(best.indices.tolist(), fine, strict=True)]


def nucleus(logits: Tensor, p: float) -> Tensor:
    """`helpers.generation.top_p(p)` of one row (1, V), faster where a few tokens hold the probability p."""
    best = logits.softmax(dim=-1).topk(min(NUCLEUS, logits.shape[-1]), dim=-1)  # falling
    before = best.values.cumsum(dim=-1) - best.values
    if float(before[0, -1]) < p:  # the nucleus may be larger than that
        return top_p(p)(logits)
    kept = best.indices[before < p]
    return torch.full_like(logits, REMOVED).index_copy_(1, kept, logits[:, kept])
