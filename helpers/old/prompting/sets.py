"""What each template is measured on: items with what goes into the prompt, and what a right reply says.

    items = load_set("customer_support", "dev")
    items[0].given["message"], items[0].accepted
    right(items[0], "It is free within 30 days.")          # True

| set                  | items                                           | a reply is right if it                 |
|----------------------|-------------------------------------------------|----------------------------------------|
| `classification`     | tickets of Velunda, one per family in test      | names the ticket's intent              |
| `extraction`         | tickets with an order number, one per family    | gives that number and no other         |
| `customer_support`   | customers' questions about ten terms            | states the fact (`contains_answer`)    |
| `question_answering` | questions about the handbook with three sources | states the answer (`contains_answer`)  |

Choose on dev, report on test, once. What it does not do: judge the tone of a reply, or what it says beside the fact.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from helpers.files.safe_files import read_jsonl
from helpers.old.metrics.text import contains_answer
from helpers.old.prompting.scoring import named_label
from helpers.old.prompting.templates import FOLDER, Template
from helpers.old.velunda.tickets import FRESH, MORE, load_tickets
from helpers.retrieval.chunking import Chunk
from helpers.retrieval.indexes import BM25Index
from helpers.retrieval.units import Unit, split_units
from helpers.velunda.company import canon, order_numbers
from helpers.velunda.handbook import Document, Question, load_everyday, load_handbook, load_questions

SETS = ("classification", "extraction", "customer_support", "question_answering")
SPLITS = ("dev", "test")
CITED = re.compile(r"\[\d+\]")  # the number of a source is no number of the answer


@dataclass(frozen=True)
class Item:
    """given: variables of the template; accepted: texts of which a right reply states one; kind: how it is judged."""

    given: dict[str, Any]
    accepted: tuple[str, ...]
    kind: str


def load_set(name: str, split: str) -> list[Item]:
    """The items of a set, in an order of its own. Raises ValueError for another name or split."""
    if name not in SETS or split not in SPLITS:
        raise ValueError(f"There is no set {name!r} with a split {split!r}: known are {', '.join(SETS)}, dev and test.")
    items = list(_made(name, split))
    random.Random(f"{name} {split}").shuffle(items)
    return items


@cache
def _made(name: str, split: str) -> tuple[Item, ...]:
    make = {
        "classification": _classification,
        "extraction": _extraction,
        "customer_support": _customer_support,
        "question_answering": _question_answering,
    }
    return tuple(make[name](split))


def right(item: Item, reply: str) -> bool:
    """Is this a right reply to the item?"""
    if item.kind == "classification":
        return named_label(reply, intents()) == item.accepted[0]
    if item.kind == "extraction":
        return list(dict.fromkeys(order_numbers(reply))) == list(item.accepted)
    return contains_answer(CITED.sub("", reply), item.accepted)


def bare(template: Template) -> Template:
    """The same content without a word of instruction, its reply written: what a prompt has to beat.

    What a variable holds by default belongs to the instruction and is left out.
    """
    shown = {name: variable for name, variable in template.variables.items() if variable.default is None}
    lines = [
        f"{{% for text in {name} %}}{{{{ text }}}}\n{{% endfor %}}" if "list" in variable.type else f"{{{{ {name} }}}}"
        for name, variable in shown.items()
    ]
    answer = {"how": "written", "max_new_tokens": template.answer.get("max_new_tokens", 32)}
    return replace(template, variables=shown, turns=(("user", "\n".join(lines)),), answer=answer)


def intents() -> list[str]:
    """The nine intents of a ticket, as GUIDE.md lists them."""
    return [intent["name"] for intent in canon()["intents"]]


def _classification(split: str) -> list[Item]:
    tickets = load_tickets(split) if split == "dev" else _one_per_family(load_tickets(split))
    return [Item({"ticket": ticket["text"]}, (ticket["label"]["intent"],), "classification") for ticket in tickets]


def _extraction(split: str) -> list[Item]:
    """dev from the further training families, which no prompt learns from; test from the two test splits."""
    tickets = load_tickets(MORE)[:220] if split == "dev" else [*load_tickets("test"), *load_tickets(FRESH)]
    numbered = _one_per_family([ticket for ticket in tickets if ticket["label"]["order_number"]])
    return [Item({"ticket": t["text"]}, (t["label"]["order_number"],), "extraction") for t in numbered]


def _customer_support(split: str) -> list[Item]:
    rows = read_jsonl(FOLDER / "sets" / "customer_support.jsonl")
    rules = {term["id"]: term["rule"] for term in canon()["terms"]}
    facts = [rules[name] for name in dict.fromkeys(row["fact"] for row in rows)]
    return [
        Item({"facts": facts, "message": row["message"]}, tuple(row["accepted"]), "customer_support")
        for row in rows
        if row["split"] == split
    ]


def _question_answering(split: str) -> list[Item]:
    """The sentence or row that answers, and the two others of the handbook that share most words with the question."""
    documents, units, index = _handbook()
    rng, items = random.Random(f"sources {split}"), []
    for question in _with_short_answers(split):
        accepted = question.accepted or (question.answer,)
        gold = next((unit for name, unit in units if _answers(name, unit, question, accepted)), None)
        if gold is None:
            continue
        texts = [gold.with_headings]
        for hit in index.search(question.question, 20):
            if len(texts) < 3 and hit.chunk.text not in texts and not contains_answer(hit.chunk.text, accepted):
                texts.append(hit.chunk.text)
        rng.shuffle(texts)
        items.append(Item({"sources": texts, "question": question.question}, tuple(accepted), "question_answering"))
    return items


def _answers(name: str, unit: Unit, question: Question, accepted: Sequence[str]) -> bool:
    [span] = question.spans
    overlaps = name == span.document and unit.start < span.end and span.start < unit.end
    return overlaps and contains_answer(unit.with_headings, accepted)


def _with_short_answers(split: str) -> list[Question]:
    """Everyday questions that the handbook answers, and its questions for a number."""
    asked = [*load_everyday(split), *(q for q in load_questions(split) if q.kind == "number")]
    return [question for question in asked if len(question.spans) == 1]


@cache
def _handbook() -> tuple[dict[str, Document], list[tuple[str, Unit]], BM25Index]:
    documents = load_handbook()
    current = [document for document in documents.values() if document.status == "current"]
    units = [(document.name, unit) for document in current for unit in split_units(document.text)]
    index = BM25Index()
    index.add([Chunk(name, unit.start, unit.end, (), unit.with_headings) for name, unit in units])
    return documents, units, index


def _one_per_family(tickets: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first ticket of each family: two of a family share their phrasing and would count as one and a half."""
    return list({ticket["family"]: ticket for ticket in reversed(tickets)}.values())[::-1]
