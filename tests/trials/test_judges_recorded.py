"""The recorded judges cover every pair, and what can be computed again without a model is what was recorded."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.old.evaluation import answer_measures, load_pairs, load_ratings, majority
from helpers.old.evaluation.judgments import RECORDED
from helpers.old.trials.judges_recorded import (
    JUDGES,
    MEASURES,
    TRAINED,
    by_system,
    find,
    known_answers,
    label_judged,
    preferences,
    scores,
    unseen_systems,
)
from helpers.velunda import load_everyday


@pytest.mark.parametrize("split", ["dev", "test"])
def test_each_judge_has_a_preference_for_every_pair(split):
    found, ids = preferences(split), [pair.id for pair in load_pairs(split)]
    fitted_on_dev = {*TRAINED, "system"}
    assert set(found) == set(JUDGES) - (fitted_on_dev if split == "dev" else set())
    assert all(set(prefers) == set(ids) for prefers in found.values())
    assert [each.pair for each in label_judged(split)] == ids


def test_trained_judges_saw_the_decided_dev_pairs_and_no_test_question():
    wanted = majority(load_ratings(split="dev"))
    decided = sum(value != "tie" for value in wanted.values())
    assert not {p.question_id for p in load_pairs("dev")} & {p.question_id for p in load_pairs("test")}
    for features in TRAINED.values():
        run = find("trained", features=features)
        assert run["fitted"] == decided
        assert f"{run['strength']:g}" == min(run["losses"], key=run["losses"].__getitem__)


def test_measures_that_need_no_model_are_those_recorded():
    run, accepted = find("measures"), {q.question: q.accepted for q in load_everyday()}
    assert tuple(run["names"]) == MEASURES
    for pair in load_pairs("test")[:12]:
        recorded = dict(zip(MEASURES, run["rows"][f"{pair.question_id} {pair.a.system}"], strict=True))
        again = answer_measures(pair, pair.a, lambda question, texts: [0.0], accepted.get(pair.question, ()))
        for name in set(MEASURES) - {"cross-encoder"}:
            assert recorded[name] == pytest.approx(again[name], abs=6e-4), (pair.id, name)


def test_opposite_judges_add_up_to_one():
    found = scores("test")
    assert found["longer"].share + found["shorter"].share == pytest.approx(1)
    assert all(0 <= each.low <= each.share <= each.high <= 1 and each.n == found["longer"].n for each in found.values())


def test_the_system_judge_knows_who_wrote_and_nothing_else():
    pairs, prefers = load_pairs("test"), by_system(load_pairs("test"))
    by_systems = {}
    for pair in pairs:
        key = (pair.a.system, pair.b.system)
        assert by_systems.setdefault(key, prefers[pair.id]) == prefers[pair.id]
    assert all(np.isfinite(list(prefers.values()))) and {p.a.system for p in pairs} > set(RECORDED)


@pytest.mark.parametrize("features", ["vectors", "measures"])
def test_unseen_systems_are_scored_on_all_decided_dev_pairs(features):
    found = unseen_systems(features)
    assert set(found) == {"all", "as few", "without"}
    assert {each.n for each in found.values()} == {find("trained", features=features)["fitted"]}
    assert find("unseen systems", features=features)["strength"] == find("trained", features=features)["strength"]


def test_the_letters_were_exchanged_for_each_test_pair():
    assert [each.pair for each in label_judged("test", first="B")] == [pair.id for pair in load_pairs("test")]
    assert label_judged("test", first="B") != label_judged("test")


def test_known_answers_are_those_to_questions_that_the_handbook_answers_each_once():
    known = known_answers()
    assert len({(each.asked.question, each.system) for each in known}) == len(known)
    assert all(each.asked.answerable and np.isfinite(each.yes) for each in known)
    ids = {pair.question: pair.question_id for pair in load_pairs()}
    wanted = {(pair.question_id, x.system) for pair in load_pairs() if pair.passage for x in (pair.a, pair.b)}
    assert {(ids[each.asked.question], each.system) for each in known} == wanted
