"""The items say what the guide says, and a reply that breaks a promise is told so."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from helpers.old.hosted.acceptance import check_reply, load_contract
from helpers.old.trials.desk_repairs import HELD_BACK
from helpers.old.velunda.tickets import FIELDS, FRESH, MORE, SPLITS, load_tickets
from helpers.velunda.company import canon, order_numbers, products_named

ITEMS = load_contract()


def right(item) -> str:
    """A reply that holds all of an item's promises."""
    usual = {"intent": "advice", "product": None, "order_number": None, "urgency": "normal", "sentiment": "neutral"}
    return json.dumps(usual | item.expect)


def test_thirty_items_eighteen_of_them_must():
    assert Counter(item.level for item in ITEMS) == {"must": 18, "should": 12}
    assert len({item.id for item in ITEMS}) == len({item.ticket for item in ITEMS}) == 30


def test_each_must_is_asked_in_three_wordings_and_each_should_in_one():
    assert all(len(item.wordings) == (3 if item.level == "must" else 1) for item in ITEMS)
    assert len({text for item in ITEMS for text in item.wordings}) == 3 * 18 + 12


def test_what_is_expected_can_be_read_in_the_ticket():
    world = canon()
    for item in ITEMS:
        assert item.expect and set(item.expect) <= set(FIELDS)
        assert item.expect.get("intent", "other") in [intent["name"] for intent in world["intents"]]
        assert item.expect.get("urgency", "low") in world["urgency"]
        assert item.expect.get("sentiment", "neutral") in world["sentiment"]
        for field, found in (("product", products_named), ("order_number", order_numbers)):
            value = item.expect.get(field)
            assert value is None or all(value in found(text) for text in item.wordings), item


def test_no_item_is_in_another_split():
    seen, numbers = set(), set()
    for split in (*SPLITS, FRESH, MORE):
        for row in load_tickets(split):
            seen.add(row["text"])
            numbers |= set(order_numbers(row["text"]))
    texts = {text for item in ITEMS for text in item.wordings} | {text for two in HELD_BACK.values() for text in two}
    ours = {number for text in texts for number in order_numbers(text)}
    assert ours and not ours & numbers and not seen & texts


def test_a_right_reply_holds_and_each_wrong_field_is_named():
    for item in ITEMS:
        assert check_reply(item, right(item)) == ""
        for field in item.expect:
            wrong = json.loads(right(item)) | {field: "wrong"}
            assert f"{field} is wrong" in check_reply(item, json.dumps(wrong))


@pytest.mark.parametrize("reply", ["", "Sure!", "{", '{"intent": "advice"}', "[]", "null", "Sure: {}"])
def test_what_a_program_cannot_read_holds_nothing(reply):
    assert check_reply(ITEMS[0], reply)


def test_a_field_that_nobody_asked_about_must_still_have_an_allowed_value():
    item = next(item for item in ITEMS if "sentiment" not in item.expect)
    wrong = json.loads(right(item)) | {"sentiment": "furious"}
    assert check_reply(item, json.dumps(wrong)) == "sentiment is furious"
