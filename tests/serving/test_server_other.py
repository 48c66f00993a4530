"""Responses, vectors, models and the operator's addresses."""

from __future__ import annotations

import base64
import json
import struct

import openai
import pytest
from pydantic import BaseModel

from tests.serving.scripted import ScriptedWorker, Server, in_loop

TOOL = {
    "type": "function",
    "name": "price",
    "description": "Price of a product",
    "parameters": {"type": "object", "properties": {"product": {"type": "string"}}, "required": ["product"]},
}


@in_loop
async def test_a_response_remembers_what_was_said_before_but_not_the_instructions():
    async with Server() as server:
        client = server.client()
        first = await client.responses.create(model="chat", input="I am Ada.", instructions="Be brief.")
        second = await client.responses.create(model="chat", input="Who am I?", previous_response_id=first.id)
        assert first.output_text == "I am Ada." and first.status == "completed"
        assert second.previous_response_id == first.id
        assert "Be brief." in server.worker.prompts[0] and "Be brief." not in server.worker.prompts[1]
        told = ["user\nI am Ada.", "assistant\nI am Ada.", "user\nWho am I?", "assistant\n"]
        turns = server.worker.prompts[1].split("<|im_start|>")[-4:]
        assert [turn.removesuffix("<|im_end|>\n") for turn in turns] == told
        assert (await client.responses.retrieve(second.id)).output_text == "Who am I?"


@in_loop
async def test_what_is_not_stored_deleted_or_crowded_out_is_unknown(monkeypatch):
    monkeypatch.setattr("helpers.old.serving.api_responses.STORED", 1)
    async with Server() as server:
        client = server.client()
        unstored = await client.responses.create(model="chat", input="a", store=False)
        crowded = await client.responses.create(model="chat", input="b")
        deleted = await client.responses.create(model="chat", input="c")
        await client.responses.delete(deleted.id)
        for response in (unstored, crowded, deleted):
            with pytest.raises(openai.NotFoundError):
                await client.responses.retrieve(response.id)
            with pytest.raises(openai.NotFoundError):
                await client.responses.create(model="chat", input="d", previous_response_id=response.id)


@in_loop
async def test_a_streamed_response_tells_its_story_in_order():
    async with Server() as server:
        async with server.client().responses.stream(model="chat", input="one two 🚲") as stream:
            events = [event async for event in stream]
            final = await stream.get_final_response()
        kinds = [event.type for event in events]
        begins = ["response.created", "response.in_progress", "response.output_item.added"]
        assert kinds[:4] == [*begins, "response.content_part.added"]
        ends = ["response.output_text.done", "response.content_part.done", "response.output_item.done"]
        assert kinds[-4:] == [*ends, "response.completed"]
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert len(deltas) > 1 and "".join(deltas) == final.output_text == "one two 🚲"
        assert [event.sequence_number for event in events] == sorted({event.sequence_number for event in events})
        assert final.usage.output_tokens == server.worker.written


class Ticket(BaseModel):
    intent: str
    urgent: bool


@in_loop
async def test_a_response_is_held_to_a_schema_and_says_when_it_was_cut_off():
    async with Server() as server:
        client = server.client()
        parsed = await client.responses.parse(model="chat", input="x", text_format=Ticket, max_output_tokens=40)
        assert isinstance(parsed.output_parsed, Ticket)
        cut = await client.responses.create(model="chat", input="one two three four", max_output_tokens=2)
        assert (cut.status, cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")


@in_loop
async def test_a_response_calls_a_tool_and_reads_its_result():
    def reply(prompt: str) -> str:
        return "499 euros." if "Result: 499" in prompt else '{"name":"price","arguments":{"product":"Kite"}}'

    async with Server(ScriptedWorker(reply)) as server:
        client = server.client()
        first = await client.responses.create(model="chat", input="What is a Kite?", tools=[TOOL])
        [call] = first.output
        assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "price", {"product": "Kite"})
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "499"}
        second = await client.responses.create(
            model="chat", input=[result], tools=[TOOL], previous_response_id=first.id
        )
        assert second.output_text == "499 euros."
        stream = await client.responses.create(model="chat", input="What is a Kite?", tools=[TOOL], stream=True)
        events = [event async for event in stream]
        [done] = [event for event in events if event.type == "response.function_call_arguments.done"]
        assert done.arguments == call.arguments and events[-1].response.output[0].name == "price"


@in_loop
async def test_a_failure_in_a_streamed_response_is_an_event():
    async with Server(ScriptedWorker(fail="BREAK")) as server:
        answer = await server.post("/v1/responses", {"input": "a b c d e BREAK", "stream": True})
        assert "event: response.failed" in answer.text and "It broke." in answer.text
        assert "response.completed" not in answer.text


@in_loop
async def test_vectors_come_in_order_as_numbers_or_as_base64():
    async with Server() as server:
        made = await server.client().embeddings.create(model="embedder", input=["ab", "cc"])
        assert [one.embedding for one in made.data] == [[1, 1, 0], [0, 0, 2]] and made.usage.prompt_tokens == 6
        answer = await server.post("/v1/embeddings", {"input": "abc", "encoding_format": "base64"})
        raw = base64.b64decode(answer.json()["data"][0]["embedding"])
        assert struct.unpack("<3f", raw) == (1, 1, 1)
        with pytest.raises(openai.BadRequestError, match="reads 8 at most"):
            await server.client().embeddings.create(model="embedder", input="word " * 9)


@in_loop
async def test_models_are_listed_with_their_versions():
    async with Server() as server:
        listed = await server.client().models.list()
        assert [one.id for one in listed.data] == ["chat", "tickets", "embedder"]
        assert (await server.client().models.retrieve("tickets")).version == "scripted@0+tickets@1"
        for model, path in (("embedder", "chat/completions"), ("chat", "embeddings")):
            body = {"model": model, "messages": [{"role": "user", "content": "x"}]}
            answer = await server.post(f"/v1/{path}", body if "chat/" in path else {"model": model, "input": "x"})
            assert answer.status_code == 400 and "writes" in answer.json()["error"]["message"]


@in_loop
async def test_metrics_count_requests_tokens_and_refusals():
    async with Server() as server:
        await server.post("/v1/chat/completions", {"messages": [{"role": "user", "content": "a b c"}]})
        await server.post("/v1/chat/completions", {"messages": []})
        text = (await server.http.get("/metrics")).text
        assert 'llm_requests_total{endpoint="/v1/chat/completions",model="chat",status="200"} 1.0' in text
        assert 'llm_requests_total{endpoint="/v1/chat/completions",model="-",status="400"} 1.0' in text
        assert 'llm_tokens_total{kind="completion"} 4.0' in text
        assert 'llm_refused_total{reason="body"} 1.0' in text and 'llm_pages{state="used"} 3.0' in text
        assert "llm_first_token_seconds_count 1.0" in text and "llm_between_tokens_seconds_count 3.0" in text


@in_loop
async def test_the_page_talks_to_nobody_else():
    async with Server() as server:
        answer = await server.http.get("/")
        assert answer.status_code == 200 and "connect-src 'self'" in answer.headers["content-security-policy"]
        assert "http://" not in answer.text and "https://" not in answer.text and "innerHTML" not in answer.text
