"""Measures of search and answers: by hand, against scikit-learn, and bounded where passages and chunks do not match."""

from __future__ import annotations

import random

import numpy as np
import pytest

from helpers.old.metrics import answer_f1, answer_words, exact_match
from helpers.old.retrieval import found_spans, ndcg_at_k, recall_at_k, reciprocal_rank, score_search
from helpers.retrieval import Chunk, Hit
from helpers.velunda import Question, Span


def hits(*places):
    return [Hit(Chunk(document, start, end, (), "x"), 1.0) for document, start, end in places]


def span(document, start, end):
    return Span(document, start, end, "x" * (end - start))


def test_measures_by_hand():
    ranked = ["d3", "d7", "d1", "d9"]
    assert recall_at_k(ranked, {"d7", "d9"}, 2) == 0.5 and recall_at_k(ranked, {"d7", "d9"}, 4) == 1
    assert recall_at_k(ranked, ["d7"], 1) == 0
    assert reciprocal_rank(ranked, {"d9", "d1"}) == 1 / 3 and reciprocal_rank(ranked, {"d0"}) == 0
    assert ndcg_at_k(ranked, {"d3"}) == 1 and ndcg_at_k(ranked, {"d7"}) == pytest.approx(1 / np.log2(3))
    assert ndcg_at_k(ranked, {"d3", "d9"}) == pytest.approx((1 + 1 / np.log2(5)) / (1 + 1 / np.log2(3)))
    assert ndcg_at_k(ranked, {"d9"}, 3) == 0 and ndcg_at_k(["d3", "d3"], {"d3", "d4"}) < 1


def test_ndcg_equals_scikit_learns():
    from sklearn.metrics import ndcg_score

    rng = random.Random(0)
    for _ in range(100):
        n = rng.randint(2, 15)
        ranked = rng.sample(range(n), n)
        relevant = set(rng.sample(range(n), rng.randint(1, n)))
        truth = [[float(item in relevant) for item in range(n)]]
        scores = [[-float(ranked.index(item)) for item in range(n)]]
        k = rng.randint(1, n)
        assert ndcg_at_k(ranked, relevant, k) == pytest.approx(ndcg_score(truth, scores, k=k))


def test_the_first_chunk_that_shows_half_a_passage_counts():
    passages = [span("a", 100, 120), span("b", 0, 10)]
    found = found_spans(hits(("a", 0, 109), ("a", 90, 110), ("a", 100, 120), ("b", 5, 90), ("c", 100, 120)), passages)
    assert found == [None, 0, None, 1, None]


def test_one_chunk_that_shows_two_passages_keeps_measures_at_most_one():
    passages = [span("a", 0, 5), span("a", 6, 9)]
    found = found_spans(hits(("a", 0, 50), ("a", 0, 60)), passages)
    assert found == [0, 1, None]
    assert ndcg_at_k(found, range(2), 10) == 1 == recall_at_k(found, range(2), 5)


def questions():
    kinds = ["number", "paraphrase", "number", "unanswerable"]
    return [
        Question(f"q{i}", kind, "dev", () if kind == "unanswerable" else (span("a", 10 * i, 10 * i + 10),), None)
        for i, kind in enumerate(kinds)
    ]


def ranked_search(ranks):
    """A search that shows question i's passage at rank ranks[i]."""

    def search(query, k):
        i = int(query[1:])
        listed = [("z", 0, n + 1) for n in range(k)]
        listed[ranks[i] - 1] = ("a", 10 * i, 10 * i + 10)
        return hits(*listed[:k])

    return search


def test_scores_are_one_a_question_by_kind_with_intervals():
    scores = score_search(ranked_search([1, 2, 6]), questions())
    assert scores.kinds == ("number", "paraphrase", "number"), "what cannot be answered is left out"
    assert scores.values["recall@1"].tolist() == [1, 0, 0] and scores.values["recall@5"].tolist() == [1, 1, 0]
    assert scores.mean("mrr") == pytest.approx((1 + 1 / 2 + 1 / 6) / 3)
    assert scores.mean("mrr", "number") == pytest.approx((1 + 1 / 6) / 2)
    low, high = scores.interval("recall@5")
    assert 0 <= low < scores.mean("recall@5") < high <= 1
    assert set(score_search(ranked_search([1, 2, 3]), questions(), k=5).values) == {
        *("recall@1", "recall@5", "mrr", "ndcg@5"),
    }


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: recall_at_k(["a"], set(), 1), "Nothing is relevant"),
        (lambda: ndcg_at_k(["a"], ["a"], 0), "k is a whole number from 1, not 0"),
        (lambda: recall_at_k(["a"], ["a"], True), "k is a whole number from 1, not True"),
        (lambda: score_search(ranked_search([1]), questions()[3:]), "No question has a passage to find"),
        (
            lambda: score_search(ranked_search([1, 1, 1]), questions()).mean("map"),
            "no measure 'map': choose one of rec",
        ),
        (
            lambda: score_search(ranked_search([1, 1, 1]), questions()).mean("mrr", "x"),
            "No question is of the kind 'x'",
        ),
    ],
)
def test_what_cannot_be_measured_is_said(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_answers_are_compared_by_words():
    assert answer_words("The price is 2,490 €, at 4.5 bar.") == ["price", "is", "2490", "at", "4.5", "bar"]
    assert exact_match("Within 30 days.", "within 30 days") and not exact_match("30 days", "30 nights")
    assert answer_f1("It is within 30 days", "within 30 days") == pytest.approx(2 * 3 / (5 + 3))
    assert answer_f1("No.", "yes") == 0 and answer_f1("The", "a") == 1
    assert answer_f1("days days", "days") == pytest.approx(2 / 3), "a word counts as often as both have it"
