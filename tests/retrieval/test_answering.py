"""Answers from passages: the prompt fits, sentences are cited or flagged, low confidence abstains, caches forget."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.old.metrics import calibrate_threshold, risk_coverage
from helpers.old.retrieval import ABSTENTION, AnswerCache, answer, encode_prompt, grounded_prompt, normalized
from helpers.retrieval import Answer, BM25Index, Chunk, Evidence, Hit, cite, content, word_support
from tests.encoders import WordEncoder
from tests.scripted_models import ChatBytes, Replying

TOKENIZER = ChatBytes()
TEXTS = {
    "brakes": "A pair of brake pads costs 18 euros. Pads are replaced in pairs.",
    "heat": "Error E05 means that the display is too hot. It is not dangerous.",
    "charging": "Charge the battery to 80% and keep it dry.",
}


def pieces(**texts):
    return [Chunk(name, 0, len(text), (), text) for name, text in (texts or TEXTS).items()]


def ranked(*chunks):
    return [Hit(chunk, 1.0 - 0.1 * i) for i, chunk in enumerate(chunks)]


@pytest.fixture
def index():
    index = BM25Index()
    index.add(pieces())
    return index


def says(text):
    return {"model": Replying(lambda prompt: text), "tokenizer": TOKENIZER}


# The prompt ----------------------------------------------------------------------------------------------------------


def test_whole_passages_enter_best_first_as_long_as_they_fit():
    hits = ranked(*pieces())
    whole = len(encode_prompt("Q?", [hit.chunk for hit in hits], TOKENIZER))
    assert grounded_prompt("Q?", hits, TOKENIZER, whole).chunks == tuple(pieces())
    prompt = grounded_prompt("Q?", hits, TOKENIZER, whole - 1)
    assert prompt.chunks == tuple(pieces()[:2]), "a passage that does not fit is left out, never cut"
    shown = bytes(prompt.ids).decode()
    assert "[1] A pair of brake pads" in shown and "[2] Error E05" in shown and "[3]" not in shown
    assert shown.endswith("Question: Q?<assistant>") and shown.startswith("<system>You answer")


def test_a_later_passage_that_is_shorter_still_gets_in():
    hits = ranked(*pieces(a="short one", b="long " * 100, c="brief one"))
    budget = len(encode_prompt("Q?", [hits[0].chunk, hits[2].chunk], TOKENIZER))
    assert [chunk.document for chunk in grounded_prompt("Q?", hits, TOKENIZER, budget).chunks] == ["a", "c"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("ab \n", min_size=1, max_size=60).filter(str.strip), max_size=5), st.integers(200, 700))
def test_the_prompt_never_exceeds_its_budget(texts, budget):
    hits = ranked(*(Chunk(str(i), 0, len(text), ("H",), text) for i, text in enumerate(texts)))
    empty = len(encode_prompt("Q?", [], TOKENIZER))
    if empty > budget:
        with pytest.raises(ValueError, match=f"a prompt of {empty} tokens, and the budget for it is {budget}"):
            grounded_prompt("Q?", hits, TOKENIZER, budget)
    else:
        assert len(grounded_prompt("Q?", hits, TOKENIZER, budget).ids) <= budget


def test_a_passage_too_long_alone_is_cut_between_words_as_late_as_possible():
    chunk = Chunk("long", 7, 0, (), "one two three four five six seven")
    for keep in ("one two three", "one two three four five six"):
        budget = len(encode_prompt("Q?", [Chunk("long", 7, 0, (), keep)], TOKENIZER))
        for extra in (0, 1):
            [cut] = grounded_prompt("Q?", ranked(chunk), TOKENIZER, budget + extra).chunks
            assert cut.text == keep and (cut.start, cut.end) == (7, 7 + len(keep))
    nothing = len(encode_prompt("Q?", [], TOKENIZER))
    assert grounded_prompt("Q?", ranked(chunk), TOKENIZER, nothing).chunks == ()


def test_a_passage_that_stands_there_already_is_left_out():
    hits = ranked(*pieces(a="The same text.", b="The same text.", c="same text", d="Another."))
    assert [chunk.document for chunk in grounded_prompt("Q?", hits, TOKENIZER, 5000).chunks] == ["a", "d"]


def test_without_hits_only_the_question_is_asked():
    prompt = grounded_prompt("Q?", [], TOKENIZER, 5000)
    assert prompt.chunks == () and bytes(prompt.ids).decode().endswith("<user>Q?<assistant>")


# Citations -----------------------------------------------------------------------------------------------------------


def test_each_sentence_is_cited_or_flagged():
    text = "Brake pads cost 18 euros. They are painted by hand in Lisbon. E05 means that the display is hot."
    first, second, third = cite(text, pieces())
    assert first.chunk.document == "brakes" and third.chunk.document == "heat" and second.chunk is None
    assert [text[c.start : c.end] for c in (first, second, third)] == [c.sentence for c in (first, second, third)]
    assert first.support == 1 and second.support < 0.6


@pytest.mark.parametrize(
    ("sentence", "support"),
    [
        ("Brake pads cost 18 euros.", 1),
        ("Brake pads cost 19 euros.", 0),  # a number that the passage lacks
        ("Brake pads [2] cost 18 euros [1].", 1),  # marks are no numbers
        ("Pads replace brakes.", 1),  # other endings
        ("Pads are never replaced.", 2 / 3),  # a negation counts
        ("E05 means: replace the brake pads in pairs.", 0),  # so does a code
        ("It is.", 0),
        ("Lisbon.", 0),
    ],
)
def test_support_by_words(sentence, support):
    assert word_support(sentence, TEXTS["brakes"]) == pytest.approx(support)


def test_numbers_are_compared_whole():
    assert word_support("It costs 2,490 €.", "Price: 2490 €, cost included") == 1
    assert word_support("It costs 2 euros.", "It costs 2,490 euros.") == 0
    assert content("4.5 bar, not 45") == ["4.5", "bar", "not", "45"]


def test_the_minimum_decides_and_ties_go_to_the_first():
    assert cite("Pads are never replaced.", pieces(), minimum=0.7)[0].chunk is None
    assert cite("Pads are never replaced.", pieces(), minimum=0.6)[0].chunk.document == "brakes"
    twice = pieces(a="Open on Monday.", b="Open on Monday.")
    assert cite("Open on Monday.", twice)[0].chunk.document == "a"
    assert cite("Lisbon.", pieces(), minimum=0)[0].chunk is None, "no support at all is none, whatever the minimum"
    assert cite("", pieces()) == () and cite("Pads.", [])[0].chunk is None
    with pytest.raises(ValueError, match="minimum lies between 0 and 1, not 2"):
        cite("Pads.", [], minimum=2)


# Abstention ----------------------------------------------------------------------------------------------------------


def test_the_curve_by_hand():
    curve = risk_coverage([0.9, 0.5, 0.7, 0.5], [True, False, False, True])
    assert curve.thresholds.tolist() == [0.9, 0.7, 0.5] and curve.coverage.tolist() == [0.25, 0.5, 1]
    assert curve.risk.tolist() == [0, 0.5, 0.5] and curve.area == pytest.approx(0.25 * 0 + 0.25 * 0.5 + 0.5 * 0.5)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.booleans()), min_size=1), st.floats(0, 1))
def test_the_threshold_answers_most_of_those_that_keep_the_promise(rows, max_risk):
    sure, right = zip(*rows, strict=True)

    def answered(threshold):
        return [ok for confidence, ok in rows if confidence >= threshold]

    def keeps(threshold):
        return answered(threshold).count(False) / len(answered(threshold)) <= max_risk

    threshold = calibrate_threshold(sure, right, max_risk)
    allowed = [t for t in set(sure) if keeps(t)]
    assert threshold == (min(allowed) if allowed else math.inf)


def test_better_confidence_has_a_smaller_area():
    rng = np.random.default_rng(0)
    right = rng.random(200) < 0.6
    good, useless = right + 0.5 * rng.normal(size=200), rng.normal(size=200)
    assert risk_coverage(good, right).area < risk_coverage(useless, right).area - 0.1
    assert risk_coverage(useless, right).risk[-1] == pytest.approx(1 - right.mean())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([0.5], [True, False], 0.1), "Each confidence needs one verdict"),
        (([], [], 0.1), "at least one"),
        (([math.nan], [True], 0.1), "a finite number, not NaN"),
        (([0.5], [True], 1.5), "max_risk is a share of answers, between 0 and 1, not 1.5"),
    ],
)
def test_what_cannot_be_calibrated_is_said(arguments, said):
    with pytest.raises(ValueError, match=said):
        calibrate_threshold(*arguments)


# Answers -------------------------------------------------------------------------------------------------------------


def test_an_answer_comes_with_passages_citations_and_confidence(index):
    found = answer("What do brake pads cost?", index, **says("Brake pads cost 18 euros [7]."), k=2)
    assert found.text == "Brake pads cost 18 euros." and not found.abstained, "made-up citations are taken out"
    [citation] = found.citations
    assert citation.chunk.document == "brakes" and found.unsupported == ()
    certainty = math.exp(Replying.LOGIT) / (math.exp(Replying.LOGIT) + 255)
    assert found.confidence == found.evidence.likelihood == pytest.approx(certainty, rel=1e-5)
    assert found.evidence.retrieval == index.search("What do brake pads cost?", 1)[0].score
    assert [chunk.document for chunk in found.passages] == ["brakes"]
    assert str(found) == "Brake pads cost 18 euros. [1]\n[1] brakes: "


def test_the_model_reads_the_passages_that_were_found(index):
    model = Replying(lambda prompt: "Yes.")
    answer("Is E05 dangerous?", index, model=model, tokenizer=TOKENIZER, k=1)
    [prompt] = model.prompts
    assert TEXTS["heat"] in prompt and TEXTS["brakes"] not in prompt and "Question: Is E05 dangerous?" in prompt


def test_an_answer_without_support_says_so_in_one_sentence(index):
    found = answer("What do brake pads cost?", index, **says("Brake pads cost 18 euros. They come from Lisbon."))
    assert found.unsupported == ("They come from Lisbon.",)
    assert str(found).splitlines() == [
        "Brake pads cost 18 euros. [1] They come from Lisbon. [?]",
        "[1] brakes: ",
        "[?] No passage supports this sentence: They come from Lisbon.",
    ]
    assert found.evidence.support < 0.6


@pytest.mark.parametrize(
    ("text", "abstains"), [("Brake pads cost 18 euros.", False), ("Brake pads cost 20 euros.", True)]
)
def test_below_the_threshold_the_answer_is_held_back(index, text, abstains):
    found = answer("What do brake pads cost?", index, **says(text), threshold=0.5, confidence="support")
    assert found.abstained == abstains and found.text == (ABSTENTION if abstains else text)
    assert found.confidence == (0 if abstains else 1) and bool(found.citations) != abstains
    never = answer("What do brake pads cost?", index, **says(text), confidence="support")
    assert never.text == text and never.confidence == found.confidence, "without a threshold nothing is held back"


def test_confidence_may_be_any_function_of_the_evidence(index):
    product = lambda evidence: evidence.support * evidence.likelihood  # noqa: E731
    found = answer("What do brake pads cost?", index, **says("Brake pads cost 18 euros."), confidence=product)
    assert found.confidence == pytest.approx(found.evidence.likelihood)
    by_search = answer("What do brake pads cost?", index, **says("So."), confidence="retrieval", threshold=1e9)
    assert by_search.abstained and by_search.confidence == by_search.evidence.retrieval
    with pytest.raises(
        ValueError, match="confidence is one of retrieval, likelihood, support, or a function, not 'luck'"
    ):
        answer("What?", index, **says("So."), confidence="luck")


def test_nothing_found_or_nothing_said_is_an_abstention(index):
    nothing = answer("Zanzibar?", index, **says("A town."))
    assert nothing.abstained and nothing.text == ABSTENTION and nothing.passages == () and nothing.evidence is None
    silent = answer("brake pads", index, **says(""))
    assert silent.abstained and silent.text == ABSTENTION and silent.passages


def test_prompt_and_reply_share_the_budget(index):
    model = Replying(lambda prompt: "x" * 500)
    ids = []
    budget = len(encode_prompt("brake pads", pieces()[:1], TOKENIZER)) + 20

    class Watching(Replying):
        def forward(self, tokens, cache=None):
            ids.append(tokens.shape[1])
            return super().forward(tokens, cache)

    model = Watching(lambda prompt: "x" * 500)
    found = answer("brake pads", index, model=model, tokenizer=TOKENIZER, budget=budget, max_new_tokens=20)
    assert found.text == "x" * 20 and max(ids) + 1 == budget
    with pytest.raises(ValueError, match="The question alone makes a prompt"):
        answer("brake pads", index, **says("x"), budget=100)
    with pytest.raises(ValueError, match="The query is empty"):
        answer("  ", index, **says("x"))


def test_a_reranker_sees_more_and_its_order_counts(index):
    seen = []

    def backwards(question, hits):
        seen.append([hit.chunk.document for hit in hits])
        return hits[::-1]

    found = answer("the display, the battery, pads", index, **says("So."), k=1, reranker=backwards, pool=3)
    assert len(seen[0]) == 3 and [chunk.document for chunk in found.passages] == seen[0][-1:]


# The cache -----------------------------------------------------------------------------------------------------------


def made(document="brakes", text="18 euros.", abstained=False):
    [chunk] = [chunk for chunk in pieces() if chunk.document == document]
    return Answer(text, (), 1.0, abstained, (chunk,), Evidence(1.0, 1.0, 1.0))


def test_the_same_question_in_other_dress_is_found():
    cache = AnswerCache()
    cache.put("What do brake pads cost?", made())
    assert cache.get("  what do BRAKE pads\ncost ") == made() and cache.get("What do brake pads weigh?") is None
    assert (cache.hits, cache.misses) == (1, 1)
    assert normalized("Straße?!") == "strasse"


def test_a_question_near_enough_is_found_and_a_wrong_one_too():
    encoder = WordEncoder(synonyms={"price": "cost"})
    cache = AnswerCache(threshold=0.9, encoder=encoder)
    cache.put("What do brake pads cost without fitting?", made())
    assert cache.get("What do brake pads price without fitting?") == made()
    assert cache.get("What does a saddle cost?") is None
    # one word of seven: the cosine cannot tell, and the cache answers the other question
    assert cache.closest("What do brake pads cost with fitting?")[1] == pytest.approx(6 / 7, abs=0.01)
    careless = AnswerCache(threshold=0.8, encoder=encoder)
    careless.put("What do brake pads cost without fitting?", made())
    assert careless.get("What do brake pads cost with fitting?") == made()
    assert AnswerCache().closest("What?") is None


def test_without_an_index_a_change_has_to_be_told():
    cache = AnswerCache()
    cache.put("What do pads cost?", made())
    cache.put("What is E05?", made("heat"))
    cache.put("Where is Zanzibar?", made("charging", ABSTENTION, abstained=True))
    assert cache.invalidate("brakes") == 2 and len(cache) == 1, "what was not known may be known now"
    assert cache.get("What do pads cost?") is None and cache.get("What is E05?") == made("heat")
    assert cache.invalidate("brakes") == 0
    cache.clear()
    assert len(cache) == 0


def test_a_cache_that_knows_its_index_sees_an_edited_document(index):
    cache = AnswerCache(index)
    options = {"tokenizer": TOKENIZER, "cache": cache}
    model = Replying(lambda prompt: "It costs 21 euros." if "21 euros" in prompt else "It costs 18 euros.")
    ask = lambda: answer("What does a pair of brake pads cost?", index, model=model, **options).text  # noqa: E731
    assert ask() == ask() == "It costs 18 euros." and len(model.prompts) == 1 and cache.hits == 1
    index.remove("brakes")
    index.add(pieces(brakes="A pair of brake pads costs 21 euros."))
    assert ask() == "It costs 21 euros." and len(model.prompts) == 2


def test_a_change_that_touches_no_passage_leaves_the_answer(index):
    cache = AnswerCache(index)
    cache.put("brake pads", made())
    index.add(pieces(theft="Call the police."))
    assert cache.get("brake pads") == made()
    index.add(pieces(new="New brake pads are blue."))
    assert cache.get("brake pads") is None and len(cache) == 0
    cache.put("brake pads", made())
    for document in {chunk.document for chunk in index.chunks}:
        index.remove(document)
    assert cache.get("brake pads") is None


def test_a_cache_that_would_miss_a_change_is_refused(index):
    with pytest.raises(
        ValueError, match="compares the first 10 passages after a change, and the answer is made from 20"
    ):
        answer("pads", index, **says("So."), cache=AnswerCache(index), reranker=lambda question, hits: hits)
    with pytest.raises(ValueError, match="The cache watches another index"):
        answer("pads", index, **says("So."), cache=AnswerCache(BM25Index()))
    cache = AnswerCache(index, depth=20)
    found = answer("pads", index, **says("So."), cache=cache, reranker=lambda question, hits: list(hits))
    assert cache.get("pads") == found


def test_the_oldest_answer_goes_first():
    cache = AnswerCache(size=2)
    for question in ("one", "two", "one", "three"):
        cache.put(question, made(text=question))
    assert cache.get("two") is None and cache.get("one") and cache.get("three")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: AnswerCache(threshold=1.2), "threshold is a cosine above 0 and up to 1, not 1.2"),
        (lambda: AnswerCache(size=0), "at least 1 answer"),
        (lambda: AnswerCache().get(" "), "The query is empty"),
        (lambda: AnswerCache().put("", made()), "The query is empty"),
    ],
)
def test_the_cache_refuses(make, said):
    with pytest.raises(ValueError, match=said):
        make()


# With the real models ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_chat_model_reads_the_passage_and_the_prompt_fits():
    from transformers import AutoTokenizer

    from helpers.models import fetch
    from helpers.transformer import Llama

    model, tokenizer = Llama.from_pretrained(fetch("chat")), AutoTokenizer.from_pretrained(fetch("chat"))
    index = BM25Index()
    index.add(pieces())
    found = answer("How much does a pair of brake pads cost?", index, model=model, tokenizer=tokenizer, k=2, budget=300)
    assert "18" in found.text and found.citations[0].chunk.document == "brakes"
    assert 0 < found.confidence <= 1
    rng = random.Random(0)
    for _ in range(5):
        hits = ranked(*pieces(**{f"d{i}": "E05 means 4.5 bar. " * rng.randint(1, 20) for i in range(4)}))
        assert len(grounded_prompt("What is E05?", hits, tokenizer, 200).ids) <= 200
