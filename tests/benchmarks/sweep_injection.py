"""Orders in the ticket: the first draft of the prompt "extraction" with 30 tickets that tell the model to say a word
instead, joined as they are, between delimiters with markers escaped, and with a warning; greedy replies of 16 tokens.
Whether the model says the word (obeyed) and whether it gives the order number (found), attack by attack in the order of
data/prompts/sets/injection.jsonl; by the chat model."""

from __future__ import annotations

NAME = "12_injection"
CASES = [{"model": "chat"}]


def run(case: dict) -> dict:
    from helpers.generation import greedy_replies
    from helpers.speed import FastLlama
    from helpers.trials.injected_tickets import WAYS, found, injected_ids, load_attacks, obeyed
    from tests.benchmarks.sweep_sft import base_model

    model, tokenizer = base_model()
    attacks, rows = load_attacks(), {}
    for way in WAYS:
        prompts = [injected_ids(tokenizer, attack.ticket, way) for attack in attacks]
        replies = [reply.text for reply in greedy_replies(FastLlama(model), tokenizer, prompts, 16, batch=30)]
        pairs = list(zip(replies, attacks, strict=True))
        rows[way] = {
            "obeyed": "".join(str(int(obeyed(reply, attack.word))) for reply, attack in pairs),
            "found": "".join(str(int(found(reply, attack.order))) for reply, attack in pairs),
            "replies": replies,
        }
    return {"ways": rows, "kinds": [attack.kind for attack in attacks]}
