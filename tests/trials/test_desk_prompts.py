"""The prompts that 12 compares, and how what was recorded of them is read."""

from __future__ import annotations

import pytest
import torch

from helpers.old.trials import desk_prompts as desks
from helpers.old.velunda import load_tickets
from helpers.stats import PairedDifference
from helpers.velunda.company import canon


def test_the_desks_are_the_intents_of_the_canon_and_no_two_texts_are_the_same():
    assert [intent["name"] for intent in canon()["intents"]] == desks.INTENTS
    for texts in (desks.NAMES, desks.ABOUT, desks.WANTS):
        assert len(set(texts)) == 9


def test_a_ticket_stands_once_in_each_way_of_asking_with_braces_as_they_are():
    for way in desks.WAYS:
        said = "\n".join(turn["content"] for turn in desks.turns(way, "a {text} b"))
        assert said.count("a {text} b") == 1
    for way in desks.CONTINUED:
        assert desks.started(way, "{message}!").count("{message}!") == 1
        assert not desks.started(way, "x")[-1].isspace() and all(label[0] == " " for label in desks.going_on(way))


def test_one_ticket_of_each_family_stands_for_it():
    first = desks.one_per_family(load_tickets("dev"))
    assert len(first) == len({ticket["family"] for ticket in first}) == 36
    case = {"split": "dev"}
    numbers = [str(i) for i in range(72)]
    kept = desks.one_each(numbers, case)
    assert [load_tickets("dev")[int(i)] for i in kept] == first
    assert len(desks.asked(case | {"families": True, "desks": list(desks.FOUR)})) == 16


def test_each_rule_takes_off_what_it_says():
    scores = torch.tensor([[-20.0, -30.0], [-20.0, -36.0]])
    empty, lengths = torch.tensor([[-20.0, -34.0], [-10.0, -40.0]]), torch.tensor([4, 8])
    found = {rule: desks.decide(scores, rule, empty, lengths).tolist() for rule in desks.RULES}
    assert found == {
        "likelihood": [0, 0],
        "normalized": [1, 1],  # −5 against −3.75 and −4.5
        "pmi": [1, 0],  # 0 against 4 and −2
        "calibrated": [1, 0],  # as probabilities, the first content-free text weighs by far the most
        "batch": [1, 0],
    }
    with pytest.raises(ValueError, match="rule is one of"):
        desks.decide(scores, "best", empty, lengths)


def test_marks_score_and_gain_agree():
    case = {"split": "dev", "families": True}
    truth = [ticket["label"]["intent"] for ticket in desks.asked(case)]
    wrong = ["other" if desk != "other" else "repair" for desk in truth]
    half = truth[:18] + wrong[18:]
    assert desks.score(half, case).right == 18 == sum(desks.marks(half, case))
    assert desks.gain(half, wrong, case).difference == pytest.approx(0.5)
    assert desks.gain(half, half, case).low == desks.gain(half, half, case).high == 0


def test_a_difference_is_told_in_points_with_its_sign_and_interval():
    told = desks.points(PairedDifference(0.125, -0.031, 0.24, 0.1))
    assert told == "+12 points (95 % CI -3 to +24)"
    assert desks.points(PairedDifference(-0.1, -0.2, 0.0, 1.0)) == "-10 points (95 % CI -20 to +0)"
