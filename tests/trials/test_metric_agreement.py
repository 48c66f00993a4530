"""A metric that is the raters agrees with them; one that is blind does not; and each answer is scored once."""

from __future__ import annotations

from collections import Counter

import pytest

from helpers.old.evaluation import load_pairs, load_ratings, majority
from helpers.old.metrics import ExactMatch, TokenF1
from helpers.old.trials.metric_agreement import (
    accepted,
    compare_metrics,
    find,
    metric_agreement,
    preferences,
    recorded_score,
    scored_by,
    short_answer,
    with_quote,
)

PAIRS = load_pairs()
RIGHT = {answer.text: answer.right for pair in PAIRS for answer in (pair.a, pair.b)}


def by_gold(text, references):
    return RIGHT[text]


def opposite(text, references):
    return -RIGHT[text]


def blind(text, references):
    return 1.0


def test_what_knows_the_gold_agrees_in_all_pairs_that_it_decides():
    decided = [pair for pair in PAIRS if pair.a.right != pair.b.right]
    found = metric_agreement(by_gold, criterion="correctness", pairs=decided)
    assert (found.accuracy.share, found.tau.share, found.accuracy.n) == (1, 1, len(decided))
    assert metric_agreement(opposite, criterion="correctness", pairs=decided).tau.share == -1


def test_a_blind_metric_is_half_right_with_a_tau_of_zero():
    found = metric_agreement(blind)
    assert (found.accuracy.share, found.tau.share, found.tau.low, found.tau.high) == (0.5, 0, 0, 0)


def test_tau_counts_pairs_in_the_raters_order_minus_those_in_the_other():
    wanted, metric = majority(load_ratings()), scored_by(TokenF1(), "token_f1")
    prefers = preferences(metric, short_answer, PAIRS)
    signs = Counter(
        0 if prefers[pair.id] == 0 else 1 if (prefers[pair.id] > 0) == (wanted[pair.id] == "a") else -1
        for pair in PAIRS
        if wanted[pair.id] != "tie"
    )
    found = metric_agreement(metric)
    assert found.tau.share == pytest.approx((signs[1] - signs[-1]) / signs.total())
    assert found.tau.low < found.tau.share < found.tau.high and found.tau.n == signs.total()


def test_a_difference_is_paired_and_changes_its_sign():
    f1, exact = scored_by(TokenF1(), "token_f1"), scored_by(ExactMatch(), "exact_match")
    gain, loss = compare_metrics(f1, exact), compare_metrics(exact, f1)
    assert gain.share == pytest.approx(-loss.share)
    assert gain.share == pytest.approx(metric_agreement(f1).accuracy.share - metric_agreement(exact).accuracy.share)
    assert compare_metrics(f1, f1).share == compare_metrics(f1, f1).high == 0


def test_each_answer_is_scored_once_against_the_references_of_its_question():
    asked = []

    def score(text, references):
        asked.append((text, tuple(references)))
        return len(text)

    preferences(score, with_quote, PAIRS)
    answers = {(pair.question_id, answer.system) for pair in PAIRS for answer in (pair.a, pair.b)}
    assert len(asked) == len(answers)
    assert set(asked) <= {(a.text, tuple(with_quote(pair))) for pair in PAIRS for a in (pair.a, pair.b)}


def test_references_are_the_short_answer_the_quote_and_what_is_accepted():
    everyday, silent = PAIRS[0], next(pair for pair in PAIRS if pair.quote is None)
    assert with_quote(everyday) == [everyday.reference, everyday.quote] and with_quote(silent) == [silent.reference]
    assert "5 business days" in accepted(everyday) and accepted(silent) == short_answer(silent)


def test_a_recorded_score_is_that_of_the_metric():
    f1 = scored_by(TokenF1(), "token_f1")
    for name, references in (("short answer", short_answer), ("with quote", with_quote)):
        recorded = preferences(recorded_score("token F1", name), references, PAIRS)
        again = preferences(f1, references, PAIRS)
        assert all(recorded[pair.id] == pytest.approx(again[pair.id], abs=2e-4) for pair in PAIRS)


def test_every_recorded_metric_scores_every_answer():
    for name in find("scores", references="short answer")["scores"]:
        assert metric_agreement(recorded_score(name)).accuracy.n == metric_agreement(blind).accuracy.n
    with pytest.raises(LookupError, match="No metric 'BLEURT' is recorded: choose one of exact match,"):
        recorded_score("BLEURT")
