"""A shouted ticket is written quietly, a question is found behind a story, and recorded replies are not asked again."""

from __future__ import annotations

import json

import pytest

from helpers.old.hosted.acceptance import load_contract
from helpers.old.trials import desk_repairs
from helpers.old.velunda.tickets import FRESH, load_tickets


@pytest.mark.parametrize(
    ("ticket", "written"),
    [
        ("HELLO!!! WHERE IS IT???", "Hello! Where is it?"),
        ("WHERE IS VE-90311?!", "Where is ve-90311?!"),
        ("URGENT!!! Where is my Kite???", "URGENT!!! Where is my Kite???"),
        ("", ""),
        ("???", "???"),
    ],
)
def test_only_a_ticket_that_is_mostly_in_capitals_is_changed(ticket, written):
    assert desk_repairs.quiet(ticket) == written


@pytest.mark.parametrize(
    ("ticket", "question"),
    [
        ("We moved. Which shop is open?", "Which shop is open?"),
        ("Which shop? We moved. And when?", "Which shop? And when?"),
        ("Is that quality?! NOW!", "Is that quality?!"),
        ("We moved.", ""),
    ],
)
def test_the_question_is_found_wherever_it_stands(ticket, question):
    assert desk_repairs.question_of(ticket) == question


@pytest.fixture
def live(monkeypatch):
    """The texts that a model is asked; its replies are empty labels."""
    asked = []

    class Model:
        def ask(self, texts):
            asked.extend(texts)
            label = dict.fromkeys(("intent", "product", "order_number", "urgency", "sentiment"))
            return [desk_repairs_reply(label) for _ in texts]

    def desk_repairs_reply(label):
        return type("Reply", (), {"answer": label})

    monkeypatch.setattr(desk_repairs, "_model", lambda system: Model())
    return asked


def test_what_is_recorded_is_not_asked_and_what_is_new_is_asked_once(live):
    known = load_contract()[0].ticket
    found = desk_repairs.ask([known, "new", "new"])
    assert live == ["new"] and list(found) == [known, "new"]
    assert json.loads(found[known])["order_number"] == "VE-90311" and json.loads(found["new"])["intent"] is None
    desk_repairs.ask(iter([known]), live=True)
    assert live == ["new", known]


def test_all_wordings_and_all_of_fresh_are_recorded_for_both_systems(live):
    texts = [text for item in load_contract() for text in item.wordings]
    texts += [text for two in desk_repairs.HELD_BACK.values() for text in two]
    texts += [row["text"] for row in load_tickets(FRESH)]
    for system in ("tickets", "tickets-rules"):
        assert len(desk_repairs.ask(texts, system)) == 66 + 6 + 154
    assert not live
