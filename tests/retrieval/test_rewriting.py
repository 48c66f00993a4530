"""Rewritten queries: what feedback and made-up answers add is what they find, and nothing added changes nothing."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from helpers.old.retrieval import (
    feedback_vector,
    feedback_words,
    fuse,
    hypothetical_answer,
    multi_query,
    pseudo_relevance,
    rephrased,
    search_rewritten,
)
from helpers.old.retrieval.rewriting import ANSWER
from helpers.retrieval import BM25Index, Chunk, DenseIndex, Hit, HybridIndex, bm25_score, unit, words
from tests.encoders import WordEncoder

TEXTS = {
    "squeal": "A squeal when braking comes from glazed pads.",
    "pads": "Glazed pads are sanded or replaced in pairs.",
    "display": "The display turns dark when it is cold.",
    "winter": "In winter keep the battery and the display warm.",
    "theft": "After a theft call the police and the insurance.",
    "bell": "A bell is required by law in all countries.",
}
QUESTION = "What is the squeal?"


def pieces():
    return [Chunk(name, 0, len(text), (), text) for name, text in TEXTS.items()]


MAKE = {
    "bm25": lambda: BM25Index(plain=True),
    "dense": lambda: DenseIndex(encoder=WordEncoder()),
    "hybrid": lambda: HybridIndex(WordEncoder()),
}


def filled(kind):
    index = MAKE[kind]()
    index.add(pieces())
    return index


@pytest.fixture(params=MAKE)
def index(request):
    return filled(request.param)


def names(hits):
    return [hit.chunk.document for hit in hits]


def rank(document, hits):
    return names(hits).index(document) if document in names(hits) else len(TEXTS)


# Searching with weighted words and with a vector -------------------------------------------------------------------


def test_weighted_words_score_as_the_formula_does():
    index, corpus = filled("bm25"), [words(text) for text in TEXTS.values()]
    weights = {"pads": 2.0, "display": 0.5, "unicorn": 9.0, "bell": 0.0}
    expected = {
        name: sum(weight * bm25_score([word], words(text), corpus) for word, weight in weights.items())
        for name, text in TEXTS.items()
    }
    hits = index.search_words(weights, 10)
    assert {hit.chunk.document: hit.score for hit in hits} == pytest.approx(
        {name: score for name, score in expected.items() if score > 0}, rel=1e-5
    )
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_the_querys_own_words_and_its_own_vector_find_what_the_query_finds():
    bm25, dense = filled("bm25"), filled("dense")
    query = "display display cold winter"
    by_words = bm25.search_words(Counter(words(query)), 4)
    assert names(by_words) == names(bm25.search(query, 4))
    assert [hit.score for hit in by_words] == pytest.approx([hit.score for hit in bm25.search(query, 4)])
    by_vector = dense.search_vector(7 * dense.vector_of(query), 4)
    assert names(by_vector) == names(dense.search(query, 4))
    expected = [hit.score for hit in dense.search(query, 4)]
    assert [hit.score for hit in by_vector] == pytest.approx(expected, abs=1e-6)  # float32, scaled back from 7


def test_a_rewritten_query_that_cannot_be_searched_is_refused():
    for weights in ({"pads": -1.0}, {"pads": float("nan")}, {"pads": float("inf")}):
        with pytest.raises(ValueError, match="weight is a number from 0"):
            filled("bm25").search_words(weights, 3)
    with pytest.raises(ValueError, match=r"vectors of shape \(64,\), the query's is \(3,\)"):
        filled("dense").search_vector([1, 0, 0], 3)
    with pytest.raises(ValueError, match="no cosine"):
        filled("dense").search_vector(np.zeros(64), 3)
    with pytest.raises(ValueError, match="k is how many chunks"):
        filled("dense").search_vector(np.ones(64), 0)
    with pytest.raises(ValueError, match="The index is empty"):
        BM25Index().search_words({"pads": 1}, 3)
    with pytest.raises(ValueError, match="The index is empty"):
        MAKE["dense"]().search_vector(np.ones(64), 3)
    assert filled("bm25").search_words({}, 3) == []


# Feedback ------------------------------------------------------------------------------------------------------------


def test_feedback_finds_a_passage_that_shares_no_word_with_the_query():
    index = filled("bm25")
    assert names(index.search("squeal", 6)) == ["squeal"]
    assert names(pseudo_relevance("squeal", index, 6, hits=1, share=0.5))[:2] == ["squeal", "pads"]


def test_feedback_by_vectors_moves_towards_what_was_found():
    index = filled("dense")
    before, after = index.search("squeal", 6), pseudo_relevance("squeal", index, 6, hits=1, share=0.5)
    score = {hit.chunk.document: hit.score for hit in after}
    assert score["pads"] > {hit.chunk.document: hit.score for hit in before}["pads"] + 0.1
    assert rank("pads", after) <= rank("pads", before)


def test_the_feedback_vector_is_rocchios():
    index = filled("dense")
    query = "display cold"
    rows = [list(TEXTS).index(hit.chunk.document) for hit in index.search(query, 2)]
    expected = 0.7 * index.vector_of(query) + 0.3 * index.vectors[rows].mean(axis=0)
    found = feedback_vector(query, index, hits=2, share=0.3)
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-6)
    assert feedback_vector(query, index, hits=99, share=0.3) == pytest.approx(
        unit(0.7 * index.vector_of(query) + 0.3 * index.vectors.mean(axis=0)), abs=1e-6
    )


def test_feedback_words_weigh_as_the_relevance_model_says():
    index = BM25Index()
    texts = {"a": "red red fox", "b": "red owl", **{f"x{i}": "gray cat" for i in range(20)}}
    index.add([Chunk(name, 0, len(text), (), text) for name, text in texts.items()])
    a, b = (hit.score for hit in index.search("red", 2))
    found = feedback_words("red", index, hits=2, share=0.4)
    likely = {"red": (a * 2 / 3 + b / 2) / (a + b), "fox": a / 3 / (a + b), "owl": b / 2 / (a + b)}
    expected = {word: 0.4 * weight + 0.6 * (word == "red") for word, weight in likely.items()}
    assert found == pytest.approx(expected, rel=1e-5) and sum(found.values()) == pytest.approx(1)
    top = feedback_words("red", index, hits=2, share=0.4, n_words=1)
    assert top == pytest.approx({"red": 1.0})


def test_words_that_stand_everywhere_are_not_added():
    index = BM25Index(plain=True)
    texts = {f"d{i}": f"the word{i} fox{i}" for i in range(30)}
    index.add([Chunk(name, 0, len(text), (), text) for name, text in texts.items()])
    assert set(feedback_words("word3", index, share=0.5)) == {"word3", "fox3"}
    assert feedback_words("the", index, share=0.5)["the"] == pytest.approx(0.5), "the query's own word stays"


def test_headings_that_are_searched_give_feedback_too():
    index = BM25Index(with_headings=True, plain=True)
    index.add([Chunk("d", 0, 4, ("Brakes",), "Pads"), Chunk("e", 0, 4, ("Locks",), "Keys")])
    assert "brakes" in feedback_words("pads", index, share=0.5)


def test_no_share_is_the_plain_search(index):
    for question in ("squeal braking", "display in winter"):
        plain = index.search(question, 3)  # further down two are as near: rounding decides, on each processor its way
        assert names(pseudo_relevance(question, index, 3, share=0)) == names(plain)
        assert names(hypothetical_answer(question, index, 3, lambda order: "police theft", share=0)) == names(plain)


def test_a_query_without_a_hit_stays_as_it_is():
    index = filled("bm25")
    assert feedback_words("unicorn unicorn horse", index) == pytest.approx({"unicorn": 2 / 3, "horse": 1 / 3})
    assert pseudo_relevance("unicorn", index, 3) == []


# What the chat model writes -----------------------------------------------------------------------------------------


def test_a_made_up_answer_leads_to_the_passage_that_sounds_like_it(index):
    question, made_up = "My bicycle was stolen!", "After a theft call the police at once."
    before = rank("theft", index.search(question, 6))
    orders = []
    hits = hypothetical_answer(question, index, 6, lambda order: orders.append(order) or made_up)
    assert names(hits)[0] == "theft" and before > 0
    assert orders == [ANSWER.format(question=question)]


def test_the_made_up_answers_vector_is_averaged_with_the_querys():
    index = filled("dense")
    hits = hypothetical_answer("display", index, 6, lambda order: "police theft", share=0.25)
    vector = unit(0.75 * index.vector_of("display") + 0.25 * index.vector_of("police theft"))
    assert hits == index.search_vector(vector, 6)


def test_a_rephrasing_is_searched_instead_and_fused_with_the_query(index):
    def write(order):
        return "display winter battery"

    assert rephrased("zzz", index, 3, write) == index.search("display winter battery", 3)
    found = multi_query("squeal braking", index, 6, write, weight=1.0)
    assert {"squeal", "winter"} <= set(names(found)[:3])
    assert names(multi_query("squeal braking", index, 2, write, weight=0.0)) == names(index.search("squeal braking", 2))


def test_the_same_rephrasing_twice_counts_once():
    index, asked = filled("bm25"), []
    plain = index.search
    index.search = lambda query, k: asked.append(query) or plain(query, k)
    multi_query("squeal", index, 3, lambda order: "squeal" if "search words" in order else "pads")
    multi_query("squeal", index, 3, lambda order: "pads pairs")
    assert asked == ["squeal", "pads", "squeal", "pads pairs"]


@pytest.mark.parametrize("reply", ["", "  \n", "?!", "…"])
def test_a_reply_without_words_leaves_the_query_as_it_is(index, reply):
    for rewrite in (hypothetical_answer, rephrased, multi_query):
        assert names(rewrite(QUESTION, index, 4, lambda order: reply)) == names(index.search(QUESTION, 4))


def test_braces_in_a_question_do_not_break_the_order(index):
    for rewrite in (hypothetical_answer, rephrased, multi_query):
        rewrite("What does {0} or {question} in the log mean?", index, 3, lambda order: "display")


# What all share ------------------------------------------------------------------------------------------------------


def rewritings(write=lambda order: "pads"):
    return {
        "feedback": pseudo_relevance,
        "answer": lambda query, index, k: hypothetical_answer(query, index, k, write),
        "rephrased": lambda query, index, k: rephrased(query, index, k, write),
        "multi": lambda query, index, k: multi_query(query, index, k, write),
    }


@pytest.mark.parametrize("name", rewritings())
def test_every_rewriting_gives_up_to_k_different_chunks_and_refuses_bad_input(name, index):
    search = rewritings()[name]
    for k in (1, 3, 50):
        hits = search("the display and the pads", index, k)
        assert 0 < len(hits) <= min(k, len(TEXTS)) and len(set(names(hits))) == len(hits)
        assert all(isinstance(hit, Hit) for hit in hits)
    with pytest.raises(ValueError, match="query is empty"):
        search("  ", index, 3)
    with pytest.raises(ValueError, match="k is how many chunks"):
        search("display", index, 0)


def test_settings_out_of_range_are_refused(index):
    refused = [({"hits": 0}, "hits is how many"), ({"share": 1.5}, "share is what"), ({"share": -0.1}, "share is what")]
    for options, message in refused:
        with pytest.raises(ValueError, match=message):
            pseudo_relevance("display", index, 3, **options)
    with pytest.raises(ValueError, match="share is what"):
        hypothetical_answer("display", index, 3, lambda order: "pads", share=2)


def test_an_index_of_neither_words_nor_vectors_is_refused():
    with pytest.raises(TypeError, match="words or vectors, not object"):
        search_rewritten(object(), 3, lambda index: {}, lambda index: np.ones(3))


def test_rankings_are_fused_by_their_chunks():
    a, b, c = pieces()[:3]
    fused = fuse([[Hit(a, 9.0), Hit(b, 8.0)], [Hit(b, 0.1), Hit(c, 0.0)]], 2)
    assert names(fused) == ["pads", "squeal"]
    assert fused[0].score == pytest.approx(1 / 62 + 1 / 61)
