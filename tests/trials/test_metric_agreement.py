"""A metric that is the raters agrees with them; one that is blind does not; and each answer is scored once."""

from __future__ import annotations

from helpers.old.evaluation import load_pairs
from helpers.old.trials.metric_agreement import accepted, metric_agreement, preferences, short_answer, with_quote

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
