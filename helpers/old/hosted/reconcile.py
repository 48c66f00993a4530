"""Where the money went: the lines of an invoice, matched with the journal of what was sent.

    journal = [{"item": "T1", "key": "a", "outcome": "done"}, {"item": "T2", "key": "b", "outcome": None}]
    invoice = [{"key": "a", "money": 3}, {"key": "a", "money": 3}, {"key": "b", "money": 4}, {"key": "x", "money": 5}]
    reconcile_invoice(journal, invoice)
    -> {"once": {"T1": 3}, "twice": {"T1": 3}, "nothing": {"T2": 4}, "unknown": {"x": 5}, "missing": {}}

The sums of all headings are the sum of the invoice, whatever is in it: no money is lost on the way.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

HEADINGS = ("once", "twice", "nothing", "unknown", "missing")


def reconcile_invoice(
    journal: Iterable[Mapping[str, Any]], invoice: Iterable[Mapping[str, Any]]
) -> dict[str, dict[str, float]]:
    """The money of each invoice line under the heading where it belongs, added up per item.

    journal: one row per request that was sent: `item`, `key` (its idempotency key) and `outcome`: "done" if the answer
    came, "failed", or None where the process ended before it knew. An item may have several rows, with one key or many.
    invoice: one row per request that was billed: `key` (None where none was sent) and `money`.

    An item is answered if one of its rows is "done". Headings: "once", the first line of an answered item; "twice", its
    further lines; "nothing", all lines of an item without an answer; "unknown", lines whose key is in no row of the
    journal, by key; "missing", answered items without any line, with money 0.
    """
    rows = list(journal)
    item_of = {row["key"]: row["item"] for row in rows}
    answered = dict.fromkeys(row["item"] for row in rows if row["outcome"] == "done")
    found: dict[str, dict[str, float]] = {heading: {} for heading in HEADINGS}
    for line in invoice:
        item = item_of.get(line["key"])
        if item is None:
            heading, item = "unknown", line["key"]
        elif item not in answered:
            heading = "nothing"
        else:
            heading = "twice" if item in found["once"] else "once"
        found[heading][item] = found[heading].get(item, 0.0) + line["money"]
    found["missing"] = {item: 0.0 for item in answered if item not in found["once"]}
    return found


def reconciled_sums(found: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Per heading of `reconcile_invoice`: the money in it, and under "total" that of the whole invoice."""
    per_heading = {heading: math.fsum(items.values()) for heading, items in found.items()}
    return {**per_heading, "total": math.fsum(money for items in found.values() for money in items.values())}
