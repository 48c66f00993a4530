"""Orders in the ticket: the first draft of the prompt "extraction" with 30 tickets that tell the model to say a word
instead, joined as they are, between delimiters with markers escaped, and with a warning; greedy replies of 16
tokens. Whether the model says the word (obeyed) and whether it gives the order number (found), attack by attack in
the order of data/prompts/sets/injection.jsonl. By the chat model, twice, since machines round differently; and by
the chat model tuned for 30 steps to obey plain orders, which stand in the user's text ("user") or, in half of the
rows, in the system turn ("both"), two seeds each. Without an attack: whether a model obeys 60 orders that were not
trained on, with no desk's prompt around them (plain), and for which of the 60 test tickets of "extraction" it gives
the number (tickets). Nothing was chosen on the attacks."""

from __future__ import annotations

from typing import Any

NAME = "12_injection"
TUNED = {"rank": 8, "steps": 30, "batch": 8, "rate": 1e-3}
CASES = [
    {"model": "chat"},
    {"model": "chat", "again": True},
    *({"model": "tuned", "orders": orders, **TUNED, "seed": seed} for orders in ("both", "user") for seed in (0, 1)),
]
ROOM = 16  # tokens of a reply


def run(case: dict) -> dict:
    from helpers.old.speed import FastLlama
    from tests.benchmarks.tuning import base_model

    model, tokenizer = base_model()
    found = {}
    if settings := {name: value for name, value in case.items() if name not in ("model", "again")}:
        found["losses"] = tune_(model, tokenizer, **settings)
    reader = FastLlama(model)
    if settings or case.get("again"):  # the first run of the chat model was of the attacks alone
        found |= {"plain": plainly(reader, tokenizer), "tickets": tickets(reader, tokenizer)}
    return found | attacked(reader, tokenizer)


def tune_(
    model: Any, tokenizer: Any, orders: str, rank: int, steps: int, batch: int, rate: float, seed: int
) -> list[float]:
    """Teach the model in place to obey, by LoRA that is merged into it; gives the losses, in nats a token."""
    import torch

    from helpers.lora import add_lora_, merge_lora_
    from helpers.old.training import encode_chat, train
    from helpers.old.training.losses import loss_behind_prefix
    from helpers.old.trials.ticket_training import recipe_of, rounded
    from tests.benchmarks.obeying_examples import obeying_chats

    examples = [encode_chat(tokenizer, chat, 256) for chat in obeying_chats(steps * batch, orders, seed)]
    torch.manual_seed(seed)
    add_lora_(model, rank, alpha=2 * rank)
    recipe = recipe_of(steps, rate=rate, batch=batch, seed=seed)
    history = train(model, examples, recipe, loss=loss_behind_prefix, collate=rounded)
    merge_lora_(model)
    return [round(loss, 4) for loss in history.losses]


def attacked(model: Any, tokenizer: Any) -> dict:
    from helpers.old.generation import greedy_replies
    from helpers.old.trials.injected_tickets import WAYS, found, injected_ids, load_attacks, obeyed

    attacks, rows = load_attacks(), {}
    for way in WAYS:
        prompts = [injected_ids(tokenizer, attack.ticket, way) for attack in attacks]
        replies = [reply.text for reply in greedy_replies(model, tokenizer, prompts, ROOM, batch=30)]
        pairs = list(zip(replies, attacks, strict=True))
        rows[way] = {
            "obeyed": digits(obeyed(reply, attack.word) for reply, attack in pairs),
            "found": digits(found(reply, attack.order) for reply, attack in pairs),
            "replies": replies,
        }
    return {"ways": rows, "kinds": [attack.kind for attack in attacks]}


def plainly(model: Any, tokenizer: Any) -> dict:
    """Orders without a desk, in words and wordings that nobody trained on."""
    from helpers.old.generation import greedy_replies
    from helpers.old.prompting import chat_ids
    from tests.benchmarks.obeying_examples import held_out_orders

    orders = held_out_orders()
    prompts = [chat_ids(tokenizer, order.text) for order in orders]
    replies = [reply.text for reply in greedy_replies(model, tokenizer, prompts, ROOM, batch=30)]
    marks = digits(order.obeyed_by(reply) for order, reply in zip(orders, replies, strict=True))
    return {"obeyed": marks, "kinds": [order.kind for order in orders], "replies": replies}


def tickets(model: Any, tokenizer: Any) -> dict:
    """The first draft of "extraction" on its test tickets, none of which holds an order, as 12_prompts has it."""
    from helpers.old.prompting import ask, load, load_set, right

    items = load_set("extraction", "test")[:60]
    replies = ask(model, tokenizer, load("extraction", "1.0.0"), [item.given for item in items], batch=60)
    return {"right": digits(right(item, reply) for item, reply in zip(items, replies, strict=True)), "replies": replies}


def digits(marks: Any) -> str:
    return "".join(str(int(mark)) for mark in marks)
