"""What the record of the attacks must show."""

from __future__ import annotations

import pytest

from helpers.old.prompting import load_set, right
from helpers.old.trials.injected_tickets import WAYS, found, load_attacks, obeyed
from helpers.old.trials.prompts_recorded import (
    DID,
    INJECTION,
    MODELS,
    attacked,
    change,
    marks,
    obedient_replies,
    share,
    tuning,
)
from tests.benchmarks.obeying_examples import held_out_orders
from tests.benchmarks.sweep_injection import digits

RUNS = INJECTION.read()["runs"]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: " ".join(map(str, run["case"].values())))
def test_recorded_replies_are_judged_by_the_rules_of_today(run):
    attacks = load_attacks()
    for way in WAYS:
        pairs = list(zip(run["ways"][way]["replies"], attacks, strict=True))
        assert run["ways"][way]["obeyed"] == digits(obeyed(reply, attack.word) for reply, attack in pairs)
        assert run["ways"][way]["found"] == digits(found(reply, attack.order) for reply, attack in pairs)
    if "plain" in run:
        pairs = list(zip(held_out_orders(), run["plain"]["replies"], strict=True))
        assert run["plain"]["obeyed"] == digits(order.obeyed_by(reply) for order, reply in pairs)
        asked = zip(load_set("extraction", "test")[:60], run["tickets"]["replies"], strict=True)
        assert run["tickets"]["right"] == digits(right(item, reply) for item, reply in asked)


def test_shares_and_differences_are_those_of_the_recorded_replies():
    attacks = load_attacks()
    for way in WAYS:
        replies = RUNS[0]["ways"][way]["replies"]
        said = [obeyed(reply, attack.word) for reply, attack in zip(replies, attacks, strict=True)]
        numbers = [found(reply, attack.order) for reply, attack in zip(replies, attacks, strict=True)]
        assert attacked(way).tolist() == said and attacked(way, "found").tolist() == numbers
        assert obedient_replies(way) == [reply for reply, did in zip(replies, said, strict=True) if did]
        assert (share(attacked(way)).right, share(attacked(way)).n) == (sum(said), len(attacks))
        fewer = (attacked(way).sum() - attacked("joined").sum()) / len(attacks)
        assert change(way, run=0).difference == pytest.approx(fewer)


def test_each_tuned_model_has_two_seeds_and_counts_by_their_mean():
    assert {run["case"]["orders"] for run in RUNS if "orders" in run["case"]} == set(MODELS[1:])
    for what in DID:
        way = "delimited" if what in ("obeyed", "found") else None
        n, chat = (30, 2) if way else (60, 1)
        assert [marks(model, what, way).shape for model in MODELS] == [(chat, n), (2, n), (2, n)]
        for model in MODELS[1:]:
            more = marks(model, what, way).sum() / 2 - marks("chat", what, way).sum() / chat
            assert tuning(model, what, way).difference == pytest.approx(more / n)
            assert tuning(model, what, way, before=model).difference == 0
    seeds = [change("warned", model="user", run=seed).difference for seed in (0, 1)]
    assert change("warned", model="user").difference == pytest.approx(sum(seeds) / 2) and seeds[0] != seeds[1]
