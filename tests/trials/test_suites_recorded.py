"""The recorded replies to the suites: whole, scored by today's scorers, and in agreement with the earlier records."""

from __future__ import annotations

import pytest

from helpers.old.evaluation import gate
from helpers.old.trials import suites_recorded, tickets_recorded
from helpers.old.trials.suites_recorded import RECORD, recorded_run

MODELS = [run["case"]["model"] for run in RECORD.read()["runs"]]


@pytest.mark.parametrize("model", MODELS)
def test_every_item_has_a_recorded_reply(model):
    run = recorded_run(model)
    assert len(run.replies) == len(run.suite.items) == len(run.values[run.main])
    assert not run.values["no answer"].any() and 0 < run.share().mean < 1


def test_as_many_fresh_tickets_are_right_as_when_the_adapter_was_trained():
    for model, before in (("tickets", tickets_recorded.adapter()), ("tickets-rules", tickets_recorded.cheap())):
        score = tickets_recorded.scores(before, "fresh")["exact"]
        assert (recorded_run(model).values["right"].sum(), len(recorded_run(model).replies)) == (score.right, score.n)


def test_another_scorer_is_applied_to_the_same_replies():
    short = recorded_run("handbook-search", scorer=lambda item, reply: {"short": float(len(reply.answer) < 60)})
    assert short.main == "short" and short.replies == recorded_run("handbook-search").replies


def test_the_taught_reader_of_tickets_passes_against_the_rules():
    verdict = gate(recorded_run("tickets"), recorded_run("tickets-rules"), 0.05)
    assert verdict.status == 0 and verdict.overall.groups == 77


def test_a_model_that_was_not_measured_and_a_suite_that_changed_are_refused(monkeypatch):
    with pytest.raises(LookupError, match="no recorded replies of 'gpt'"):
        recorded_run("gpt")
    whole = suites_recorded.load_suite
    monkeypatch.setattr(suites_recorded, "load_suite", lambda name: whole(name).sample(20))
    with pytest.raises(LookupError, match="has changed since it was measured"):
        recorded_run("tickets")


def test_the_handbooks_assistant_says_less_that_is_wrong_and_cannot_be_judged():
    """It abstains instead: a mean that rises hides a slice that falls, by less than so few questions can show."""
    new, old = recorded_run("handbook"), recorded_run("handbook-search")
    assert new.share("wrong answer given").high < old.share("wrong answer given").low
    verdict = gate(new, old, 0.05)
    assert verdict.overall.difference > 0 and verdict.status == 2
    assert verdict.sentence.startswith(
        "The gate cannot judge: a loss of more than 5 points is neither excluded nor shown"
    )
    manuals = verdict.slices["manuals"]
    assert manuals.difference < -0.2 and manuals.low < -0.05 < 0 < manuals.high
