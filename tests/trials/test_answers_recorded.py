"""Recorded answers read back: orders of hits, minima and signals computed from a small record made by hand."""

from __future__ import annotations

import pytest

from helpers.old.trials.answers import Trial, handbook_chunks
from helpers.old.trials.answers_recorded import SIGNALS, Confidences, Pool, judge_all, read_support
from helpers.velunda import Question, Span, load_questions


def pool(shows, scores, n_spans=1):
    spans = tuple(Span("d", 10 * i, 10 * i + 5, "x" * 5) for i in range(n_spans))
    return Pool(Question("q?", "number", "dev", spans, "a"), tuple(map(tuple, shows)), tuple(scores))


def test_likelihood_alone_and_weight_zero_are_the_two_ends():
    hits = pool([[], [], [0]], [-3.0, -1.0, -2.0])
    assert hits.order(None) == [1, 2, 0] and hits.order(0.0) == [0, 1, 2]
    assert hits.order(1000.0) == [1, 2, 0]
    assert hits.ndcg(0.0) == pytest.approx(0.5) and hits.ndcg(None) == pytest.approx(1 / 1.584962500721156)
    assert (hits.recall(0.0, 2), hits.recall(None, 2)) == (0, 1)


def test_fusing_ranks_gives_both_a_say():
    hits = pool([[], [0], [], []], [-4.0, -1.5, -3.0, -1.0])
    assert hits.order(1.0)[0] == 1, "second in both orders beats first and last"


def test_a_passage_counts_once_and_the_best_order_is_a_bound():
    hits = pool([[], [0], [0], [1]], [-1.0, -2.0, -3.0, -4.0], n_spans=2)
    assert hits.ranked(0.0) == [None, 0, None, 1]
    assert hits.best() == 1.0
    assert all(hits.ndcg(weight) <= hits.best() for weight in (None, 0.0, 0.5, 4.0))
    missed = pool([[], [0]], [-1.0, -2.0], n_spans=2)
    assert 0 < missed.best() < 1, "what was not found cannot be ordered"


def test_an_answer_is_judged_by_the_question_s_own_passages_and_cites_what_it_read():
    question = next(q for q in load_questions("dev") if q.question.startswith("After what distance does the chain"))
    [gold] = [piece for piece in handbook_chunks() if question.spans[0].shown_by(piece)][:1]
    other = next(piece for piece in handbook_chunks() if piece.document == "gift-cards" and "36 months" in piece.text)
    text = "Oil the chain every 200 kilometers."
    open_, closed = (Trial(text, 0.5, 0.1, found, read) for found, read in (((gold, other),) * 2, ((other,), ())))
    [a], [b] = (judge_all([question], [trial], 0.6) for trial in (open_, closed))
    assert a.verdict == b.verdict and a.verdict.right and not a.verdict.hallucinated
    assert a.cites and a.cites_right and not b.cites, "a closed book has read nothing that it could cite"
    wrong = judge_all([question], [Trial("A gift card is valid for 36 months.", 0.5, 0.1, (other,), (other,))], 0.6)[0]
    assert wrong.cites and not wrong.cites_right and wrong.verdict.wrong_number


def test_signals_are_made_of_the_trial():
    gold = handbook_chunks()[0]
    trial = Trial("Quite another thing.", 0.5, 0.03, (gold,), (gold,))
    of = {name: signal(trial, 0.7) for name, (_, signal) in SIGNALS.items()}
    assert (of["written: likelihood"], of["written: cosine"], of["written: retrieval"]) == (0.5, 0.7, 0.03)
    assert of["written: likelihood × support"] == pytest.approx(0.5 * read_support(trial))
    assert read_support(Trial("", 0.5, 0.03, (gold,), (gold,))) == 0
    assert read_support(Trial(gold.text, 0.5, 0.03, (gold,), (gold,))) == pytest.approx(1.0, abs=0.2)
    curve = Confidences((0.9, 0.8, 0.1), (True, False, False)).curve
    assert curve.risk.tolist() == pytest.approx([0, 1 / 2, 2 / 3])
