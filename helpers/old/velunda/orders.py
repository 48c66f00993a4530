"""Velunda's orders, as the shop's data base would give them: `data/velunda/orders.json`."""

from __future__ import annotations

from typing import Any

from helpers.files.safe_files import read_json
from helpers.velunda.company import FILE


def load_orders() -> dict[str, dict[str, Any]]:
    """Each order by its number: customer, ordered, status, delivery (a date or None), items. Raises DataUnavailable."""
    return {order["number"]: order for order in read_json(FILE.parent / "orders.json")["orders"]}
