"""Dense, BM25 and hybrid indexes: found as by hand, filtered before ranks are given, refused where it does not fit."""

from __future__ import annotations

import itertools
from math import log

import numpy as np
import pytest

from helpers.old.retrieval import score_search
from helpers.retrieval import BM25Index, Chunk, DenseIndex, Hit, HybridIndex, chunk_documents, content
from helpers.retrieval import reciprocal_rank_fusion as fuse
from helpers.retrieval.indexes import encoder_checksum
from helpers.velunda import load_handbook, load_questions
from tests.encoders import WordEncoder

SENTENCES = {
    "brakes": "Brake pads thinner than one millimeter are replaced in pairs.",
    "heat": "Error E05 means that the display is too hot.",
    "charging": "Charge the battery to eighty percent and keep it dry.",
    "theft": "After a theft call the police and then the insurance.",
    "returns": "A bicycle is returned within thirty days, a battery never.",
}
MAKE = {
    "DenseIndex": lambda: DenseIndex(WordEncoder()),
    "BM25Index": BM25Index,
    "HybridIndex": lambda: HybridIndex(WordEncoder()),
}


def pieces(**texts):
    return [Chunk(name, 0, len(text), (name.title(),), text) for name, text in (texts or SENTENCES).items()]


@pytest.fixture(params=MAKE)
def index(request):
    return MAKE[request.param]()


def test_the_document_that_shares_the_words_is_found_first(index):
    index.add(pieces())
    for query, document in [("police theft", "theft"), ("E05 display hot", "heat"), ("brake pads pairs", "brakes")]:
        hits = index.search(query, 3)
        assert hits[0].chunk.document == document
        assert all(a.score >= b.score for a, b in itertools.pairwise(hits))
        assert len({hit.chunk for hit in hits}) == len(hits) <= 3


def test_what_is_not_allowed_gets_no_rank(index):
    index.add(pieces())
    found = index.search("theft of the battery, police", 5, lambda chunk: chunk.document != "theft")
    without = MAKE[type(index).__name__]()
    without.add([piece for piece in pieces() if piece.document != "theft"])
    assert [hit.chunk for hit in found] == [hit.chunk for hit in without.search("theft of the battery, police", 5)]
    assert index.search("police", 5, lambda chunk: False) == []


def test_more_hits_asked_than_chunks_there_are_gives_each_once(index):
    index.add(pieces())
    for k in (5, 6, 1000):
        found = [hit.chunk.document for hit in index.search("the battery is a brake error", k)]
        assert len(found) == len(set(found)) <= 5
        assert isinstance(index, BM25Index) or len(found) == 5


def test_a_document_edited_is_found_by_its_new_words_only(index):
    index.add(pieces())
    assert index.remove("heat") == 1 and len(index) == 4
    index.add(pieces(heat="Error E05 now means a fault of the fan."))
    assert index.search("fault of the fan", 1)[0].chunk.document == "heat"
    assert all("display" not in hit.chunk.text for hit in index.search("display hot", 5))
    with pytest.raises(KeyError, match="no chunk of the document 'stolen'"):
        index.remove("stolen")


@pytest.mark.parametrize(
    ("chunks", "query", "k", "said"),
    [
        ([], "battery", 3, "no chunk to add"),
        (pieces() + pieces()[:1], "battery", 3, "remove it first"),
        (pieces(empty="  "), "battery", 3, "is empty"),
        (pieces(), " \n", 3, "query is empty"),
        (pieces(), b"battery", 3, "is bytes"),
        (pieces(), "battery", 0, "whole number from 1"),
        (pieces(), "battery", True, "whole number from 1"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(index, chunks, query, k, said):
    with pytest.raises((TypeError, ValueError), match=said):
        index.add(chunks)
        index.search(query, k)
    with pytest.raises(ValueError, match="index is empty"):
        MAKE[type(index).__name__]().search("battery", 1)


def test_kept_vectors_are_not_made_again():
    first, encoder = HybridIndex(WordEncoder()), WordEncoder()
    first.add(pieces())
    again = HybridIndex(encoder)
    again.add(pieces(), vectors=first.dense.vectors)
    assert encoder.encoded == 0 and again.search("police theft", 5) == first.search("police theft", 5)
    assert np.allclose(np.linalg.norm(first.dense.vectors, axis=1), 1)


def test_bm25_is_the_formula():
    index = BM25Index()
    index.add(pieces())
    corpus = [content(piece.with_headings) for piece in index.chunks]
    mean = sum(map(len, corpus)) / len(corpus)
    scores = index.scores("How dry is the battery?")
    for document, score in zip(corpus, scores, strict=True):
        by_hand = 0.0
        for word in content("How dry is the battery?"):
            n = sum(word in other for other in corpus)
            count, length = document.count(word), 0.25 + 0.75 * len(document) / mean
            by_hand += log(1 + (5 - n + 0.5) / (n + 0.5)) * count / (count + 1.5 * length)
        assert score == pytest.approx(by_hand or -np.inf, abs=1e-5)


def test_fusion_by_hand():
    found = fuse([["a", "b"], ["b", "c"]], c=10)
    assert found == [("b", 1 / 12 + 1 / 11), ("a", 1 / 11), ("c", 1 / 12)]
    assert [item for item, _ in fuse([["b", "a"], ["a", "b"]])] == ["b", "a"] and fuse([]) == []


def test_the_checksum_follows_the_weights():
    import torch

    encoder = torch.nn.Linear(2, 2)
    before = encoder_checksum(encoder)
    assert before == encoder_checksum(encoder)
    with torch.no_grad():
        encoder.weight[0, 0] += 1
    assert encoder_checksum(encoder) != before


def test_words_find_most_of_the_handbooks_passages():
    chunks = chunk_documents(load_handbook().values(), 120, 24, "sentences")
    index, questions = BM25Index(), load_questions("dev")
    index.add(chunks)
    scores = score_search(index.search, questions)
    first = score_search(lambda query, k: [Hit(piece, 0.0) for piece in chunks[:k]], questions)
    assert scores.mean("recall@10") > first.mean("recall@10") + 0.3
