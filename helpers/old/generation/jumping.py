"""Jump-ahead: where a grammar leaves one way to go on, the tokens are appended, and the model is not asked.

    result = generate_within(model, prompt_ids, json_grammar(tokenizer, schema), 64)
    result.text, result.passes, result.forced  # {"intent":"return", …}: 8 passes, 27 of 38 tokens forced

Of {"intent":"return","product":null} the model chooses "return" and null; all else is given. Forced tokens are read
together, in the pass that the next choice needs anyway: with a cache, ten tokens cost little more than one.

How forced characters become tokens: as the tokenizer spells the whole reply, since that is what the model has seen in
training. If the model wrote "ret" and "urn" is forced, the reply goes on behind "return", which is one token: what was
read behind the last shared token is taken out of the cache. Where the last forced token could be the beginning of a
longer one (`":` of `":"`), it is left for the model to choose.

What it does not do: several prompts at once, since each row jumps elsewhere (`within` does batches, without jumps).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from helpers.generation.batching import Forward, Prompts
from helpers.generation.sampling import REMOVED, Sampler, greedy
from helpers.old.generation.token_grammar import ENDED, NEVER, TokenGrammar


@dataclass(frozen=True)
class Written:
    """What `generate_within` wrote.

    ids: (1, prompt + new), the end included. passes: how often the model read something, its prompt included. forced:
    new tokens that it was not asked for.
    """

    ids: Tensor
    text: str
    new: int
    passes: int
    forced: int


@torch.inference_mode()
def generate_within(
    model: Any,
    ids: Prompts,
    grammar: TokenGrammar,
    max_new_tokens: int,
    *,
    choose: Sampler = greedy,
    jump: bool = True,
) -> Written:
    """One reply of at most `max_new_tokens` tokens that belongs to the grammar, whole.

    ids: (T,) or (1, T). choose: how to choose among the allowed tokens. Without jump, the tokens are those of
    `generate` with the sampler `within`. Raises GrammarError where the room does not suffice for the shortest text.
    """
    forward = Forward(model)
    prompts, _ = forward.prompts(ids, max_new_tokens, grammar.end_id)
    if len(prompts) != 1:
        raise ValueError(f"generate_within takes one prompt, not {len(prompts)}: for several, use generate and within.")
    grammar.require_room(max_new_tokens)
    prompt, said, state = prompts[0].tolist(), [], grammar.start
    cache = model.new_cache(1, len(prompt) + max_new_tokens) if forward.has_cache else None
    passes = chosen = read = 0  # read: tokens that the cache holds
    while True:
        if jump:
            before = said
            said, state = jump_tokens(grammar, said, state, max_new_tokens)
            kept = min(read, len(prompt) + _shared(before, said))
            if cache is not None and kept < read:  # spelled differently now: forget the rest
                cache.truncate(cache.length - (read - kept))
                read = kept
        if state == ENDED:
            break
        text = torch.tensor([[*prompt, *said]], device=prompts.device)
        logits = forward.last(text[:, read:], cache)  # (1, V)
        read, passes = text.shape[1] if cache is not None else 0, passes + 1
        mask = grammar.mask(state, max_new_tokens - len(said)).to(logits.device)
        token = int(choose(logits.masked_fill(~mask, REMOVED), text))
        said, state, chosen = [*said, token], grammar.step(state, token), chosen + 1
    written = torch.tensor([[*prompt, *said]], device=prompts.device)
    return Written(written, grammar.text(said).decode(), len(said), passes, len(said) - chosen)


def jump_tokens(grammar: TokenGrammar, said: list[int], state: int, room: int) -> tuple[list[int], int]:
    """The reply with what has to follow, as the tokenizer spells the whole, and the state behind it.

    said: tokens of the reply so far, state: the one behind them. The reply stays as it is where nothing is forced, the
    room would not suffice for that spelling, or a character is unfinished.
    """
    machine = grammar.machine
    if state == ENDED or (machine.accepts[state] and not machine.next_bytes(state)):
        return (said, state) if state == ENDED else ([*said, grammar.end_id], ENDED)
    begun = grammar.text(said)
    text = begun + machine.forced(state)
    if text == begun or not _whole_characters(text):
        return said, state
    longer = list(grammar.tokenizer(text.decode(), add_special_tokens=False)["input_ids"])
    last = grammar.tree.texts[longer[-1]] or b""
    if len(text) - len(last) >= len(begun):
        ahead = machine.read(grammar.start, text[: len(text) - len(last)])
        if any(len(other) > len(last) and other.startswith(last) for other in grammar.texts(ahead)):
            longer = longer[:-1]
    written = grammar.text(longer)
    after = machine.read(grammar.start, written)
    fits = grammar.to_end[after] < NEVER and len(longer) + grammar.to_end[after] <= room
    if not fits or not text.startswith(written) or len(written) <= len(begun):
        return said, state
    return jump_tokens(grammar, longer, after, room) if written == text else (longer, after)


def _shared(a: list[int], b: list[int]) -> int:
    """How many tokens two lists have in common at their beginnings."""
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _whole_characters(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
