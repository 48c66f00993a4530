"""The encoder: equal to the library's BERT on random weights; pooling and lengths as sentence-transformers has them."""

from __future__ import annotations

import json

import pytest
import torch

from helpers.old.tokenization import WordPieceTokenizer
from helpers.transformer import CheckpointError, Encoder, EncoderConfig, pool
from tests.tiny_models import BERTS, bert, tokens

close = {"atol": 1e-5, "rtol": 1e-5}
TEXT = "the cat saw the other cat and the other cat saw the cat that saw the cat"


@pytest.mark.parametrize("name", BERTS)
@torch.no_grad()
def test_encoder_equals_the_librarys_on_random_weights(name, tmp_path):
    theirs = bert(tmp_path, **BERTS[name])
    ours = Encoder.from_pretrained(tmp_path)
    ids, segments = tokens(3, 16), tokens(3, 16, vocab_size=2, seed=1)
    mask = torch.arange(16) < torch.tensor([16, 9, 1])[:, None]
    expected = theirs(ids, attention_mask=mask.long(), token_type_ids=segments).last_hidden_state
    torch.testing.assert_close(ours(ids, mask, segments)[mask], expected[mask], **close)
    torch.testing.assert_close(ours(ids), theirs(ids).last_hidden_state, **close)


@torch.no_grad()
def test_padding_changes_nothing(tmp_path):
    bert(tmp_path, **BERTS["gelu"])
    encoder = Encoder.from_pretrained(tmp_path)
    ids, mask = tokens(2, 12), torch.ones(2, 12, dtype=torch.bool)
    mask[1, 5:] = False
    torch.testing.assert_close(encoder(ids, mask)[1, :5], encoder(ids[1:, :5])[0], **close)


def test_a_text_of_padding_alone_gives_no_nan_and_zeros_when_pooled():
    model, ids, mask = encoder(), tokens(2, 6), torch.ones(2, 6, dtype=torch.bool)
    mask[1] = False
    hidden = model(ids, mask)
    hidden.square().sum().backward()
    assert hidden.isfinite().all() and (pool(hidden, mask)[1] == 0).all()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_every_token_sees_every_other(tmp_path):
    bert(tmp_path, **BERTS["gelu"])
    encoder, read = Encoder.from_pretrained(tmp_path), []
    encoder.norm.register_forward_hook(lambda module, inputs, out: read.append(out) or out.retain_grad())
    encoder(tokens(1, 6))[0, 2].square().sum().backward()
    assert (read[0].grad[0].abs().sum(-1) > 0).all()


@torch.no_grad()
def test_bfloat16_gives_nearly_the_same_states(tmp_path):
    """0.4 % an operation (8 bits), some ten of which follow each other in two layers; states are of order 1 to 5."""
    bert(tmp_path, **BERTS["gelu"])
    exact, low = (Encoder.from_pretrained(tmp_path, dtype)(tokens(2, 12)) for dtype in (torch.float32, torch.bfloat16))
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), exact, atol=0.1, rtol=0.05)


def test_pooling_sums_in_float32():
    hidden = torch.full((1, 4_000, 1), 1.01, dtype=torch.bfloat16)  # in bfloat16, the sum would stop growing at 256
    pooled = pool(hidden, torch.ones(1, 4_000, dtype=torch.bool))
    assert pooled.dtype == torch.float32 and pooled.item() == pytest.approx(hidden[0, 0, 0].item(), rel=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gives_the_same_vectors(sentence_folder):
    folder = sentence_folder("mean", True, 64)
    expected = Encoder.from_pretrained(folder).embed([TEXT, "the cat"])
    found = Encoder.from_pretrained(folder, device="cuda").embed([TEXT, "the cat"])
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)  # another device, another order of sums


def test_pooling_takes_real_tokens_only():
    hidden = torch.tensor([[[1.0, -4.0], [3.0, -2.0], [100.0, 100.0]]])
    mask = torch.tensor([[True, True, False]])
    assert pool(hidden, mask, "mean").tolist() == [[2.0, -3.0]]
    assert pool(hidden, mask, "max").tolist() == [[3.0, -2.0]]
    assert pool(hidden, mask, "first").tolist() == [[1.0, -4.0]]


# Folders of sentence-transformers ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sentence_folder(tmp_path_factory):
    """A random BERT with a WordPiece tokenizer, saved by sentence-transformers; one folder for each recipe."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertTokenizer

    def folder(mode: str, normalized: bool, length: int):
        plain = tmp_path_factory.mktemp("bert")
        ours = WordPieceTokenizer.train(TEXT, 40, min_count=1)
        bert(plain, **BERTS["gelu"], vocab_size=ours.vocab_size)
        BertTokenizer(vocab={token: i for i, token in enumerate(ours.tokens)}).save_pretrained(plain)
        transformer = Transformer(str(plain), max_seq_length=length)
        modules = [transformer, Pooling(32, pooling_mode=mode), *([Normalize()] if normalized else [])]
        saved = tmp_path_factory.mktemp("sentences")
        SentenceTransformer(modules=modules, device="cpu").save(str(saved))
        return saved

    return folder


@pytest.mark.parametrize("mode, normalized, length", [("mean", True, 64), ("cls", True, 9), ("max", False, 12)])
def test_embed_follows_the_recipe_in_the_folder(sentence_folder, mode, normalized, length):
    from sentence_transformers import SentenceTransformer

    folder = sentence_folder(mode, normalized, length)
    texts = ["the cat", TEXT, "", "another cat saw it", TEXT + " and " + TEXT, "unknowable ▲"]
    expected = SentenceTransformer(str(folder), device="cpu").encode(texts, convert_to_tensor=True)
    torch.testing.assert_close(Encoder.from_pretrained(folder).embed(texts, batch_size=4), expected, **close)


def test_an_unknown_recipe_is_refused(sentence_folder):
    folder = sentence_folder("mean", True, 64)
    modules = json.loads((folder / "modules.json").read_text())
    pooling = folder / modules[1]["path"] / "config.json"
    pooling.write_text(json.dumps({"pooling_mode_weightedmean_tokens": True}))
    with pytest.raises(CheckpointError, match="pools by weightedmean_tokens; embed has mean, max and first token"):
        Encoder.from_pretrained(folder)
    (folder / "modules.json").write_text(json.dumps([*modules, {"type": "sentence_transformers.models.Dense"}]))
    with pytest.raises(CheckpointError, match="Transformer, Pooling, Normalize, Dense"):
        Encoder.from_pretrained(folder)


# Bad input -----------------------------------------------------------------------------------------------------------


def encoder(**options) -> Encoder:
    torch.manual_seed(0)
    return Encoder(
        EncoderConfig(**{"vocab_size": 61, "d_model": 24, "n_layers": 1, "n_heads": 4, "max_len": 8} | options)
    )


def test_no_texts_give_no_vectors():
    assert encoder().embed([]).shape == (0, 24)


@pytest.mark.parametrize(
    "error, call, message",
    [
        (ValueError, lambda: encoder(n_heads=5), "n_heads=5 does not divide d_model=24"),
        (ValueError, lambda: encoder()(tokens(1, 9)), "positions for 8 tokens, and the text has 9"),
        (ValueError, lambda: encoder()(torch.tensor([[61]])), "no token 61"),
        (ValueError, lambda: encoder()(tokens(1, 3), None, torch.tensor([[0, 1, 2]])), "no segment 2.*from 0 to 1"),
        (ValueError, lambda: encoder()(tokens(1, 3), torch.ones(1, 2).bool()), r"mask has the shape \(1, 2\)"),
        (TypeError, lambda: encoder().embed("one text"), r"write embed\(\[text\]\)"),
        (ValueError, lambda: encoder().embed(["one text"]), "has no tokenizer"),
    ],
)
def test_impossible_input_is_refused_in_one_sentence(error, call, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
