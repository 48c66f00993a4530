"""Support tickets to Velunda: the labeled ones, what a model is told about one, and what it should answer.

    train = load_tickets("train")           # [{"text": …, "label": {"intent": …, …}, "family": …}, …]
    ticket_chat(train[0])                   # system, user, assistant: a conversation to train on
    allowed_values("Where is my Kite?")     # {"intent": ["order_status", …], "product": ["Kite", None], …}

What a label means stands in data/velunda/tickets/GUIDE.md. Tickets of one family were filled from one phrasing; no
family serves two splits. "fresh" was written last, and no choice was made by it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from helpers.files.safe_files import read_jsonl
from helpers.velunda.company import FILE, canon, order_numbers, products_named

FOLDER = FILE.parent / "tickets"
SPLITS = ("train", "dev", "test", "fresh", "more")
FIELDS = ("intent", "product", "order_number", "urgency", "sentiment")
INSTRUCTION = (
    "Label the ticket as JSON. intent: order_status, change_order, delivery_problem, return, repair, billing, advice, "
    "account or other. product: Kite, Otter, Heron, Wren, Lynx, Puffin, Magpie, Perch, Burrow, Beacon, Shell, Anchor, "
    "Satchel or null. order_number: VE-12345 or null. urgency: low, normal or high. sentiment: negative, neutral or "
    "positive."
)


def load_tickets(split: str) -> list[dict[str, Any]]:
    """The tickets of one of SPLITS, each with `text`, `label` and `family`. Raises ValueError, DataUnavailable."""
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    return read_jsonl(FOLDER / f"{split}.jsonl")


def ticket_chat(ticket: Mapping[str, Any], instruction: str = INSTRUCTION) -> list[dict[str, str]]:
    """The conversation about a ticket: instruction, text, and the answer if the ticket has a label."""
    turns = [{"role": "system", "content": instruction}, {"role": "user", "content": ticket["text"]}]
    return turns + ([{"role": "assistant", "content": answer_text(ticket["label"])}] if "label" in ticket else [])


def answer_text(label: Mapping[str, str | None]) -> str:
    """The answer that is trained: JSON without spaces, a fifth fewer tokens, in the order of FIELDS.

    >>> answer_text(dict.fromkeys(FIELDS) | {"intent": "return"})
    '{"intent":"return","product":null,"order_number":null,"urgency":null,"sentiment":null}'
    """
    return json.dumps({field: label[field] for field in FIELDS}, separators=(",", ":"), ensure_ascii=False)


def allowed_values(text: str) -> dict[str, list[str | None]]:
    """What each of FIELDS may be: all intents, urgencies and sentiments, and the products and order numbers that two
    rules find in the text, or null. What the rules miss is lost; a name in passing is allowed, too.
    """
    world = canon()
    return {
        "intent": [intent["name"] for intent in world["intents"]],
        "product": [*products_named(text), None],
        "order_number": [*order_numbers(text), None],
        "urgency": list(world["urgency"]),
        "sentiment": list(world["sentiment"]),
    }
