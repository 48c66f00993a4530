"""A template put to a model: what it is given, and how its reply is read."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from helpers.old.prompting import PromptError, ask, load, prompt_ids, render
from helpers.old.prompting import asking as module

FACTS = ["Delivery costs 49 euros.", "Returns take 30 days.", "A <file_sep> stays text."]


@pytest.fixture
def asked(monkeypatch):
    """What the two ways of asking are given; replies are the prompt's number, scores those that the test sets."""
    seen = SimpleNamespace(prompts=[], prefix=[], labels=[], scores=None)

    def greedy(model, tokenizer, prompts, room, batch):
        seen.prompts, seen.room = prompts, room
        return [SimpleNamespace(text=f" {n}2345\nand more") for n, _ in enumerate(prompts)]

    def scores(model, tokenizer, prompts, labels):
        seen.prompts.append(prompts)
        seen.labels.append(labels)
        return seen.scores[: len(prompts), : len(labels)]

    def behind(model, prefix):
        seen.prefix = prefix
        return model

    monkeypatch.setattr(module, "greedy_replies", greedy)
    monkeypatch.setattr(module, "label_scores", scores)
    monkeypatch.setattr(module, "BehindPrefix", behind)
    return seen


def test_a_written_reply_is_cut_at_its_line_and_gets_its_beginning(asked, tokenizer):
    tickets = [{"ticket": "Where is it?"}, {"ticket": "It is late."}]
    template = load("extraction", "2.0.0")
    assert ask(None, tokenizer, template, tickets) == ["VE-02345", "VE-12345"]
    for rest, ticket in zip(asked.prompts, tickets, strict=True):
        assert asked.prefix + rest == prompt_ids(tokenizer, render(template, **ticket))
    assert asked.room == 8 and len(asked.prefix) > 100  # the examples are read once
    plain = ask(None, tokenizer, load("extraction", "1.0.0"), tickets)
    assert plain == ["02345\nand more", "12345\nand more"]


def test_one_item_has_no_shared_beginning(asked, tokenizer):
    assert ask(None, tokenizer, load("extraction", "2.0.0"), [{"ticket": "Where is it?"}]) == ["VE-02345"]
    assert asked.prefix == []


def test_the_label_wins_that_gains_most_by_the_item_not_the_likeliest(asked, tokenizer):
    asked.scores = torch.tensor([[-1.0, -9.0, -5.0], [-2.0, -8.0, -5.5], [-0.5, -9.5, -2.0]])
    items = [{"facts": FACTS, "message": message} for message in ("Returns?", "Files?")]
    template = load("customer_support", "2.0.0")
    assert ask(None, tokenizer, template, items) == [FACTS[1], FACTS[2]]
    [(blank, *prompts)] = asked.prompts
    assert "<message>\nN/A\n</message>" in tokenizer.decode(blank)
    assert prompts == [prompt_ids(tokenizer, render(template, **item)) for item in items]
    assert asked.labels == [[*FACTS[:2], "A &lt;file_sep> stays text."]]


def test_items_with_other_labels_are_scored_apart_and_come_back_in_order(asked, tokenizer):
    asked.scores = torch.tensor([[-5.0, -5.0], [-1.0, -5.0], [-1.0, -5.0]])
    lists = (FACTS[:2], FACTS[1:], FACTS[:2])
    replies = ask(None, tokenizer, load("customer_support", "2.0.0"), [{"facts": f, "message": "?"} for f in lists])
    assert replies == [FACTS[0], FACTS[1], FACTS[0]] and [len(prompts) for prompts in asked.prompts] == [3, 2]


def test_a_cited_source_is_quoted_with_its_number_and_several_texts_stand_for_the_usual_one(asked, tokenizer):
    asked.scores = torch.tensor([[-1.0, -6.0], [-3.0, -2.0], [-2.5, -5.0]])  # on average −2 and −4
    template = replace(load("question_answering"), answer={"how": "scored", "labels": "sources", "cite": True})
    usual = replace(template, answer=template.answer | {"without": ["Why?", "When?"]})
    [reply] = ask(None, tokenizer, usual, [{"sources": FACTS[:2], "question": "What does it cost?"}])
    assert reply == "Delivery costs 49 euros. [1]"
    assert ["Why?" in tokenizer.decode(ids) for ids in asked.prompts[0]] == [True, False, False]


def test_an_unknown_way_of_answering_is_refused(tokenizer):
    template = replace(load("extraction", "1.0.0"), answer={"how": "sung"})
    with pytest.raises(PromptError, match="'sung' under answer: how: known are written and scored"):
        ask(None, tokenizer, template, [{"ticket": "Hello."}])
