"""The real chat model and tokenizer behind the engine: the same greedy replies, grammars, quantized weights."""

from __future__ import annotations

import json
import re

import pytest
import torch
from transformers import AutoTokenizer

from helpers.generation import generate, reply_text
from helpers.models import fetch
from helpers.old.generation import json_grammar, regex_grammar
from helpers.old.serving import Ask, Engine
from helpers.old.speed import FastLlama
from helpers.quantization import quantize_
from tests.serving.tiny import run, served, text, tokens
from tests.transformer.test_transformer import small_llama

TIE = 1e-3  # logits closer than that may change places: in another batch, float32 sums are taken in another order
QUESTIONS = [
    "What is the capital of France?",
    "List three fruits.",
    "Say hello with an emoji.",
    "My battery does not charge. What can I do? It is an old one, and I have tried two chargers and another socket.",
]


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(fetch("chat"))


def chat(tokenizer, question: str) -> tuple[int, ...]:
    messages = [{"role": "user", "content": question}]
    return tuple(tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False))


def test_replies_of_a_batch_are_those_of_generate(tokenizer):
    model = FastLlama.from_pretrained(fetch("chat"))
    asks = [Ask(chat(tokenizer, question), 12) for question in QUESTIONS]
    found = served(Engine(model, tokenizer, cache_mb=20), asks)
    for ask, pieces in zip(asks, found, strict=True):
        ids, reply = [*ask.prompt], tokens(pieces)
        alone = generate(model, ids, 12)[0, len(ids) :].tolist()
        if reply != alone:  # then where they part, two tokens are equally likely
            place = next(i for i, (a, b) in enumerate(zip(reply, alone, strict=False)) if a != b)
            best = model(torch.tensor([ids + alone[:place]]), last_only=True)[0, -1].topk(2)
            assert set(best.indices.tolist()) == {reply[place], alone[place]}
            assert float(best.values[0] - best.values[1]) < TIE
        assert text(pieces) == reply_text(tokenizer, reply)
    assert found[0][-1].usage.completion_tokens <= 12 and "Paris" in text(found[0])


# A tiny random model with the real vocabulary -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def babbling(tokenizer):
    """Says anything: what its replies have in common is the grammar's doing."""
    sizes = {"vocab_size": len(tokenizer), "d_model": 64, "d_ff": 64, "n_layers": 2}
    return small_llama(**sizes, eos_ids=(tokenizer.eos_token_id,))


def test_each_request_keeps_to_its_own_grammar(tokenizer, babbling):
    server = Engine(FastLlama(babbling), tokenizer, cache_mb=4)
    schema = {"type": "object", "properties": {"urgent": {"type": "boolean"}, "kind": {"enum": ["bill", "bike"]}}}
    schema |= {"required": ["urgent", "kind"], "additionalProperties": False}
    pattern, prompt = r"VE-\d{5}", chat(tokenizer, QUESTIONS[0])
    by_schema, by_pattern = json_grammar(tokenizer, schema), regex_grammar(tokenizer, pattern)
    drawn = {"temperature": 1.0, "seed": 1}
    asks = [
        Ask(prompt, 30, grammar=by_schema),
        Ask(prompt, 30, grammar=by_schema, **drawn),
        Ask(prompt, 12, grammar=by_pattern),
        Ask(prompt, 12, grammar=by_pattern, **drawn),
        Ask(prompt, 12),
    ]
    *found, free = served(server, asks)
    for pieces in found[:2]:
        assert set(json.loads(text(pieces))) == {"urgent", "kind"} and pieces[-1].finish == "stop"
    for pieces in found[2:]:
        assert re.fullmatch(pattern, text(pieces)) and pieces[-1].finish == "stop"
    assert not re.fullmatch(pattern, text(free))
    with pytest.raises(ValueError, match="room for 2 tokens"):
        server.submit(Ask(prompt, 2, grammar=by_schema))


def test_a_grammar_that_breaks_ends_its_request_alone(tokenizer, babbling):
    server = Engine(FastLlama(babbling), tokenizer, cache_mb=4)
    grammar, prompt = regex_grammar(tokenizer, "a{9}"), chat(tokenizer, QUESTIONS[0])
    grammar.mask = lambda state, room=None: torch.zeros(len(tokenizer), dtype=torch.bool)  # allows nothing
    names = [server.submit(Ask(prompt, 9, grammar=grammar)), server.submit(Ask(prompt, 9))]
    pieces = run(server)
    assert pieces[names[0]][-1].finish == "error"
    assert len(tokens(pieces[names[1]])) == 9 or pieces[names[1]][-1].finish == "stop"


@pytest.mark.parametrize("bits", [16, 8, 4])
def test_fewer_bits_are_served_as_the_model_itself_computes_them(tokenizer, babbling, bits):
    """One request at a time is the same arithmetic; bfloat16 sums of several rows may be rounded otherwise."""
    model = FastLlama(small_llama(**vars(babbling.config) | {"max_len": 512}).bfloat16())
    if bits < 16:
        quantize_(model, bits, skip=["head"])
    server = Engine(model, tokenizer, cache_mb=4, max_running=1, chunk=64)
    asks = [Ask(chat(tokenizer, question), 8) for question in QUESTIONS[:2]]
    for ask, pieces in zip(asks, served(server, asks), strict=True):
        row = torch.tensor([[*ask.prompt, *tokens(pieces)]])
        logits = model(row)[0, len(ask.prompt) - 1 : -1]  # what the model says when it reads all at once
        chosen = logits.gather(1, torch.tensor(tokens(pieces))[:, None])[:, 0]
        assert bool((logits.amax(1) - chosen < 0.05 * logits.std()).all()), "a likeliest token, up to bfloat16"
