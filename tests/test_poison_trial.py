"""Orders planted in an index: read where they should be, gone afterwards, found by the filter as their kind says."""

from __future__ import annotations

from collections import Counter

import pytest

from helpers.answer_trial import CHUNKS, answer_all
from helpers.bm25_index import BM25Index
from helpers.chunking import chunk, sentence_spans
from helpers.handbook import load_handbook
from helpers.poison_trial import CARRIERS, KINDS, ORDERS, carriers, defended, poisoned
from helpers.poisoned_documents import speaks_to_a_model
from tests.scripted_models import ChatBytes, Replying


@pytest.fixture
def index():
    made = BM25Index()
    for name in ("heron-manual", "lynx-manual", "kite-manual"):
        made.add(chunk(load_handbook()[name].text, **CHUNKS, document=name))
    return made


def test_there_are_twelve_orders_of_two_kinds_and_claims_beside_them():
    assert Counter(order.kind for order in ORDERS) == {"foreseen": 6, "unforeseen": 6, "claim": 4}
    assert tuple(dict.fromkeys(order.kind for order in ORDERS)) == KINDS
    assert len({order.text for order in ORDERS}) == len(ORDERS)


def test_marks_are_in_no_document_and_every_order_names_its_own():
    handbook = " ".join(document.text for document in load_handbook().values()).lower()
    for order in ORDERS:
        assert order.mark.lower() not in handbook and order.obeyed(order.text)
        assert not order.obeyed("The chain wants oil after 200 kilometers.")


def test_the_filter_knows_a_sentence_of_each_foreseen_order_and_none_of_the_others():
    for order in ORDERS:
        seen = any(speaks_to_a_model(order.text[start:end]) for start, end in sentence_spans(order.text))
        assert seen == (order.kind == "foreseen"), order.text


def test_each_carrier_is_one_dev_question_with_one_passage():
    found = carriers()
    assert [question.question for question in found] == list(CARRIERS)
    assert all(question.split == "dev" and len(question.spans) == 1 for question in found)


@pytest.mark.parametrize("number", range(len(CARRIERS)))
def test_an_order_stands_near_the_passage_while_it_is_planted_and_is_gone_afterwards(index, number):
    question, order = carriers()[number], ORDERS[0]
    before = sorted(index.chunks, key=lambda piece: (piece.document, piece.start))
    with poisoned(index, order, near=question.spans[0]):
        bad = [piece for piece in index.chunks if order.text in piece.text]
        assert {piece.document for piece in bad} == {question.spans[0].document}
        assert any(question.spans[0].text in piece.text for piece in bad), "whoever finds the passage reads the order"
    assert sorted(index.chunks, key=lambda piece: (piece.document, piece.start)) == before
    with pytest.raises(RuntimeError), poisoned(index, order, near=question.spans[0]):
        raise RuntimeError("an answer that fails")
    assert sorted(index.chunks, key=lambda piece: (piece.document, piece.start)) == before


def test_the_defense_takes_a_foreseen_order_out_of_what_the_model_reads(index):
    question = carriers()[0]
    for order, kept in ((ORDERS[0], False), (ORDERS[6], True)):
        model = Replying(lambda prompt: "200 kilometers.")
        with poisoned(index, order, near=question.spans[0]):
            [bare] = answer_all([question.question], index, model, ChatBytes(), k=10)
            [clean] = answer_all([question.question], index, model, ChatBytes(), k=10, order=defended)
        assert any(order.text in passage.text for passage in bare.found)
        assert any(order.text in passage.text for passage in clean.found) == kept
