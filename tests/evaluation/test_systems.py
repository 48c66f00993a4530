"""What is evaluated: replies of every shape become one, and an identity changes with whatever the answers depend on."""

from __future__ import annotations

import shutil

import pytest

from helpers.adapters import WEIGHTS, find_adapter
from helpers.assistants import Answer
from helpers.old.evaluation import MODELS, Reply, load_model, load_suite, run_suite, systems
from helpers.old.evaluation.answers import file_of, kept
from helpers.old.evaluation.systems import as_reply, one_by_one
from helpers.old.velunda import load_tickets, tickets


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("12 euros", Reply("12 euros")),
        ("I do not know. A colleague will reply.", Reply("I do not know. A colleague will reply.", abstained=True)),
        ("Not in the text.", Reply("Not in the text.", abstained=True)),
        ("I don’t know", Reply("I don’t know", abstained=True)),
        ("No, it is not free.", Reply("No, it is not free.")),
        (None, Reply(None)),
        (Answer("12 euros", (), 3.5, False), Reply("12 euros", confidence=3.5)),
        (Answer("Nothing.", (), -9.0, True), Reply("Nothing.", abstained=True, confidence=-9.0)),
        ({"intent": "other", "confidence": {"intent": 0.7}}, Reply({"intent": "other"}, confidence=0.7)),
        ({"a": "x", "b": "y", "confidence": {"a": 0.9, "b": 0.4}}, Reply({"a": "x", "b": "y"}, confidence=0.4)),
        (Reply("kept", seconds=4.0), Reply("kept", seconds=4.0)),
    ],
)
def test_whatever_a_function_returns_becomes_a_reply(said, reply):
    assert as_reply(said) == reply


def test_seconds_are_measured_unless_the_reply_brings_its_own():
    [measured, given] = one_by_one(lambda text: Reply(text, seconds=7.0) if text == "b" else text)(["a", "b"])
    assert 0 < measured.seconds < 1 and given.seconds == 7.0


@pytest.mark.parametrize("name", MODELS)
def test_a_models_identity_is_known_without_its_weights(name):
    model = load_model(name)
    assert model.name == name and model.identity and model._answer is None
    assert load_model(name).identity == model.identity


def test_models_of_one_family_do_not_share_their_replies(tmp_path):
    files = [file_of(load_model(name), tmp_path) for name in MODELS]
    assert len(set(files)) == len(MODELS)


def test_another_adapter_is_another_identity(monkeypatch, tmp_path):
    before = load_model("tickets").identity
    shutil.copytree(find_adapter("tickets"), tmp_path / "tickets")
    monkeypatch.setattr(systems, "find_adapter", lambda adapter: tmp_path / adapter)
    assert load_model("tickets").identity == before
    with (tmp_path / "tickets" / WEIGHTS).open("ab") as file:
        file.write(b"\0")
    assert load_model("tickets").identity != before


def test_kept_replies_are_scored_without_loading_the_model(tmp_path):
    model, suite = load_model("tickets"), load_suite("tickets").sample(3)
    with kept(model, tmp_path) as found:
        for item in suite.items:
            found.add(item.input, Reply(dict(item.fields), confidence=0.9))
    model.load = lambda: pytest.fail("the weights were loaded")
    run = run_suite(model, suite, folder=tmp_path)
    assert run.asked == 0 and run.values["right"].tolist() == [1, 1, 1]


def test_the_rules_answer_a_ticket_in_the_form_that_is_scored(tmp_path, monkeypatch):
    """The cheapest of the course's models, for real, if only on 150 training tickets: it reads twelve fresh ones."""
    monkeypatch.setattr(tickets, "load_tickets", lambda split: load_tickets(split)[:150])
    run = run_suite(load_model("tickets-rules"), load_suite("tickets").sample(12), folder=tmp_path)
    assert not run.values["no answer"].any() and run.values["order_number"].mean() > 0.8
