"""Searching and answering as a trial: what the model reads, in which order replies come, what perfect search gives."""

from __future__ import annotations

import pytest

from helpers.old.trials.searches import OPENING, ask, every_nth, gold_search, searches, shared
from helpers.retrieval import Hit, HybridIndex, chunk
from helpers.velunda import Question, Span
from tests.encoders import WordEncoder
from tests.scripted_models import ChatBytes, Replying

TEXTS = {
    "lynx": "Sealant: 90 ml per wheel. Fork seals after 100 hours. The chain wants oil.",
    "kite": "The Kite weighs 21 kilograms. It takes no sealant at all.",
}


def question(text, answer, *quotes):
    spans = [
        Span(name, TEXTS[name].index(quote), TEXTS[name].index(quote) + len(quote), quote) for name, quote in quotes
    ]
    return Question(text, "number", "dev", tuple(spans), answer)


SEALANT = question("How much sealant?", "90 ml", ("lynx", "Sealant: 90 ml per wheel."))
BOTH = question("And both?", "90 ml; none", ("lynx", "90 ml per wheel"), ("kite", "no sealant"))
NOBODY = Question("Who painted it?", "unanswerable", "dev", (), None)


def says(rule):
    """A model that goes on with what the rule makes of the prompt, behind the words that are put into its mouth."""
    return Replying(lambda prompt: OPENING + rule(prompt))


@pytest.fixture
def chunks():
    return [piece for name, text in TEXTS.items() for piece in chunk(text, 9, 0, "sentences", name)]


def test_a_perfect_search_shows_each_passage_once(chunks):
    search = gold_search([SEALANT, BOTH], chunks)
    assert [hit.chunk.text for hit in search(SEALANT.question, 5)] == ["Sealant: 90 ml per wheel."]
    assert [hit.chunk.document for hit in search(BOTH.question, 5)] == ["lynx", "kite"]
    assert len(search(BOTH.question, 1)) == 1
    with pytest.raises(ValueError, match="No passage is known for the question 'Else"):
        search("Else?", 5)


def test_a_passage_is_not_shown_by_another_documents_chunk(chunks):
    span = SEALANT.spans[0]
    assert shared(span, chunks[0]) == len(span.text)
    assert shared(span, next(piece for piece in chunks if piece.document == "kite")) == -1


def test_replies_come_in_the_order_of_the_questions_and_see_their_own_passages(chunks):
    model = says(lambda prompt: "90 ml\nMore." if "90 ml per wheel" in prompt and "How much" in prompt else "I guess.")
    long = question("And both? " * 9, "90 ml; none", ("lynx", "90 ml per wheel"), ("kite", "no sealant"))
    asked = [long, SEALANT, BOTH]
    found = ask(asked, gold_search(asked, chunks), model, ChatBytes(), k=2, budget=4000, batch=1)
    assert [reply.text for reply in found] == ["I guess.", "90 ml", "I guess."]
    assert [reply.exact for reply in found] == [False, True, False] and found[1].f1 == 1
    assert found[1].documents == ("lynx",) and found[2].documents == ("lynx", "kite")
    assert found[0].prompt_tokens > found[1].prompt_tokens


def test_closed_book_shows_no_passage(chunks):
    seen = []
    model = says(lambda prompt: seen.append(prompt) or "50 ml")
    [reply] = ask([SEALANT], None, model, ChatBytes())
    assert reply.documents == () and reply.f1 == 0.5 and "90 ml" not in seen[0] and "How much sealant?" in seen[0]


def test_prompts_stay_within_the_budget_and_k(chunks):
    def all_of_them(query, k):
        return [Hit(piece, 1.0) for piece in chunks][:k]

    model, tokenizer = says(lambda prompt: "90 ml"), ChatBytes()
    for budget in (400, 440, 500):
        [reply] = ask([SEALANT], all_of_them, model, tokenizer, k=9, budget=budget, room=8)
        assert reply.prompt_tokens <= budget - 8
    assert len(ask([SEALANT], all_of_them, model, tokenizer, k=2, budget=4000)[0].documents) == 2


def test_a_question_without_an_answer_is_refused():
    with pytest.raises(ValueError, match="'Who painted it.' has no right answer"):
        ask([SEALANT, NOBODY], None, Replying(lambda prompt: ""), ChatBytes())


def test_a_hybrid_index_is_searched_in_three_ways(chunks):
    index = HybridIndex(WordEncoder())
    index.add(chunks)
    found = {name: search("sealant per wheel", 2) for name, search in searches(index).items()}
    assert list(found) == ["BM25", "dense", "hybrid"]
    assert found["BM25"] == index.bm25.search("sealant per wheel", 2) != found["hybrid"]
    assert found["hybrid"] == index.search("sealant per wheel", 2)


def test_every_nth_keeps_first_and_order():
    assert every_nth(list(range(10)), 4) == [0, 2, 5, 7] and every_nth([1, 2], 5) == [1, 2]
