"""Pieces inside and outside of a text, their surprise, and texts drawn with a cache."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from helpers.old.corpora import Corpus
from helpers.old.pretraining import Characters, NGram, Tokens, surprise
from helpers.old.transformer import GPT, GPTConfig
from helpers.old.trials import kept_text

TEXT = "The cat sat on the mat, and the dog lay by the door of the old house. " * 8


@pytest.fixture(scope="module")
def tokenizer() -> Characters:
    return Characters.train(TEXT + "0123456789")


@pytest.fixture(scope="module")
def model(tokenizer) -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(tokenizer.vocab_size, d_model=32, n_layers=2, n_heads=2, max_len=64)).eval()


def test_pieces_are_dealt_once_each_and_keep_their_order():
    pieces = [f"{i:03d}" for i in range(50)]
    members, others = kept_text.deal(pieces, 20, seed=1)
    assert len(members) == len(others) == 20 and not set(members) & set(others)
    assert members == sorted(members) and others == sorted(others)
    assert kept_text.deal(pieces, 20, seed=1) == (members, others) != kept_text.deal(pieces, 20, seed=2)
    with pytest.raises(ValueError, match="twice 26"):
        kept_text.deal(pieces, 26, seed=1)
    assert kept_text.pieces_of("abcdefg", 3) == ["abc", "def"]


def test_the_loss_of_a_piece_is_its_surprise(model, tokenizer):
    pieces = kept_text.pieces_of(TEXT, 129)[:3]
    losses = kept_text.piece_losses(model, tokenizer, pieces, length=64)
    for piece, loss in zip(pieces, losses.tolist(), strict=True):
        tokens = Tokens(np.array(tokenizer.encode(piece)), len(piece))
        assert loss == pytest.approx(surprise(model, tokens, 64).nats, abs=1e-5)


def test_the_loss_by_a_table_is_its_surprise(tokenizer):
    table = NGram.count(Tokens(np.array(tokenizer.encode(TEXT)), len(TEXT)), tokenizer.vocab_size, 4)
    [loss] = kept_text.table_losses(table, tokenizer, [TEXT[:80]]).tolist()
    assert loss == pytest.approx(table.surprise(Tokens(np.array(tokenizer.encode(TEXT[:80])), 80)).nats)


def test_what_repeats_itself_takes_fewer_bits():
    bits = kept_text.zip_bits(["ab" * 100, "".join(chr(33 + (i * i * 7 + i) % 90) for i in range(200))])
    assert bits[0] < 1.5 and bits[1] > 3 * bits[0]


def test_likeliest_texts_are_those_without_a_cache(model, tokenizer):
    prompts = ["The cat", "the dog"]
    for prompt, drawn in zip(prompts, kept_text.draw_texts(model, tokenizer, prompts, 12, temperature=0), strict=True):
        ids = tokenizer.encode(prompt)
        for _ in range(12):
            ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
        assert drawn == tokenizer.decode(ids[len(prompt) :])


def test_draws_depend_on_their_seed_alone(model, tokenizer):
    first, again, other = (kept_text.draw_texts(model, tokenizer, ["The "] * 3, 20, seed=seed) for seed in (0, 0, 1))
    assert first == again != other and len(set(first)) == 3


def test_characters_that_the_vocabulary_lacks_become_one_sign(tokenizer):
    wide = Characters(tokenizer.alphabet + kept_text.UNKNOWN)
    assert kept_text.known("the ¶at", wide) == f"the {kept_text.UNKNOWN}at"


def test_the_interval_holds_the_share_and_widens_where_documents_are_drawn_whole():
    rng = np.random.default_rng(0)
    members, others = rng.normal(1.4, 0.3, 120), rng.normal(1.5, 0.3, 120)
    low, high = kept_text.auc_interval(members, others)
    share = (members[:, None] < others[None]).mean()
    assert low < share < high and 0.1 < high - low < 0.2
    shifts = rng.normal(0, 0.3, 12).repeat(10)  # pieces of one document are hard or easy together
    single = kept_text.auc_interval(members + shifts, others)
    whole = kept_text.auc_interval(members + shifts, others, np.arange(12).repeat(10).tolist())
    assert whole[1] - whole[0] > 1.3 * (single[1] - single[0])
    assert kept_text.auc_interval([1.0, 2.0], [3.0, 4.0]) == (1.0, 1.0)


def test_pieces_are_drawn_from_many_documents(tokenizer):
    documents = Corpus("four", tuple((str(k), TEXT[k:] * (1 + 5 * (k == 0))) for k in range(4)), "none", "here")
    titles, pieces = kept_text.pieces_by_document(documents, tokenizer, 50, n=20, at_most=5)
    assert len(titles) == len(pieces) == 20 and Counter(titles) == {str(k): 5 for k in range(4)}
    assert {len(piece) for piece in pieces} == {50}
    assert all(piece in dict(documents)[title] for title, piece in zip(titles, pieces, strict=True))


def test_numbers_are_found_with_what_stands_before_them():
    text = "Read RFC 1234 first. Then the long text of RFC 5678, RFC 99999 and RFC 1234 again."
    assert kept_text.numbers_in(text, context=9) == [("Read RFC ", "1234"), ("t of RFC ", "5678")]
    assert [number for _, number in kept_text.numbers_in(text, context=20)] == ["5678", "1234"]
