"""Trials of answers: batches give what one question at a time gives, a passage is read once, verdicts follow rules."""

from __future__ import annotations

import pytest
import torch

from helpers.old.retrieval import query_likelihood
from helpers.old.speed import FastLlama
from helpers.old.trials.answers import (
    K,
    Verdict,
    answer_all,
    is_right,
    judge,
    numbers,
    quote_all,
    witnesses,
)
from helpers.retrieval import BM25Index, Chunk, HybridIndex, chunk
from helpers.transformer import Llama, LlamaConfig
from helpers.velunda import Question, Span
from tests.benchmarks.pooled_reranking import likelihoods_behind, pool_scores
from tests.encoders import WordEncoder
from tests.scripted_models import ChatBytes, Replying

TOKENIZER = ChatBytes()
DOCUMENTS = {
    "pads": "Brake pads cost 18 euros a pair. They are replaced in pairs.",
    "lamp": "The Beacon lamp shines for 9 hours. It is charged by cable.",
    "rack": "The rack of the Kite carries 25 kg.",
}
ASKED = ["What do brake pads cost?", "How long does the Beacon lamp shine?", "Kite rack?"]


@pytest.fixture(scope="module")
def index():
    made = BM25Index()
    made.add([piece for name, text in DOCUMENTS.items() for piece in chunk(text, size=20, overlap=0, document=name)])
    return made


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=256, d_model=32, n_layers=2, n_heads=4, d_ff=64, n_kv_heads=2, max_len=2048, eos_ids=(0,)
    )
    made = Llama(config).eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(3)  # small random weights find everything equally likely
    return FastLlama(made)


def test_a_reply_counts_up_to_its_end_only(index):
    model = Replying(lambda prompt: "Yes [1]." if "pads" in prompt else "A much longer reply than that.")
    short, long, _ = answer_all(ASKED, index, model, TOKENIZER, k=1, batch=1)
    assert (short.text, long.text) == ("Yes.", "A much longer reply than that.")
    assert short.likelihood == pytest.approx(long.likelihood, rel=1e-5)  # each token is as likely as any other


def test_a_closed_book_shows_nothing_and_keeps_what_would_have_been_found(index):
    model = Replying(lambda prompt: "18 euros.")
    open_, closed = (
        answer_all(ASKED[:1], index, model, TOKENIZER, closed_book=shut, batch=1)[0] for shut in (False, True)
    )
    assert closed.read == () and closed.found == open_.found and open_.read
    assert "Brake pads cost" in model.prompts[0] and "Brake pads cost" not in model.prompts[1]
    assert "passages below" not in model.prompts[1]


def test_an_order_chooses_from_the_whole_pool(index):
    model = Replying(lambda prompt: "Yes.")
    turned = lambda question, hits: hits[::-1]  # noqa: E731
    plain, other = (
        answer_all(["the pads lamp rack"], index, model, TOKENIZER, k=1, order=o)[0] for o in (None, turned)
    )
    assert len(plain.found) == len(other.found) == 1 and plain.found != other.found
    assert K >= 1


def test_each_passage_is_read_once_and_the_scores_are_those_of_reranking(index, model):
    pools = {question: index.search(question, 3) for question in ASKED}
    seen = []
    found = pool_scores(model, TOKENIZER, pools, report=lambda passages: [seen.append(p) or p for p in passages])
    assert len(seen) == len(set(seen)) == len({hit.chunk.text for hits in pools.values() for hit in hits})
    for question, hits in pools.items():
        expected = query_likelihood(model, TOKENIZER, question, [hit.chunk.text for hit in hits])
        assert found[question] == pytest.approx(expected, abs=1e-4)
    many = [*ASKED, "a", "Is it?"]
    behind = likelihoods_behind(model, TOKENIZER, DOCUMENTS["pads"], many, batch=2)
    alone = [query_likelihood(model, TOKENIZER, query, [DOCUMENTS["pads"]])[0] for query in many]
    assert max(alone) - min(alone) > 0.01 and behind == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "answer_", "right"),
    [
        ("It costs 18 euros.", "18 euros", True),
        ("It costs 19 euros.", "18 euros", False),
        ("It takes 200 kilometers.", "200 km", True),
        ("You have fourteen days or 14.", "14 days", True),
        ("Two attempts.", "two", True),
        ("2 attempts.", "two", True),
        ("The code is E07.", "E07", True),
        ("The code is E08.", "E07", False),
        ("No, it is not allowed.", "no", True),
        ("That is not allowed.", "no", True),
        ("Yes, it is allowed.", "no", False),
        ("It is allowed.", "no", False),
        ("A chat is closed.", "yes", False),
        ("Yes.", "yes, up to 5", False),
        ("Yes, up to 5.", "yes, up to 5", True),
        ("They have the clips.", "the clips of the Burrow", True),
        ("They have the wheels.", "the clips of the Burrow", False),
        ("Anything.", None, False),
        ("", "no", False),
    ],
)
def test_right_is_its_yes_or_no_its_numbers_or_half_of_its_words(text, answer_, right):
    assert is_right(text, answer_) is right


def test_numbers_and_codes_are_spelled_in_one_way():
    assert numbers("2,490 euros, E05, SA-H16, two packs, 31,458.20") == {"2490", "e05", "h16", "2", "31458.20"}


def question(answer_="18 euros"):
    spans = (Span("pads", 0, 32, DOCUMENTS["pads"][:32]),) if answer_ else ()
    return Question("What do brake pads for 2 wheels cost?", "number", "dev", spans, answer_)


def test_a_verdict_names_what_is_made_up(index):
    [gold] = [piece for piece in index.chunks if piece.document == "pads"]
    lamp = Chunk("lamp", 0, 35, (), DOCUMENTS["lamp"][:35])
    seen = witnesses(question(), [lamp], index.chunks)
    assert seen == [lamp, gold] and witnesses(question(), [gold], index.chunks) == [gold]
    assert judge("Brake pads cost 18 euros.", question(), seen, 0.6) == Verdict(True, False, False, False)
    copied = judge("The lamp shines for 9 hours.", question(), seen, 0.6)  # borne out, and of something else
    assert copied == Verdict(False, False, True, False) and copied.hallucinated
    invented = judge("Pads are made of ceramic by monks.", question(), seen, 0.6)
    assert invented == Verdict(False, True, False, False) and invented.hallucinated
    assert not judge("", question(), seen, 0.6).hallucinated
    nothing = judge("Brake pads cost 18 euros.", question(None), seen, 0.6)
    assert nothing == Verdict(False, False, True, False), "nothing answers, so no number is right"


def test_passages_without_a_sentence_give_an_empty_quotation():
    index = HybridIndex(WordEncoder())
    index.add([Chunk("prices", 0, 14, (), "# Brake prices")])
    [trial] = quote_all(["What do brake pads cost?"], index)
    assert (trial.text, trial.likelihood, trial.read) == ("", 0.0, ()) and len(trial.found) == 1


def test_what_is_quoted_whole_is_not_made_up_and_what_repeats_the_question_is_not_either(index):
    seen = list(index.chunks)
    quoted = judge("The Beacon lamp shines\nfor 9 hours.", question(), seen, 0.6)
    assert quoted == Verdict(False, False, False, False), "whoever asked reads what the 9 hours are"
    for text in (
        "Brake pads for 2 wheels cost.",
        "The answer to the question is: pads cost.",
        "Brake pads for 2 wheels",
    ):
        assert not judge(text, question(), seen, 0.6).hallucinated, text
    assert judge("Brake pads for 2 wheels cost a monk's wage.", question(), seen, 0.6).unsupported


def test_a_yes_where_the_answer_is_no_is_made_up_and_either_where_nothing_answers(index):
    seen = list(index.chunks)
    for text, wanted, wrong in (
        ("The answer is: yes.", "no", True),
        ("The answer is: no.", "no", False),
        ("Yes.", "yes, 18 euros", False),
        ("No, no.", "yes", True),
        ("The answer is: yes.", None, True),
        ("The answer is: yes.", "18 euros", False),
    ):
        assert judge(text, question(wanted), seen, 0.6).contradicts is wrong, (text, wanted)


def test_words_of_the_question_do_not_make_an_answer_right():
    asked = "How does a customer get rid of the app account?"
    assert not is_right("A customer can delete the app account by mail.", 'in the app, under "Close account"', asked)
    assert is_right("Look for it under Close account.", 'in the app, under "Close account"', asked)
    assert is_right("In the app.", "in the app", "Where in the app?"), "it has no other words"
