"""Which metric misses which failures: cuts by the right answers, misses counted by category."""

from __future__ import annotations

import pytest

from helpers.evaluation import Code, Failure, load_codes, load_failures
from helpers.retrieval.answering import ABSTENTION
from helpers.trials import missed_failures
from helpers.trials.missed_failures import OVERLAPS, cuts, mean_by_category, missed_by_category, right_answers, scores
from helpers.trials.recorded_outputs import ASSISTANTS, NO_DRAFT, NOTHING, outputs


def failure(number: str, said: str, expected: str = "a b", assistant: str = "reader") -> Failure:
    return Failure(number, assistant, "?", {}, said, expected, (), "")


def test_a_missing_draft_scores_as_an_empty_text_and_a_due_abstention_as_its_sentence():
    metric = {"length": lambda said, reference, accepted: float(len(said)), "same": lambda s, r, _: float(s == r)}
    found = scores([failure("f01", NO_DRAFT), failure("f02", ABSTENTION, NOTHING), failure("f03", "ab")], metric)
    assert found["length"] == {"f01": 0.0, "f02": len(ABSTENTION), "f03": 2.0}
    assert found["same"] == {"f01": 0.0, "f02": 1.0, "f03": 0.0}


def test_the_cut_is_what_the_share_to_be_kept_still_reaches(monkeypatch):
    answers = {"reader": [("a" * n, "x", ()) for n in (1, 2, 3, 4, 5)]}
    monkeypatch.setattr(missed_failures, "right_answers", lambda: answers)
    length = {"length": lambda said, reference, accepted: float(len(said))}
    for keep, cut in ((0.2, 5), (0.5, 3), (0.6, 3), (0.8, 2), (1, 1)):
        assert cuts(length, keep) == {"length": {"reader": cut}}
    for keep in (0, 1.1, float("nan")):
        with pytest.raises(ValueError, match="keep is a share of the right answers"):
            cuts(length, keep)


def test_a_failure_at_the_cut_is_missed_and_one_below_is_not():
    codes = [Code("f01", "x", "", "p"), Code("f02", "x", "", "p"), Code("f03", "x", "", "q")]
    scored = {"m": {"f01": 0.5, "f02": 0.4, "f03": 0.9}}
    failures = [failure("f01", ""), failure("f02", ""), failure("f03", "", assistant="writer")]
    assert missed_by_category(scored, {"m": {"reader": 0.5, "writer": 0.95}}, codes, failures) == {
        "p": {"m": 1},
        "q": {"m": 0},
    }
    assert mean_by_category(scored, codes) == {"p": {"m": pytest.approx(0.45)}, "q": {"m": 0.9}}


def test_right_answers_are_those_of_the_records_without_abstentions():
    n_right = {name: sum(each.right for each in outputs(name)) for name in ASSISTANTS}
    assert n_right["tickets"] == 56 and n_right["summaries"] == 43, "as data/results has them"
    kept = right_answers()
    assert all(0 < len(kept[name]) <= n_right[name] for name in ASSISTANTS)
    assert not [said for answers in kept.values() for said, *_ in answers if said in (ABSTENTION, NO_DRAFT, None)]
    with pytest.raises(ValueError, match="There is no record of 'judge'"):
        outputs("judge")


def test_overlap_pays_for_a_neighbors_value_and_nothing_for_a_refusal():
    found = mean_by_category(scores(load_failures(), OVERLAPS), load_codes("language model 1"))
    for metric in ("token F1", "ROUGE-1"):
        assert found["refused in view"][metric] < 0.05 < 0.4 < found["neighbor's value"][metric]


def test_keeping_more_right_answers_never_misses_fewer_failures():
    forty, codes = load_failures(), load_codes("language model 1")
    scored = scores(forty, OVERLAPS)
    missed = [missed_by_category(scored, cuts(OVERLAPS, keep), codes, forty) for keep in (0.5, 0.9)]
    for category in missed[0]:
        assert all(missed[0][category][name] <= missed[1][category][name] for name in OVERLAPS)
    total = {name: sum(row[name] for row in missed[0].values()) for name in OVERLAPS}
    assert total["exact match"] > 20 > 3 > total["token F1"], "of three assistants most right answers score 0"
