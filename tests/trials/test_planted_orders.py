"""Orders planted in an index: read where they should be, gone afterwards, found by the filter as their kind says."""

from __future__ import annotations

from collections import Counter

import pytest

from helpers.old.retrieval import speaks_to_a_model
from helpers.old.trials.answers import CHUNKS, answer_all
from helpers.old.trials.answers_recorded import judged
from helpers.old.trials.planted_orders import CARRIERS, ORDERS, carriers, defended, poisoned
from helpers.retrieval import BM25Index, chunk, sentence_spans
from helpers.velunda import load_handbook
from tests.scripted_models import ChatBytes, Replying


@pytest.fixture
def index():
    made = BM25Index()
    needed = {span.document for question in carriers() for span in question.spans}
    for name in sorted({"heron-manual", "lynx-manual", "kite-manual"} | needed):
        made.add(chunk(load_handbook()[name].text, **CHUNKS, document=name))
    return made


def test_there_are_twelve_orders_of_two_kinds_and_beside_them_claims_and_a_control():
    assert Counter(order.kind for order in ORDERS) == {"foreseen": 6, "unforeseen": 6, "claim": 4, "harmless": 4}
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


def test_carriers_are_all_dev_questions_that_are_answered_right_from_the_passage_that_answers():
    found = carriers()
    assert {question.question for question in found} == set(CARRIERS)
    assert all(question.split == "dev" and len(question.spans) == 1 for question in found)
    right = [each for each in judged("dev")["from passages"] if each.verdict.right]
    of_gold = [each for each in right if any(each.question.spans[0].shown_by(chunk) for chunk in each.trial.read)]
    assert [each.question for each in of_gold] == found


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
