"""reconcile_invoice: what was paid once, twice, for nothing, or not at all."""

from __future__ import annotations

from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.hosted import reconcile


def reconcile_invoice(journal: list[dict[str, Any]], invoice: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Every line of an invoice under one of five headings, the money of each item added up: {heading: {item: money}}.

    journal: a row per request that was sent, with "item", "key" and "outcome": "done" if its answer came, "failed", or
    None if nobody knows. A key belongs to one item; an item may have many rows, with one key or several. It is answered
    if one of its rows is "done". invoice: a row per request that was billed, with "key" and "money".

    "once": the first line of an answered item. "twice": its further lines. "nothing": all lines of an item that is not
    answered. "unknown": lines with a key that no row of the journal has; here the key stands in place of the item.
    "missing": answered items without any line, each with money 0. A heading without lines is an empty dict.

    Journal rows (T1, a, done), (T2, b, None), invoice lines (a, 3), (a, 3), (b, 4), (x, 5)
    -> {"once": {"T1": 3}, "twice": {"T1": 3}, "nothing": {"T2": 4}, "unknown": {"x": 5}, "missing": {}}
    """
    return reconcile.reconcile_invoice(journal, invoice)


ANSWER = """
def reconcile_invoice(journal, invoice):
    item_of = {row["key"]: row["item"] for row in journal}
    answered = {row["item"] for row in journal if row["outcome"] == "done"}
    found = {"once": {}, "twice": {}, "nothing": {}, "unknown": {}, "missing": {}}
    for line in invoice:
        item = item_of.get(line["key"])
        if item is None:
            heading, item = "unknown", line["key"]
        elif item not in answered:
            heading = "nothing"
        elif item in found["once"]:
            heading = "twice"
        else:
            heading = "once"
        found[heading][item] = found[heading].get(item, 0) + line["money"]
    found["missing"] = {item: 0 for item in answered if item not in found["once"]}
    return found
"""
ADDED = '        found[heading][item] = found[heading].get(item, 0) + line["money"]\n'
UNKNOWN = """        if item is None:
            heading, item = "unknown", line["key"]
        elif item not in answered:
"""
ANSWERED = '    answered = {row["item"] for row in journal if row["outcome"] == "done"}\n'
MISSING = '    found["missing"] = {item: 0 for item in answered if item not in found["once"]}\n'
OF_THE_ITEM = (
    "whether there is an answer is a matter of the item, not of the key: an item that was sent with several keys is "
    "answered if one of them brought the answer."
)
FIRST_LINE = "the first line of an item that was paid twice bought its answer: it stays under “once”."
NO_ROW = "a line's key may be in no row of the journal: `.get` gives None there."
SLIPS = [
    (
        ANSWERED,
        """    last = {row["item"]: row["outcome"] for row in journal}
    answered = {item for item, outcome in last.items() if outcome == "done"}
""",
        "an item is answered if *any* of its rows is “done”; yours looks at its last row only.",
    ),
    (
        'if row["outcome"] == "done"}',
        'if row["outcome"] != "failed"}',
        "an outcome of None means that nobody knows: without a row that is “done”, the item has no answer.",
    ),
    (
        'row["outcome"] == "done"}',
        'row["outcome"]}',
        "“failed” is an outcome, too: only “done” means that the answer came.",
    ),
    (
        """
def reconcile_invoice(journal, invoice):
    item_of = {row["key"]: row["item"] for row in journal}
    done = {row["key"] for row in journal if row["outcome"] == "done"}
    found = {"once": {}, "twice": {}, "nothing": {}, "unknown": {}, "missing": {}}
    for line in invoice:
        item = item_of.get(line["key"])
        if item is None:
            heading, item = "unknown", line["key"]
        elif line["key"] not in done:
            heading = "nothing"
        elif item in found["once"]:
            heading = "twice"
        else:
            heading = "once"
        found[heading][item] = found[heading].get(item, 0) + line["money"]
    answered = {item_of[key] for key in done}
    found["missing"] = {item: 0 for item in answered if item not in found["once"]}
    return found
""",
        OF_THE_ITEM,
    ),
    (
        """
def reconcile_invoice(journal, invoice):
    item_of = {row["key"]: row["item"] for row in journal}
    answered = {row["item"] for row in journal if row["outcome"] == "done"}
    found = {"once": {}, "twice": {}, "nothing": {}, "unknown": {}, "missing": {}}
    seen = set()
    for line in invoice:
        item = item_of.get(line["key"])
        if item is None:
            heading, item = "unknown", line["key"]
        elif item not in answered:
            heading = "nothing"
        elif line["key"] in seen:
            heading = "twice"
        else:
            heading = "once"
        seen.add(line["key"])
        found[heading][item] = found[heading].get(item, 0) + line["money"]
    found["missing"] = {item: 0 for item in answered if item not in found["once"]}
    return found
""",
        "two lines with different keys can belong to one item, which then was paid twice: count per item.",
    ),
    (
        """
def reconcile_invoice(journal, invoice):
    found = {"once": {}, "twice": {}, "nothing": {}, "unknown": {}, "missing": {}}
    row_of = {row["key"]: row for row in journal}
    for line in invoice:
        row = row_of.get(line["key"])
        if row is None:
            found["unknown"][line["key"]] = line["money"]
        elif row["outcome"] != "done":
            found["nothing"][row["item"]] = line["money"]
        elif row["item"] in found["once"]:
            found["twice"][row["item"]] = line["money"]
        else:
            found["once"][row["item"]] = line["money"]
    return found
""",
        OF_THE_ITEM,
    ),
    (
        """
def reconcile_invoice(journal, invoice):
    item_of = {row["key"]: row["item"] for row in journal}
    answered = {row["item"] for row in journal if row["outcome"] == "done"}
    found = {"once": {}, "twice": {}, "nothing": {}, "unknown": {}, "missing": {}}
    items = [item_of.get(line["key"]) for line in invoice]
    for line, item in zip(invoice, items):
        if item is None:
            heading, item = "unknown", line["key"]
        elif item not in answered:
            heading = "nothing"
        else:
            heading = "twice" if items.count(item) > 1 else "once"
        found[heading][item] = found[heading].get(item, 0) + line["money"]
    found["missing"] = {item: 0 for item in answered if item not in found["once"]}
    return found
""",
        FIRST_LINE,
    ),
    (
        [('item_of.get(line["key"])', 'item_of[line["key"]]'), (MISSING, "")],
        NO_ROW,
    ),
    (
        UNKNOWN,
        "        if item is None:\n            continue\n        elif item not in answered:\n",
        "lines with a key that you never sent are dropped: they are money, too, and somebody should ask about them.",
    ),
    (
        'heading, item = "unknown", line["key"]',
        'heading = "unknown"',
        "an unknown line has no item: put its key in that place.",
    ),
    (
        'item_of.get(line["key"])',
        'item_of[line["key"]]',
        NO_ROW,
    ),
    (
        ADDED,
        '        found[heading][item] = line["money"]\n',
        "an item may have several lines under one heading: add them up.",
    ),
    (
        ADDED,
        "        found[heading][item] = found[heading].get(item, 0) + 1\n",
        "the values are money, not numbers of lines.",
    ),
    (
        '            heading = "nothing"\n',
        '            heading = "twice" if item in found["nothing"] else "nothing"\n',
        "all lines of an item without an answer were paid for nothing, its second one as well.",
    ),
    (
        """
def reconcile_invoice(journal, invoice):
    item_of = {row["key"]: row["item"] for row in journal}
    answered = {row["item"] for row in journal if row["outcome"] == "done"}
    found = {"once": {}, "twice": {}, "nothing": {}, "unknown": {}, "missing": {}}
    for line in invoice:
        item = item_of.get(line["key"])
        if item is None:
            heading, item = "unknown", line["key"]
        elif item not in answered:
            heading = "nothing"
        elif item in found["once"]:
            found["twice"][item] = found["twice"].get(item, found["once"].pop(item)) + line["money"]
            continue
        elif item in found["twice"]:
            heading = "twice"
        else:
            heading = "once"
        found[heading][item] = found[heading].get(item, 0) + line["money"]
    found["missing"] = {i: 0 for i in answered if i not in found["once"] and i not in found["twice"]}
    return found
""",
        FIRST_LINE,
    ),
    (
        '{item: 0 for item in answered if item not in found["once"]}',
        '{i: 0 for i in item_of.values() if i not in found["once"] and i not in found["nothing"]}',
        "only answered items can be missing on the invoice: who has no answer has nothing to pay.",
    ),
    (
        '    found["missing"] = {item: 0 for item in answered if item not in found["once"]}\n',
        "",
        "answered items without any line are not found: look for them after the loop.",
    ),
    (
        '{item: 0 for item in answered if item not in found["once"]}',
        '[item for item in answered if item not in found["once"]]',
        "“missing” is a dict like the others, with money 0 for each item.",
    ),
    (
        "    return found\n",
        "    return {heading: items for heading, items in found.items() if items}\n",
        "all five headings are there, the empty ones as well: an empty one says that nothing was found.",
    ),
]
REFUSED = [('"twice": {}, ', "", "KeyError")]
RIGHT = [
    """
def reconcile_invoice(journal, invoice):
    item_of = {row["key"]: row["item"] for row in journal}
    answered = {row["item"] for row in journal if row["outcome"] == "done"}
    found = {heading: {} for heading in ("once", "twice", "nothing", "unknown", "missing")}
    for line in invoice:
        item = item_of.get(line["key"])
        place = "unknown" if item is None else "nothing" if item not in answered else "once"
        if place == "once" and item in found["once"]:
            place = "twice"
        name = line["key"] if item is None else item
        found[place][name] = found[place].get(name, 0.0) + float(line["money"])
    for item in answered - set(found["once"]):
        found["missing"][item] = 0.0
    return found
""",
    """
def reconcile_invoice(journal, invoice):
    lines = {}
    for line in invoice:
        lines.setdefault(line["key"], []).append(line["money"])
    found = {heading: {} for heading in ("once", "twice", "nothing", "unknown", "missing")}
    keys = {row["key"]: row["item"] for row in journal}
    for key, moneys in lines.items():
        if key not in keys:
            found["unknown"][key] = sum(moneys)
    answered = {row["item"] for row in journal if row["outcome"] == "done"}
    for item in {row["item"] for row in journal}:
        paid = [line["money"] for line in invoice if keys.get(line["key"]) == item]
        if item in answered and paid:
            found["once"][item] = paid[0]
            if len(paid) > 1:
                found["twice"][item] = sum(paid[1:])
        elif item in answered:
            found["missing"][item] = 0
        elif paid:
            found["nothing"][item] = sum(paid)
    return found
""",
]


def _total(found: Any) -> float:
    return sum(sum(items.values()) for items in found.values())


def _headings(found: Any) -> bool:
    return isinstance(found, dict) and all(isinstance(items, dict) for items in found.values())


PROPERTIES = [
    Property(
        "the sums of all headings are the sum of the invoice",
        lambda found, journal, invoice: (
            not _headings(found) or abs(_total(found) - sum(line["money"] for line in invoice)) < 1e-9
        ),
        evidence=lambda found, journal, invoice: (
            f"Yours add up to {_total(found):g}, the invoice to {sum(line['money'] for line in invoice):g}."
        ),
    )
]


def cases(rng: Generator) -> list[tuple]:
    def rows(*requests: str) -> list[dict[str, Any]]:
        """ "T1 a done": item, key, outcome, "?" for None."""
        parts = [request.split() for request in requests]
        return [{"item": i, "key": k, "outcome": None if o == "?" else o} for i, k, o in parts]

    def billed(keys: str) -> list[dict[str, Any]]:
        return [{"key": key, "money": int(rng.integers(1, 60))} for key in keys.split()]

    mixed = rows(
        "T1 a done",
        "T2 b ?",
        "T2 c done",
        "T3 d failed",
        "T3 d done",
        "T4 e failed",
        "T4 f ?",
        "T5 g done",
        "T6 h failed",
    )
    return [
        (rows("T1 a done"), billed("a")),
        (rows("T1 a ?", "T1 b done"), billed("a b")),
        (rows("T1 a ?", "T1 a done"), billed("a a a")),
        (rows("T1 a done", "T1 b failed"), billed("b a")),
        (rows("T1 a ?", "T2 b failed"), billed("a b b")),
        (rows("T1 a done"), billed("x a x")),
        (rows("T1 a done", "T2 b failed", "T3 c ?"), []),
        (mixed, billed("a b c d e f x d")),
        (mixed, billed("f e d c b a")),
        ([], billed("x y")),
        ([], []),
    ]


EXERCISE = Exercise(
    reference=reconcile_invoice,
    minutes=9,
    difficulty=2,
    properties=PROPERTIES,
    hints=(
        "The invoice knows keys, and you think in items. Which two things about the journal do you need, before you "
        "read the first line of the invoice?",
        "A dictionary from key to item, and the set of answered items. Then each line has one heading, and three "
        "questions find it, in this order: is the key known? Is its item answered? Does the item have a line under "
        "“once” already?",
        "Begin with all five headings as empty dictionaries. For each line find heading and item, and add the money "
        "to what stands there (`.get(item, 0)`). For an unknown key, the key takes the item's place. After the loop, "
        "“missing” gets the answered items that are not under “once”, with 0.",
    ),
    proves="each line has one heading, the sums are the invoice's, and answered items without a line are found",
)
