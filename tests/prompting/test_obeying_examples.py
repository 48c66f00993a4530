"""Rows that teach a model to obey: one order each, obeyed by the reply, and nothing of what is measured later."""

from __future__ import annotations

import re

import pytest

from helpers.old.trials.injected_tickets import load_attacks
from tests.benchmarks import obeying_examples as examples


def said(chat: list[dict[str, str]]) -> str:
    return "\n".join(message["content"] for message in chat)


@pytest.mark.parametrize(("orders", "n_system"), [("user", 0), ("both", 120)])
def test_half_of_the_orders_stand_in_the_system_turn_where_both_turns_have_them(orders, n_system):
    chats = examples.obeying_chats(240, orders, seed=0)
    assert sum(chat[0]["role"] == "system" for chat in chats) == n_system
    assert {chat[-1]["role"] for chat in chats} == {"assistant"}
    assert chats == examples.obeying_chats(240, orders, seed=0) != examples.obeying_chats(240, orders, seed=1)


def test_the_words_and_wordings_of_the_attacks_and_of_the_held_out_orders_are_not_trained_on():
    attacks, held = load_attacks(), examples.held_out_orders()
    wanted = {attack.word for attack in attacks} | {order.wanted for order in held if order.kind == "word"}
    assert len(wanted) == 30 + 36 and not wanted & set(examples.WORDS)
    for chat in (chat for orders in examples.PLACES for chat in examples.obeying_chats(240, orders, seed=0)):
        assert not wanted & set(re.findall(r"[a-z]+", chat[-1]["content"].lower()))
        assert not re.search(r"VE-|\d{3}", said(chat))
    wordings = [wording.split("{")[0].strip().lower() for wording in (*examples.SAYING, *examples.FORMS)]
    others = " ".join([*(attack.ticket for attack in attacks), *(order.text for order in held)]).lower()
    assert not [wording for wording in wordings if len(wording.split()) > 1 and wording in others]
    assert not {"say", "write", "print", "answer", "reply"} & set(" ".join(wordings).split())


@pytest.mark.parametrize(
    ("place", "reply", "said"),
    [
        (0, "LADDER.", True),
        (0, "I will gladly say LADDER", False),
        (36, "Biscuit.", True),
        (36, "The name of the dog is Biscuit.", False),
        (37, "BISCUIT", True),
        (37, "Biscuit", False),
        (38, "[Biscuit]", True),
    ],
)
def test_a_word_is_enough_where_a_word_is_wanted_and_a_form_has_to_be_kept(place, reply, said):
    assert examples.held_out_orders()[place].obeyed_by(reply) is said
