"""What a job relies on, as items that code can check: is another model still the right one?

    items = load_contract()                               # 30 tickets, 18 must, 12 should: data/hosted/contract.jsonl
    items[0].wordings                                     # the ticket, and for a must two more ways to write it
    found = check_reply(items[0], '{"intent": "order_status", …}')       # "" if it holds, else what is wrong

An item says which fields of the reply the job relies on, and no more: a ticket about brakes must be urgent, whatever
else is said of it. Every reply must be one JSON object with the five fields and allowed values, whatever the item asks:
that is what the program behind it reads. "must" items are promises that somebody relies on; "should" items are counted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from helpers.files.paths import DATA
from helpers.files.safe_files import read_jsonl
from helpers.old.velunda.tickets import FIELDS
from helpers.velunda.company import canon

CONTRACT = DATA / "hosted" / "contract.jsonl"


@dataclass(frozen=True)
class Item:
    """One ticket and the fields that its label is relied on for. what: the promise, in words; again: the same ticket in
    other words, for which the same must hold."""

    id: str
    level: str
    what: str
    ticket: str
    expect: dict[str, str | None]
    again: tuple[str, ...] = ()

    @property
    def wordings(self) -> tuple[str, ...]:
        """The ticket, and the same in other words."""
        return (self.ticket, *self.again)


def load_contract() -> list[Item]:
    """The items. Raises DataUnavailable if the file is missing or damaged."""
    return [Item(**row | {"again": tuple(row.get("again", ()))}) for row in read_jsonl(CONTRACT)]


def check_reply(item: Item, reply: str) -> str:
    """What is wrong with a reply, in a few words; "" where all that the item relies on holds."""
    try:
        label = json.loads(reply)
    except ValueError:
        return "no JSON"
    if not isinstance(label, dict) or set(label) != set(FIELDS):
        return f"not the fields {', '.join(FIELDS)}"
    world = canon()
    allowed = {
        "intent": [intent["name"] for intent in world["intents"]],
        "urgency": world["urgency"],
        "sentiment": world["sentiment"],
    }
    wrong = [f"{field} is {label[field]}" for field, values in allowed.items() if label[field] not in values]
    wrong += [
        f"{field} is {label[field]}, not {value}" for field, value in item.expect.items() if label[field] != value
    ]
    return "; ".join(dict.fromkeys(wrong))
