"""Velunda's orders and prices, as the shop's data base would give them: `data/velunda/orders.json` and the canon.

    load_orders()["VE-21133"]["items"]      # [{"product": "Beacon", "quantity": 6, "price_eur": 69}, …]
    prices()["Kite 500"]               # 2790
    price_of("the Anchor locks")       # ("Anchor", 119)
    with_kind("Anchor")                # "Anchor folding lock"
    named_things("a chain and a Lynx 625")             # ["chain", "Lynx 625"]

What it does not do: delivery costs, discounts, or prices of the past.
"""

from __future__ import annotations

from typing import Any

from helpers.files.safe_files import read_json
from helpers.tools import named_things, prices, with_kind
from helpers.velunda.company import FILE

__all__ = ["load_orders", "named_things", "price_of", "prices", "with_kind"]

ORDERS = FILE.parent / "orders.json"


def load_orders() -> dict[str, dict[str, Any]]:
    """Each order by its number: customer, ordered, status, delivery (a date or None), items. Raises DataUnavailable."""
    return {order["number"]: order for order in read_json(ORDERS)["orders"]}


def price_of(text: str) -> tuple[str, int] | None:
    """The thing that a text names, by the longest name in it, and its price; None if it names none.

    Capitals and a plural do not matter; "Kite" alone names none of the two bicycles Kite 400 and Kite 500.
    """
    best = max(named_things(text), key=len, default=None)
    return best and (best, prices()[best])
