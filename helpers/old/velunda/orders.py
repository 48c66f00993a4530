"""Velunda's orders and prices, as the shop's data base would give them: `data/velunda/orders.json` and the canon.

    load_orders()["VE-21133"]["items"]      # [{"product": "Beacon", "quantity": 6, "price_eur": 69}, …]
    prices()["Kite 500"]               # 2790
    price_of("the Anchor locks")       # ("Anchor", 119)
    with_kind("Anchor")                # "Anchor folding lock"
    named_things("a chain and a Lynx 625")             # ["chain", "Lynx 625"]

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


@cache
def _named() -> re.Pattern[str]:
    """Any of the names, the longest first, or a plural of it."""
    names = sorted(prices(), key=len, reverse=True)
    return re.compile(rf"\b(?:({')|('.join(re.escape(name.lower()) for name in names)}))(?:e?s)?\b")


def named_things(text: str) -> list[str]:
    """All things with a price that a text names, in order; capitals and a plural do not matter."""
    names = sorted(prices(), key=len, reverse=True)
    return [names[found.lastindex - 1] for found in _named().finditer(" ".join(text.lower().split()))]


def price_of(text: str) -> tuple[str, int] | None:
    """The thing that a text names, by the longest name in it, and its price; None if it names none.

    Capitals and a plural do not matter; "Kite" alone names none of the two bicycles Kite 400 and Kite 500.
    """
    best = max(named_things(text), key=len, default=None)
    return best and (best, prices()[best])


@cache
def _kinds() -> dict[str, str]:
    products = canon()["products"]
    return {variant["name"]: product["kind"] for product in products for variant in product["variants"]}


def with_kind(name: str) -> str:
    """A product's name with what it is, in a few words; a part's name says it already."""
    kind = re.split(r",| with ", _kinds().get(name, ""))[0]
    return f"{name} {kind}".strip()
