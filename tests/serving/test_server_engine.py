"""The server around the real engine, on a tiny model with the chat model's tokenizer."""

from __future__ import annotations

import asyncio
import json

import httpx2
import openai
import pytest

from helpers.generation import generate
from helpers.old.serving import Settings, create_app, load_backend
from helpers.old.speed import FastLlama
from tests import tiny_models
from tests.serving.scripted import in_loop, tokenizer

ASKED = [{"role": "user", "content": "What is a Kite 500?"}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A random Llama that reads and writes the chat model's tokens."""
    folder = tmp_path_factory.mktemp("tiny")
    options = {
        "num_attention_heads": 2,
        "max_position_embeddings": 512,
        "intermediate_size": 64,
        "vocab_size": len(tokenizer()),
    }
    tiny_models.llama(folder, **options, eos_token_id=tokenizer().eos_token_id)
    tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def tiny(folder, monkeypatch):
    monkeypatch.setenv("HANDS_ON_CHAT_MODEL", str(folder))
    return folder


def served(app) -> openai.AsyncOpenAI:
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://server")
    return openai.AsyncOpenAI(base_url="http://server/v1", api_key="none", http_client=http, max_retries=0)


def settings_of(**options) -> Settings:
    return Settings(embedder=False, cache_mb=4, default_new_tokens=16, **options)


@in_loop
async def test_sixteen_streams_at_once_write_what_the_model_writes_alone(tiny):
    backend = load_backend(settings_of(bits=32))
    app = create_app(settings_of(), backend)
    client, model = served(app), FastLlama.from_pretrained(tiny)
    conversations = [[{"role": "user", "content": "word " * (i + 1)}] for i in range(16)]

    async def ask(messages: list[dict]) -> str:
        stream = await client.chat.completions.create(model="chat", messages=messages, max_tokens=12, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    together = await asyncio.gather(*map(ask, conversations))
    prompts = [list(app.state.service.prompts.chat([one | {"tool_calls": []}], ())) for [one] in conversations]
    alone = [generate(model, [prompt], 12)[0, len(prompt) :].tolist() for prompt in prompts]
    assert together == [tokenizer().decode(ids, skip_special_tokens=True) for ids in alone]
    assert backend.stats().running == backend.stats().pages_used == 0
    await backend.worker.close(1)


@pytest.mark.parametrize("bits", [32, 16, 8, 4])
@in_loop
async def test_at_every_precision_a_reply_is_held_to_its_schema_and_names_its_version(tiny, bits):
    backend = load_backend(settings_of(bits=bits))
    client = served(create_app(settings_of(), backend))
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    raw = await client.chat.completions.with_raw_response.create(
        model="chat", messages=ASKED, response_format=wanted, temperature=1.0, seed=3, logprobs=True
    )
    reply = raw.parse()
    assert isinstance(json.loads(reply.choices[0].message.content)["n"], int)
    precision = {32: "fp32", 16: "bf16", 8: "int8", 4: "int4"}[bits]
    assert raw.headers["x-model-version"].endswith(precision)
    assert all(one.logprob <= 0 for one in reply.choices[0].logprobs.content)
    again = await client.chat.completions.create(
        model="chat", messages=ASKED, response_format=wanted, temperature=1.0, seed=3
    )
    assert again.choices[0].message.content == reply.choices[0].message.content
    assert again.usage.prompt_tokens_details.cached_tokens > 0
    await backend.worker.close(1)


@in_loop
async def test_a_client_that_leaves_frees_the_pages_and_too_long_a_prompt_is_refused(tiny):
    backend = load_backend(settings_of())
    client = served(create_app(settings_of(), backend))
    with pytest.raises(openai.BadRequestError, match="512") as refused:
        await client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "word " * 600}])
    assert refused.value.code == "context_length_exceeded"
    asking = asyncio.create_task(client.chat.completions.create(model="chat", messages=ASKED, max_tokens=400))
    while not backend.stats().running:
        await asyncio.sleep(0.01)
    asking.cancel()
    while backend.stats().running or backend.stats().pages_used:
        await asyncio.sleep(0.01)
    await backend.worker.close(1)
