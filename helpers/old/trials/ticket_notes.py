"""Tickets as small JSON notes: what the model is told, what a note has to look like, and whether it is right.

    note = {"evidence": "When will it come?", "wants": "to know where the order is", "product": "Shell", ...}
    problem('{"wants": …')                    # None if the reply is one object that fits the schema, else one sentence
    right(note, ticket)                       # are wants, product and order those of the ticket's label?
    note_pattern(FIELDS, text)                # a regular expression: whatever matches is a note about this text

A note has four of the fields that a ticket of 07 is labeled with, in words that a small model can judge: "a repair"
instead of `repair`. What it does not do: run a model (tests/benchmarks/sweep_json.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from helpers.old.velunda.tickets import load_tickets
from helpers.velunda.company import canon, order_numbers, products_named

WANTS = {
    "order_status": "to know where the order is",
    "change_order": "to cancel or change an order",
    "delivery_problem": "a replacement for a wrong or damaged delivery",
    "return": "to return something",
    "repair": "a repair",
    "billing": "a payment or invoice corrected",
    "advice": "an answer to a question about products",
    "account": "help with the app or login",
    "other": "nothing in particular",
}
EVIDENCE_FIRST = ("evidence", "product", "order_number", "wants")  # what is copied comes first, what is judged last
LABEL_FIRST = ("wants", "evidence", "product", "order_number")
JUDGED = ("wants", "product", "order_number")  # evidence has no right answer of its own
MOST_WORDS, MOST_CHARACTERS = 12, 100  # of the evidence
SHOTS = (
    (
        "The display of my Lynx went dark on Sunday and stays dark. Can your workshop look at it?",
        ("Can your workshop look at it?", "repair", "Lynx", None),
    ),
    (
        "Good morning. Three weeks ago I paid for a Shell, VE-20417. I would like to know when it comes.",
        ("I would like to know when it comes.", "order_status", "Shell", "VE-20417"),
    ),
    (
        "I ride on gravel every day. Which pressure do you recommend for the tires?",
        ("Which pressure do you recommend for the tires?", "advice", None, None),
    ),
)

Note = Mapping[str, str | None]


@cache
def sixty() -> list[dict[str, Any]]:
    """The tickets of the first thirty families of dev, two each."""
    dev = load_tickets("dev")
    families = list(dict.fromkeys(ticket["family"] for ticket in dev))[:30]
    return [ticket for ticket in dev if ticket["family"] in families]


def products() -> list[str]:
    return [product["name"] for product in canon()["products"]]


@cache
def note_model() -> type[BaseModel]:
    """The note as a class of pydantic, in this order of fields; `note_model().model_json_schema()` is its schema."""
    kinds: dict[str, Any] = {
        "evidence": Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)],
        "wants": Literal[tuple(WANTS.values())],
        "product": Literal[tuple(products())] | None,
        "order_number": Annotated[str, Field(pattern=r"^VE-[0-9]{5}$")] | None,
    }
    typed = {field: (kinds[field], ...) for field in EVIDENCE_FIRST}
    return create_model("Note", __config__=ConfigDict(extra="forbid", strict=True), **typed)


def problem(reply: str) -> str | None:
    """One sentence about what keeps a reply from being one note, code fences and prose around it included, or None."""
    try:
        note_model().model_validate_json(reply)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return f"{where}: {first['msg']}" if where else first["msg"]
    return None


def note_text(note: Note, fields: Sequence[str] = EVIDENCE_FIRST) -> str:
    """A note as the model writes it: JSON without spaces."""
    return json.dumps({field: note[field] for field in fields}, separators=(",", ":"), ensure_ascii=False)


def wanted(ticket: Mapping[str, Any]) -> dict[str, str | None]:
    """The judged fields of the ticket's label."""
    label = ticket["label"]
    return {"wants": WANTS[label["intent"]], "product": label["product"], "order_number": label["order_number"]}


def right_fields(note: Note | None, ticket: Mapping[str, Any]) -> dict[str, bool]:
    """Of each judged field, whether it is there and right."""
    return {field: note is not None and note.get(field, "") == value for field, value in wanted(ticket).items()}


# What the model is told ----------------------------------------------------------------------------------------------


def instruction(fields: Sequence[str] = EVIDENCE_FIRST) -> str:
    """The instruction, which lists everything that a field may take."""
    meant = {
        "evidence": f"at most {MOST_WORDS} words copied from the letter that show what the customer wants",
        "wants": "one of " + ", ".join(WANTS.values()),
        "product": "one of " + ", ".join(products()) + ", or null",
        "order_number": "VE- and five digits, or null",
    }
    told = "\n".join(f"{field}: {meant[field]}" for field in fields)
    return f"Read the customer's letter. Answer with one JSON object and nothing else. Its fields:\n{told}"


SHORT = "Read the customer's letter and answer in JSON."  # for a reply that the mask holds to its form anyway


def note_chat(
    text: str, system: str, shots: Iterable[tuple] = (), fields: Sequence[str] = EVIDENCE_FIRST
) -> list[dict[str, str]]:
    """The conversation about one letter, up to where the model is to speak."""
    messages = [{"role": "system", "content": system}]
    for letter, (evidence, intent, product, number) in shots:
        note = {"evidence": evidence, "wants": WANTS[intent], "product": product, "order_number": number}
        messages.append({"role": "user", "content": letter})
        messages.append({"role": "assistant", "content": note_text(note, fields)})
    return [*messages, {"role": "user", "content": text}]


# What may be written -------------------------------------------------------------------------------------------------


def note_pattern(fields: Sequence[str] = EVIDENCE_FIRST, text: str | None = None) -> str:
    """A regular expression for notes, written without spaces.

    text: the letter; product and order number are then chosen among those that it names, or null where it names none,
    and the evidence among its sentences. Without it, any product, any number, any evidence.
    """
    if text is None:
        evidence = rf'"[^"\\\n\r]{{1,{MOST_CHARACTERS}}}"'
        product, number = choice([*map(as_json, products()), "null"]), '("VE-[0-9]{5}"|null)'
    else:
        evidence = choice(map(as_json, sentences(text)))
        product, number = (choice(map(as_json, found) if found else ["null"]) for found in named(text))
    values = {
        "evidence": evidence,
        "product": product,
        "order_number": number,
        "wants": choice(map(as_json, WANTS.values())),
    }
    return r"\{" + ",".join(f'"{field}":{values[field]}' for field in fields) + r"\}"


def named(text: str) -> tuple[list[str], list[str]]:
    """The products and the order numbers that a letter names, by 07's two rules."""
    return products_named(text), order_numbers(text)


def choice(texts: Iterable[str]) -> str:
    """One of these texts, whose characters mean themselves."""
    return "(" + "|".join(map(literal, texts)) + ")"


def as_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def literal(text: str) -> str:
    return re.sub(r"([^\w\s\",:'-])", r"\\\1", text)


def sentences(text: str, most: int = MOST_WORDS) -> list[str]:
    """The sentences of a letter, in order, each no longer than its first `most` words."""
    parts = re.split(r"(?<=[.!?:;])\s+", text.strip())
    return list(dict.fromkeys(" ".join(part.split()[:most]) for part in parts))
