"""Orders: every one fits the canon, its terms and the calendar, and no ticket speaks of the same number."""

from __future__ import annotations

import datetime
import re

import pytest

from helpers.old.velunda import load_orders
from helpers.tools import named_things, prices, shop_price, with_kind
from helpers.velunda import canon

WORLD, ORDERS = canon(), load_orders()


def business_days(first: str, last: str) -> int:
    """How many business days after the first date the last one is."""
    start, end = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    return sum((start + datetime.timedelta(i)).weekday() < 5 for i in range(1, (end - start).days + 1))


def test_an_order_arrives_when_the_terms_say():
    rule = next(term["rule"] for term in WORLD["terms"] if term["id"] == "delivery-time")
    leaves, arrives = (int(days) for days in re.findall(r"within (\d+) business days", rule))
    for order in ORDERS.values():
        if order["status"] == "canceled":
            assert order["delivery"] is None
            continue
        assert datetime.date.fromisoformat(order["delivery"]).weekday() < 5
        assert 1 <= business_days(order["ordered"], order["delivery"]) <= leaves + arrives
        assert (order["status"] == "delivered") == (order["delivery"] < WORLD["as_of"])


@pytest.mark.parametrize(
    ("text", "found"),
    [("Kite 500", 2790), ("the Anchor locks", 119), ("3 shells", 89), ("key to the battery lock", 19)],
)
def test_a_price_is_found_by_the_longest_name(text, found):
    assert shop_price(text) == f"{found} euros"


def test_all_things_in_a_text_are_named_in_order_and_the_longest_name_counts():
    assert named_things("A chain, two Lynx 625 and a key to the battery lock?") == [
        "chain",
        "Lynx 625",
        "key to the battery lock",
    ]
    assert named_things("the Kite is nice") == []


def test_a_product_is_told_with_its_kind():
    assert with_kind("Anchor") == "Anchor folding lock" and with_kind("Perch") == "Perch child seat"
    assert with_kind("chain") == "chain"
    assert all(shop_price(with_kind(name)) == f"{price} euros" for name, price in prices().items())
