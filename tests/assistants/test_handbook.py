"""The handbook's assistant: old rules are left out, the sentence or row that answers is quoted, or nothing is said."""

from __future__ import annotations

import datetime
import re

import numpy as np
import pytest

from helpers import models
from helpers.assistants import HandbookAssistant, Quote, answer_by_quote, around, best_quotes, in_force
from helpers.assistants.handbook import MEANING, asks_for_older, handbook_chunks, units_in, units_of
from helpers.fetching import damage
from helpers.fetching.wheel import FETCH_COMMAND
from helpers.retrieval import BM25Index, Hit, HybridIndex, chunk
from helpers.velunda import Document, load_handbook

RETURNS = """# Returns

You may return a bicycle within 30 days. It has ridden at most 50 km.

## Fees

| way | fee | days |
| --- | --- | --- |
| shop | nothing | 1 |
| pickup | 39 euros | 5 |
"""
OLD_RETURNS = "# Returns, conditions of 2019\n\nYou may return a bicycle within 14 days. The pickup costs 29 euros."
HOURS = "# Hours\n\nThe desk opens at 8. On Sundays it is closed."


def document(name: str, text: str, status: str = "current") -> Document:
    title = text.split("\n")[0].removeprefix("# ")
    replaced = "returns" if status == "superseded" else None
    return Document(name, title, "policy", datetime.date(2026, 1, 1), "Noor", status, replaced, text)


DOCUMENTS = {
    "returns": document("returns", RETURNS),
    "returns-2019": document("returns-2019", OLD_RETURNS, "superseded"),
    "hours": document("hours", HOURS),
}


class SharedWords:
    """A cross-encoder by counting: how many of the question's words does the text have?"""

    def __init__(self) -> None:
        self.read: list[str] = []

    def score(self, question, texts):
        return [self._score(question, text) for text in texts]

    def _score(self, question, text):
        self.read.append(text)
        return float(len(words(question) & words(text)))


class NoMeaning:
    """An encoder to which all texts are alike."""

    checksum = "none"

    def encode(self, texts, **_):
        return np.ones((len(texts), 2), dtype=np.float32)


def words(text):
    return set(re.findall(r"\w+", text.lower()))


def pieces():
    return [piece for each in DOCUMENTS.values() for piece in chunk(each.text, 40, 0, "sentences", each.name)]


@pytest.fixture
def assistant() -> HandbookAssistant:
    index = BM25Index()
    index.add(pieces())
    return HandbookAssistant(index, DOCUMENTS, SharedWords(), NoMeaning(), threshold=MEANING + 1.5)


def test_what_was_superseded_is_left_out_unless_the_question_asks_for_it():
    def found(question):
        return {name for name, each in DOCUMENTS.items() if in_force(each, question)}

    assert found("How many days do I have?") == {"returns", "hours"}
    assert found("How many days did I have in 2019?") == {"returns", "returns-2019", "hours"}
    assert found("How many days did customers formerly have?") == {"returns", "returns-2019", "hours"}


def test_a_draft_is_never_in_force_even_where_the_question_speaks_of_the_past():
    draft = document("hours", HOURS, "draft")
    for question in ("When does the desk open?", "When did the desk formerly open, in 2019?"):
        assert not in_force(draft, question)


def test_what_is_not_in_force_is_left_out_before_anything_is_ranked(assistant):
    found = assistant.hits("May you return a bicycle within 14 days?")
    assert found and "returns-2019" not in {hit.chunk.document for hit in found}
    assert "returns-2019" in {hit.chunk.document for hit in assistant.hits("What did the pickup formerly cost?")}


def test_a_number_that_is_only_part_of_another_names_no_document():
    assert asks_for_older("What did the 2019 edition say?", DOCUMENTS["returns-2019"])
    assert not asks_for_older("Order VE-20191: can I return it?", DOCUMENTS["returns-2019"])
    assert not asks_for_older("How old may a bicycle be?", DOCUMENTS["returns-2019"])


def test_what_answers_is_quoted_between_its_neighbors_with_the_place_where_it_stands(assistant):
    answer = assistant("Within how many days may I return a bicycle?")
    assert not answer.abstained
    assert answer.text == "You may return a bicycle within 30 days.\nIt has ridden at most 50 km."
    [citation] = answer.citations
    assert answer.text[citation.start : citation.end] == "You may return a bicycle within 30 days."
    assert citation.chunk.document == "returns" and citation.chunk.headings == ("Returns",)
    assert RETURNS[citation.chunk.start : citation.chunk.end] == answer.text.replace("\n", " ")
    first, second, where = str(answer).splitlines()
    assert first == "You may return a bicycle within 30 days. [1]"
    assert second == "It has ridden at most 50 km." and where == "[1] returns: Returns"


def test_what_is_shown_around_a_sentence_ends_at_the_heading_and_after_so_many_sentences():
    text = "# A\n\nOne is here. Two is here. Three is here. Four is here.\n\n# B\n\nFive is here. Six is here."
    documents = {"a": document("a", text)}

    def shown(i, n):
        return [unit.text.split()[0] for unit in around(Quote("a", units_of(text)[i], 1.0), documents, n)]

    assert shown(1, 0) == ["Two"]
    assert shown(1, 1) == ["One", "Two", "Three"]
    assert shown(0, 2) == ["One", "Two", "Three"]
    assert shown(3, 2) == ["Two", "Three", "Four"]
    assert shown(4, 2) == ["Five", "Six"]


def test_an_item_is_shown_below_the_sentence_that_announces_its_list():
    text = "# Winter\n\nBefore the winter:\n\n- Rinse the chain.\n- Oil it.\n- Store it dry."
    [item] = [unit for unit in units_of(text) if unit.text == "Oil it."]
    answer = answer_by_quote(Quote("winter", item, 1.0), {"winter": document("winter", text)})
    assert answer.text == "Before the winter:\n- Rinse the chain.\n- Oil it.\n- Store it dry."
    assert str(answer).splitlines()[2] == "- Oil it. [1]"


def test_a_row_is_quoted_with_the_names_of_its_columns(assistant):
    answer = assistant("What fee has a pickup?")
    assert answer.text == "way: pickup, fee: 39 euros, days: 5"
    assert answer.citations[0].chunk.headings == ("Returns", "Fees")
    assert answer.citations[0].chunk.text == "| pickup | 39 euros | 5 |"


def test_below_the_threshold_it_abstains_and_says_how_sure_it_was(assistant):
    answer = assistant("Do you sell skis?")
    assert answer.abstained and not answer.citations and answer.confidence < MEANING + 1.5
    assert "do not know" in answer.text


def test_sentences_of_overlapping_passages_are_read_once_and_the_best_comes_first():
    encoder, hits = SharedWords(), [Hit(piece, 1.0) for piece in pieces() if piece.document == "returns"]
    quotes = best_quotes("Which pickup?", [*hits, *hits], DOCUMENTS, encoder, NoMeaning())
    assert len(encoder.read) == len(set(encoder.read)) == len(quotes) == 4
    assert [quote.score for quote in quotes] == sorted((quote.score for quote in quotes), reverse=True)


def test_of_equal_scores_the_sentence_nearer_in_meaning_comes_first():
    class Pickups(NoMeaning):
        def encode(self, texts, **_):
            return np.array([[1, 2 if "pickup" in text.lower() else 0] for text in texts], dtype=np.float32)

    class Indifferent:
        def score(self, question, texts):
            return [0.0] * len(texts)

    hits = [Hit(piece, 1.0) for piece in pieces() if piece.document == "returns"]
    quotes = best_quotes("A pickup?", hits, DOCUMENTS, Indifferent(), Pickups())
    assert "pickup" in quotes[0].unit.text and quotes[0].score == pytest.approx(MEANING)
    assert best_quotes("A pickup?", [], DOCUMENTS, Indifferent(), Pickups()) == []


def test_a_row_knows_its_columns_where_the_chunk_begins_below_them():
    start = RETURNS.index("| pickup")
    [below] = [piece for piece in chunk(RETURNS, 12, 0, "sentences", "returns") if piece.start == start]
    assert [unit.text for unit in units_in(below, DOCUMENTS)] == ["way: pickup, fee: 39 euros, days: 5"]


def test_an_empty_question_is_refused(assistant):
    with pytest.raises(ValueError, match="ask something"):
        assistant(" ")


# --- with the real models -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> HandbookAssistant:
    """Over four documents only, so that the index is built in seconds."""
    for role in ("embedder", "reranker"):
        problem = damage(models.SOURCES[role])
        if problem is not None:
            pytest.skip(f"the {role} is not in the cache ({problem}): run `{FETCH_COMMAND}`")
    names = {"returns-policy", "returns-policy-2019", "price-list-spare-parts-2026", "price-list-spare-parts-2024"}
    index = HybridIndex()
    index.add([piece for piece in handbook_chunks() if piece.document in names])
    return HandbookAssistant(index, load_handbook(), models.reranker(), index.dense.encoder)


@pytest.mark.parametrize(
    ("question", "answer", "document"),
    [
        ("Until how many days after delivery may I send a bicycle back?", "within 30 days", "returns-policy"),
        ("what does one extra key for the battery lock cost", "price: 19 €", "price-list-spare-parts-2026"),
    ],
)
def test_plain_questions_are_answered_from_the_current_document(real, question, answer, document):
    said = real(question)
    assert answer in said.text and said.citations[0].chunk.document == document


def test_what_these_documents_do_not_say_is_not_answered(real):
    assert real("Which shop rents out skis in winter?").abstained
