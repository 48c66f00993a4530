"""Bits of a segmentation by hand, bits of a model against the library's loss, tokens asked back by their id."""

from __future__ import annotations

import math

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from helpers.old.tokenization import ask_to_repeat, bits_per_byte, word_counts
from helpers.tokenization import BPETokenizer

TEXTS = ["the bell rings", "a longer note about the bell, which rings again"]


@pytest.fixture(scope="module")
def tokenizer():
    return BPETokenizer.train("the bell rings, the note " * 20, 290, special_tokens=["<|im_start|>", "<|im_end|>"])


@pytest.fixture(scope="module")
def model(tokenizer):
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=tokenizer.vocab_size, hidden_size=16, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, tie_word_embeddings=True, bos_token_id=0, eos_token_id=None, initializer_range=0.5,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def test_words_are_counted_whole_and_long_runs_in_parts():
    assert word_counts("a a" + "=" * 100) == {"a": 1, " a": 1, "=" * 64: 1, "=" * 36: 1}


def test_a_models_bits_equal_the_librarys_loss(model, tokenizer):
    """Both in float32; the batch is padded, the library's texts are not: 1e-4 is well above float32's rounding."""
    rows = model.get_input_embeddings().weight.detach()
    found = bits_per_byte(model, rows, tokenizer.encode, TEXTS)
    for text, bits in zip(TEXTS, found, strict=True):
        ids = torch.tensor([[0, *tokenizer.encode(text)]])
        loss = model(ids, labels=ids).loss.item() * (ids.shape[1] - 1)
        assert bits == pytest.approx(loss / math.log(2) / len(text.encode()), rel=1e-4)


def test_shuffling_rows_and_ids_together_changes_nothing_and_alone_something(model, tokenizer):
    rows = model.get_input_embeddings().weight.detach()
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
    place = order.argsort()
    shuffled = lambda text: place[tokenizer.encode(text)].tolist()  # noqa: E731
    own = bits_per_byte(model, rows, tokenizer.encode, TEXTS)
    assert bits_per_byte(model, rows[order], shuffled, TEXTS) == pytest.approx(own, rel=1e-4)
    assert bits_per_byte(model, rows, shuffled, TEXTS) != pytest.approx(own, rel=1e-2)


def test_the_model_is_left_as_it_was(model, tokenizer):
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    bits_per_byte(model, torch.zeros(40, 16), lambda text: [1, 2], TEXTS)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_each_token_is_asked_for_by_its_own_id(model, tokenizer):
    seen = []

    class Recorder:
        device = torch.device("cpu")

        def generate(self, prompts, **options):
            seen.append(prompts)
            return torch.cat([prompts, prompts[:, :2]], dim=1)

    answers = ask_to_repeat(Recorder(), tokenizer, [260, 97, 5])
    (prompts,) = seen
    differing = [column for column in range(prompts.shape[1]) if len(set(prompts[:, column].tolist())) > 1]
    assert len(differing) == 1 and prompts[:, differing[0]].tolist() == [260, 97, 5]
    assert prompts[0, 0] == tokenizer.special_tokens["<|im_start|>"] and [len(a) for a in answers] == [2, 2, 2]
    assert [len(answer) for answer in ask_to_repeat(model, tokenizer, [260, 97], new_tokens=3)] == [3, 3]
