"""Velunda's orders and prices, as the shop's data base would give them: `data/velunda/orders.json` and the canon.

    load_orders()["VE-20239"]["items"]      # [{"product": "Beacon", "quantity": 6, "price_eur": 69}, …]
    prices()["Kite 500"]               # 2790
    price_of("the Anchor locks")       # ("Anchor", 119)
    things_priced("a Shell and two chains")    # ["Shell", "chain"]

What it does not do: delivery costs, discounts, or prices of the past.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from helpers.files.safe_files import read_json
from helpers.velunda.company import FILE, canon

ORDERS = FILE.parent / "orders.json"


def load_orders() -> dict[str, dict[str, Any]]:
    """Each order by its number: customer, ordered, status, delivery (a date or None), items. Raises DataUnavailable."""
    return {order["number"]: order for order in read_json(ORDERS)["orders"]}


@cache
def prices() -> dict[str, int]:
    """What one piece costs in euros: each variant of a product, and each part, by its name in the canon."""
    world = canon()
    things = [variant for product in world["products"] for variant in product["variants"]] + world["parts"]
    return {thing["name"]: thing["price_eur"] for thing in things}


def things_priced(text: str) -> list[str]:
    """The things of the price list that a text names, in order of appearance; of names within names the longest."""
    names = {name.lower(): name for name in prices()}
    longest_first = sorted(names, key=len, reverse=True)
    spelled = re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})(?:e?s)?\b")
    return [names[found] for found in spelled.findall(" ".join(text.lower().split()))]


def price_of(text: str) -> tuple[str, int] | None:
    """The thing that a text names, by the longest name in it, and its price; None if it names none.

    Capitals and a plural do not matter; "Kite" alone names none of the two bicycles Kite 400 and Kite 500.
    """
    said = " ".join(text.lower().split())
    named = [name for name in prices() if re.search(rf"\b{re.escape(name.lower())}(?:e?s)?\b", said)]
    best = max(named, key=len, default=None)
    return best and (best, prices()[best])
