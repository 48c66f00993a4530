"""Reranking: the batched score equals the score one by one, whatever the batch; bad models are refused."""

from __future__ import annotations

import random

import pytest
import torch

from helpers.cross_encoder import CrossEncoder
from helpers.fetching import ModelUnavailable
from helpers.old.generation import token_log_probs
from helpers.old.retrieval import PASSAGE, query_likelihood, rerank, reranking
from helpers.old.speed import FastLlama
from helpers.retrieval import Chunk, Hit
from helpers.transformer import Llama, LlamaConfig
from tests.scripted_models import ChatBytes, Counting, text
from tests.tiny_onnx import write_cross_encoder

TOKENIZER = ChatBytes()
PASSAGES = ["abc abc", "The display is too hot.", "x", "Brake pads are replaced in pairs, never alone."]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=256, d_model=32, n_layers=2, n_heads=4, d_ff=64, n_kv_heads=2, max_len=1024)
    made = Llama(config).eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(3)  # small random weights find everything equally likely
    return made


def one_by_one(model, query, passage):
    asked = text(" " + query)
    ids = torch.tensor([[*text(PASSAGE.format(passage=passage)), *asked]])
    return float(token_log_probs(model, ids)[0, -len(asked) :].mean())


@pytest.mark.parametrize("batch", [1, 2, 3, 8])
@pytest.mark.parametrize("query", ["Is it hot?", "a"])
def test_the_batched_score_is_the_score_one_by_one(model, batch, query):
    expected = [one_by_one(model, query, passage) for passage in PASSAGES]
    assert max(expected) - min(expected) > 0.01, "or the order would prove nothing"
    for reader in (model, FastLlama(model)):
        found = query_likelihood(reader, TOKENIZER, query, PASSAGES, batch)
        assert found == pytest.approx(expected, abs=1e-4)  # rounding of float32, in another order of sums


def test_hits_are_ordered_by_the_new_score(model):
    hits = [Hit(Chunk(str(i), 0, 1, (), passage), 9.0 - i) for i, passage in enumerate(PASSAGES)]
    random.Random(1).shuffle(hits)
    found = rerank("Is it hot?", hits, model=model, tokenizer=TOKENIZER)
    scores = {hit.chunk.text: hit.score for hit in found}
    assert scores == pytest.approx(
        {passage: one_by_one(model, "Is it hot?", passage) for passage in PASSAGES}, abs=1e-4
    )
    assert [hit.score for hit in found] == sorted(scores.values(), reverse=True)
    assert {hit.chunk for hit in found} == {hit.chunk for hit in hits}


def test_equal_scores_keep_their_order(model):
    hits = [Hit(Chunk(name, 0, 1, (), "The same."), 1.0) for name in "cab"]
    found = rerank("Is it?", hits, model=model, tokenizer=TOKENIZER, batch=3)
    assert [hit.chunk.document for hit in found] == ["c", "a", "b"]


def test_a_long_passage_is_cut_not_refused(model):
    long = "word " * 1000
    [score] = query_likelihood(model, TOKENIZER, "Is it?", [long])
    assert score == pytest.approx(one_by_one(model, "Is it?", long[:400]), abs=1e-4)


def test_a_model_without_a_cache_or_mask_reads_passages_of_one_length():
    [score, other] = query_likelihood(Counting(), TOKENIZER, "bc", ["aa", "zz"])
    assert score == other  # it sees only the token before
    with pytest.raises(ValueError, match="differ in length, and this model takes no mask="):
        query_likelihood(Counting(), TOKENIZER, "bc", ["aa", "zzz"], batch=2)
    assert len(query_likelihood(Counting(), TOKENIZER, "bc", ["aa", "zzz"], batch=1)) == 2


def test_no_hits_give_no_hits_and_errors_are_one_sentence(model):
    assert rerank("Is it?", [], model=model, tokenizer=TOKENIZER) == []
    hit = [Hit(Chunk("a", 0, 1, (), "x"), 1.0)]
    with pytest.raises(ValueError, match="The query is empty"):
        rerank(" ", hit, model=model, tokenizer=TOKENIZER)
    for options in (
        {"tokenizer": TOKENIZER},
        {"model": model},
        {"model": model, "tokenizer": TOKENIZER, "cross_encoder": "x"},
    ):
        with pytest.raises(ValueError, match="a cross-encoder, or a model with its tokenizer: give one of the two"):
            rerank("Is it?", hit, **options)
    with pytest.raises(ValueError, match="batch is how many passages are read at once, 1 or more, not 0"):
        query_likelihood(model, TOKENIZER, "Is it?", ["x"], batch=0)


class Lengths:
    """A cross-encoder that likes long passages."""

    def predict(self, pairs, batch_size, show_progress_bar):
        assert {query for query, _ in pairs} == {"Is it?"} and not show_progress_bar
        return [len(passage) for _, passage in pairs]


def test_a_cross_encoder_takes_the_models_place():
    hits = [Hit(Chunk(str(i), 0, 1, (), passage), 1.0) for i, passage in enumerate(PASSAGES)]
    found = rerank("Is it?", hits, cross_encoder=Lengths())
    assert [hit.chunk.text for hit in found] == sorted(PASSAGES, key=len, reverse=True)
    assert found[0].score == len(PASSAGES[3])


def test_the_courses_own_cross_encoder_takes_the_models_place(tmp_path):
    encoder = CrossEncoder(write_cross_encoder(tmp_path))
    hits = [Hit(Chunk(str(i), 0, 1, (), passage), 9.0 - i) for i, passage in enumerate(["a", "c c", "b"])]
    found = rerank("a", hits, cross_encoder=encoder)
    assert [hit.chunk.text for hit in found] == ["c c", "b", "a"]
    assert [hit.score for hit in found] == encoder.score("a", ["c c", "b", "a"])


def test_where_none_is_named_the_courses_cross_encoder_is_loaded_once(tmp_path, monkeypatch):
    loaded = []

    def load():
        loaded.append(CrossEncoder(write_cross_encoder(tmp_path)))
        return loaded[-1]

    monkeypatch.setattr("helpers.models.reranker", load)
    reranking._reranker.cache_clear()
    hits = [Hit(Chunk(str(i), 0, 1, (), passage), 9.0 - i) for i, passage in enumerate(["a", "c c", "b"])]
    found = [rerank("a", hits) for _ in range(2)]
    reranking._reranker.cache_clear()
    assert found[0] == found[1] == rerank("a", hits, cross_encoder=loaded[0]) and len(loaded) == 1


def test_a_cross_encoder_that_is_not_there_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    hit = [Hit(Chunk("a", 0, 1, (), "x"), 1.0)]
    with pytest.raises(ModelUnavailable, match=r"The cross-encoder .*empty cannot be loaded \(.+\): name a folder"):
        rerank("Is it?", hit, cross_encoder=tmp_path / "empty")


@pytest.mark.slow
def test_a_cross_encoder_in_a_folder_scores_as_the_library_does(tmp_path):
    from sentence_transformers import CrossEncoder
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    from helpers.models import fetch

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(fetch("embedder"))
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(vocab_size=len(tokenizer), num_labels=1, initializer_range=0.5, **sizes)
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    hits = [Hit(Chunk(str(i), 0, 1, (), passage), 1.0) for i, passage in enumerate(PASSAGES)]
    found = rerank("Is it hot?", hits, cross_encoder=tmp_path)
    library = CrossEncoder(str(tmp_path), local_files_only=True)
    for hit in found:
        assert hit.score == pytest.approx(float(library.predict([("Is it hot?", hit.chunk.text)])[0]), abs=1e-5)
