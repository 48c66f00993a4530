"""Generation in its smallest form: the tokens that the full `generate` gives."""

from __future__ import annotations

import pytest
import torch

from helpers.display.source import source_of
from helpers.generation import generate
from helpers.models import fetch
from helpers.old.generation import minimal_generate
from helpers.old.transformer import GPT, GPTConfig
from helpers.tokenization import BPETokenizer
from helpers.transformer import Llama, LlamaConfig
from tests.tiny_models import randomized, tokens

V = 61
MODELS = {
    "Llama, grouped": lambda: Llama(LlamaConfig(V, 32, 3, 4, 48, n_kv_heads=2, tied=True)),
    "Llama": lambda: Llama(LlamaConfig(V, 32, 2, 4, 48)),
    "GPT, learned positions": lambda: GPT(GPTConfig(V, 32, 2, 4, positions="learned", max_len=40)),
}


@pytest.fixture(params=MODELS)
def model(request):
    torch.manual_seed(0)
    return randomized(MODELS[request.param]())


@pytest.mark.parametrize(("B", "T", "new"), [(1, 1, 1), (1, 7, 20), (3, 5, 13)])
def test_greedy_tokens_are_those_of_the_full_version(model, B, T, new):
    found = minimal_generate(model, tokens(B, T), new, end_id=V)  # no token has the id V: nothing ends
    assert found.tolist() == generate(model, tokens(B, T), new, ignore_eos=True).tolist()
    assert found.shape == (B, T + new)


def test_rows_that_ended_are_filled_until_all_have(model):
    prompts = tokens(3, 5)
    free = generate(model, prompts, 20, ignore_eos=True)[:, 5:]
    ends_at_different_times = 0
    for end_id in free.unique().tolist()[:6]:
        found = minimal_generate(model, prompts, 20, end_id)
        assert found.tolist() == generate(model, prompts, 20, eos_ids=end_id).tolist()
        lengths = {row.index(end_id) if end_id in row else 20 for row in free.tolist()}
        ends_at_different_times += len(lengths) > 1
    assert ends_at_different_times


def test_every_token_is_read_once(model):
    read, forward = [], model.forward

    def counting(ids, *args, **kwargs):
        read.append(ids.shape[1])
        return forward(ids, *args, **kwargs)

    model.forward = counting
    minimal_generate(model, tokens(2, 6), 4, end_id=V)
    assert read == [6, 1, 1, 1]


@torch.no_grad()
def test_a_temperature_draws_from_the_models_distribution(model):
    """4000 draws of one token at T = 0.7: shares within 5 standard errors of the softmax."""
    prompt = tokens(1, 6)
    expected = (model(prompt)[0, -1] / 0.7).softmax(-1)
    torch.manual_seed(0)
    drawn = minimal_generate(model, prompt.expand(4000, -1), 1, end_id=V, temperature=0.7)[:, -1]
    share = torch.bincount(drawn, minlength=V) / 4000
    assert ((share - expected).abs() <= 5 * (expected * (1 - expected) / 4000).sqrt() + 1e-3).all()
    assert expected.max() < 0.95 and len(drawn.unique()) > 1


def test_the_chat_model_answers_as_with_the_full_version():
    model = Llama.from_pretrained(fetch("chat"))
    tokenizer = BPETokenizer.from_pretrained(fetch("chat"))
    question = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n"
    prompt = torch.tensor([tokenizer.encode(question, allowed_special="all")])
    (end_id,) = model.config.eos_ids
    found = minimal_generate(model, prompt, 24, end_id)
    assert found.tolist() == generate(model, prompt, 24).tolist()
    reply = tokenizer.decode(found[0, prompt.shape[1] :].tolist())
    assert "Paris" in reply and found[0, -1] == end_id


def test_it_is_short_enough_to_be_shown():
    lines = source_of(minimal_generate, docstring=False).code.splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 30
