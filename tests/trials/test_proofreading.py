"""Confused words: found with their capitals, scored as whole messages, and counted neighbors as the rival."""

from __future__ import annotations

import re

import pytest
import torch

from helpers.old.trials import proofreading
from helpers.old.trials.proofreading import by_neighbors, log_prob, partners, same_capitals, word_scores
from tests.trials.conftest import Letters


class Beginning(Letters):
    """Letters, and the token that begins a text."""

    bos_token_id = 39


def test_a_word_is_found_whatever_its_capitals_and_its_partner_gets_the_same_ones(model):
    message = "Were is my bike? I am HERE, where you're."
    places, scores = word_scores(model, Beginning(), message, partners())
    assert [(word, other) for _, word, other in places] == [
        ("Were", "Where"), ("HERE", "HEAR"), ("where", "were"), ("you're", "your")]  # fmt: skip
    assert all(message[at : at + len(word)] == word for at, word, _ in places)
    assert scores.shape == (4, 2)
    assert [same_capitals("there", like) for like in ("their", "Their", "THEIR")] == ["there", "There", "THERE"]


def test_the_two_scores_are_those_of_the_message_as_it_stands_and_with_this_one_word_changed(model):
    message = "no, I know"
    _, scores = word_scores(model, Beginning(), message, {"no": "know", "know": "no"})
    for row, changed in zip(scores.tolist(), ("know, I know", "no, I no"), strict=True):
        assert row == pytest.approx([log_prob(model, Beginning(), text) for text in (message, changed)])
    ids = torch.tensor([[39, *Letters()("no")["input_ids"]]])
    with torch.no_grad():
        log_p = model(ids)[0].log_softmax(-1)
    by_hand = log_p[0, ids[0, 1]] + log_p[1, ids[0, 2]]
    assert log_prob(model, Beginning(), "no") == pytest.approx(by_hand.item(), abs=1e-5)


def test_a_message_without_such_a_word_has_no_places_and_no_scores(model):
    places, scores = word_scores(model, Beginning(), "Hello!", partners())
    assert places == [] and scores.shape == (0, 2)


def test_counting_prefers_the_word_that_stood_between_these_neighbors():
    seen = proofreading.counts()
    assert seen["the", "whole"] > seen["the", "hole"]
    assert by_neighbors("the hole family", (4, "hole", "whole"))
    assert not by_neighbors("the whole family", (4, "whole", "hole"))


def test_each_listed_mistake_stands_in_one_message_of_its_family():
    for split, mistakes in proofreading.MAIL_MISTAKES.items():
        texts = {ticket["family"]: ticket["text"] for ticket in proofreading.mail(split)}
        for family, word in mistakes:
            assert re.findall(r"[\w']+", texts[family]).count(word) == 1 and word in partners()
