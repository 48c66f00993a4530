"""untrue_fields: a note that fits its schema may still say what the letter does not."""

from __future__ import annotations

import json
from collections.abc import Sequence

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def untrue_fields(reply: str, letter: str, products: Sequence[str], numbers: Sequence[str]) -> list[str]:
    """What a valid note gets wrong about its letter, of these four, in this order:

    "order": `wants` stands before `evidence`. "evidence": it is empty, or no run of whole words (split at
    spaces) of the letter, written as there.
    "product", "order_number": neither null nor among those that the letter names.
    reply: a JSON object with evidence, wants, product and order_number, in any order
    """
    note = json.loads(reply)
    fields, untrue = list(note), []
    if fields.index("wants") < fields.index("evidence"):
        untrue.append("order")
    words, quoted = letter.split(), note["evidence"].split()
    n = len(quoted)
    if not n or all(words[k : k + n] != quoted for k in range(len(words))):
        untrue.append("evidence")
    if note["product"] not in (None, *products):
        untrue.append("product")
    if note["order_number"] not in (None, *numbers):
        untrue.append("order_number")
    return untrue


ANSWER = """
def untrue_fields(reply, letter, products, numbers):
    note = json.loads(reply)
    untrue = []
    fields = list(note)
    if fields.index("wants") < fields.index("evidence"):
        untrue.append("order")
    words = " ".join(letter.split())
    quote = " ".join(note["evidence"].split())
    if not quote or f" {quote} " not in f" {words} ":
        untrue.append("evidence")
    if note["product"] is not None and note["product"] not in products:
        untrue.append("product")
    if note["order_number"] is not None and note["order_number"] not in numbers:
        untrue.append("order_number")
    return untrue
"""
WHOLE = 'if not quote or f" {quote} " not in f" {words} ":'
ORDER = 'fields.index("wants") < fields.index("evidence")'
PRODUCT = 'note["product"] is not None and note["product"] not in products'
NUMBER = 'note["order_number"] is not None and note["order_number"] not in numbers'
PART = "part of a word passes in yours: “art” stands in “part”, and is no word of the letter."
NONE = "null says that the letter names none, and is allowed."
SLIPS = [
    (WHOLE, 'if note["evidence"] not in letter:', PART),
    (WHOLE, "if not quote or quote not in words:", PART),
    (
        WHOLE,
        "if not set(quote.split()) <= set(words.split()) or not quote:",
        "the words have to stand side by side in the letter, in this order.",
    ),
    (
        WHOLE,
        'if not quote or f" {quote.lower()} " not in f" {words.lower()} ":',
        "capitals count: evidence is copied as it is written.",
    ),
    (WHOLE, 'if f" {quote} " not in f" {words} " and quote:', "an empty evidence shows nothing."),
    (ORDER, 'fields.index("wants") != 3', "wants need not come last; it has to come behind evidence."),
    (ORDER, 'fields[0] != "evidence"', "another field may come first; only wants has to wait for evidence."),
    (ORDER, ORDER.replace("<", ">"), "you refuse the right order: evidence comes before wants."),
    (
        "fields = list(note)",
        "fields = sorted(note)",
        "sorted names say nothing about the reply; a dict keeps it.",
    ),
    (PRODUCT, 'note["product"] not in products', NONE),
    (NUMBER, 'note["order_number"] not in numbers', NONE),
    (
        PRODUCT,
        'note["product"] is not None and note["product"] not in letter',
        "a customer may misspell a name; `products` holds what the rules found, whatever its spelling.",
    ),
    (
        NUMBER,
        'note["order_number"] is not None and note["order_number"] not in letter',
        "customers write order numbers in many ways; compare with `numbers`.",
    ),
    ("    return untrue\n", "    return untrue[:1]\n", "you give the first only; name all."),
    ("    return untrue\n", "    return sorted(untrue)\n", "keep them in the order of the docstring."),
]
REFUSED = [("    return untrue\n", "    return not untrue\n", "Expected")]
RIGHT = [
    """
def untrue_fields(reply, letter, products, numbers):
    note = json.loads(reply)
    words = letter.split()
    runs = {tuple(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)}
    checks = {
        "order": reply.index('"evidence":') < reply.index('"wants":'),
        "evidence": tuple(note["evidence"].split()) in runs,
        "product": note["product"] in [None, *products],
        "order_number": note["order_number"] in [None, *numbers],
    }
    return [name for name, holds in checks.items() if not holds]
""",
]
LABEL_FIRST = ("wants", "evidence", "product", "order_number")
GOOD = ("evidence", "product", "order_number", "wants")


def cases(rng: Generator) -> list[tuple]:
    digits = int(rng.integers(10_000, 99_999))
    letter = f"The front light of my Kyte went dark, a week before our party. Order ve {digits}. Can you mend it?"
    found = (["Kite"], [f"VE-{digits}"])

    def note(evidence: str, product: str | None, number: str | None, order: Sequence[str] = GOOD) -> str:
        values = {"evidence": evidence, "product": product, "order_number": number, "wants": "a repair"}
        return json.dumps({field: values[field] for field in order})

    told, number = "Can you mend it?", f"VE-{digits}"
    return [
        (note(told, "Kite", number), letter, *found),
        (note(told, None, None), letter, *found),
        (note(told, "Otter", "VE-12345"), letter, *found),
        (
            note("front light of my Kyte", "Kite", number, ("wants", "evidence", "product", "order_number")),
            letter,
            *found,
        ),
        (note("art", "Kite", number), letter, *found),
        (note("light of my Kite went dark,", "Kite", number), letter, *found),  # mended, so not copied
        (note("can you mend it?", "Kite", number), letter, *found),
        (note("mend dark, light", "Kite", None), letter, *found),
        (note("", "Kite", None), letter, *found),
        (note(told, "Kyte", f"ve {digits}"), letter, *found),
        (note(told, "Kite", number, ("product", "evidence", "wants", "order_number")), letter, *found),
        (note(told, "Kite", None, ("product", "order_number", "evidence", "wants")), letter, *found),
        (note(told, "Kite", None, ("evidence", "wants", "product", "order_number")), letter, *found),
        (note("x", "Wren", None, ("product", "wants", "order_number", "evidence")), letter, *found),
        (note("No bell rings.", "Kite", None), "No bell rings. Why?", [], []),
    ]


EXERCISE = Exercise(
    minutes=5,
    difficulty=2,
    reference=untrue_fields,
    hints=(
        "Which of the four can you read off the parsed object alone, and for which do you need the letter?",
        "A dict keeps its keys in the order of the reply. Evidence is a run of whole words: split letter and evidence "
        "into words and look for the shorter list in the longer one.",
        "Collect names in a list. For the order compare the places of two keys in `list(note)`. For evidence put a "
        "space before and behind both texts, so that a part of a word is not found; an empty one never counts. A "
        "product or number of None is always fine, any other has to be among those given.",
    ),
    proves="a field is refused where the letter does not bear it out, parts of words, empty quotes and label-first "
    "included",
)
