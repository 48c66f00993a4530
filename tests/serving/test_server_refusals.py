"""What a server refuses, and how: keys, limits, full queues, bodies that make no sense, clients that go away."""

from __future__ import annotations

import asyncio
import json
import logging

import httpx2
import openai
import pytest

from helpers.old.serving.keys import Keys, add_key
from tests.serving.scripted import ScriptedWorker, Server, in_loop

CHAT = "/v1/chat/completions"


def says(text: str, **options) -> dict:
    return {"messages": [{"role": "user", "content": text}]} | options


# Keys ----------------------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_kept_as_a_hash(tmp_path):
    file = tmp_path / "keys.json"
    anna, ben = add_key(file, "anna", requests_per_minute=2), add_key(file, "ben")
    assert anna not in file.read_text() and ben not in file.read_text()
    keys = Keys.read(file)
    assert keys.owner(f"Bearer {anna}").name == "anna" and keys.owner(f"bearer {ben}").name == "ben"
    for wrong in (None, "", anna, f"Basic {anna}", f"Bearer {anna}x", "Bearer ", "Bearer \ud800"):
        assert keys.owner(wrong) is None
    with pytest.raises(ValueError, match="already"):
        add_key(file, "anna")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": [{"nam": 1}]}', '{"keys": 3}'])
def test_a_damaged_file_of_keys_is_refused_in_one_sentence(tmp_path, text):
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(ValueError, match=r"keys\.json is no file of keys"):
        Keys.read(tmp_path / "keys.json")


@in_loop
async def test_without_its_key_nothing_is_answered_and_nobody_sees_anothers_responses(tmp_path):
    file = tmp_path / "keys.json"
    anna, ben = add_key(file, "anna"), add_key(file, "ben")
    async with Server(keys_file=file) as server:
        for path in ("/v1/models", CHAT):
            answer = await server.http.request("GET" if path.endswith("models") else "POST", path)
            assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        with pytest.raises(openai.AuthenticationError, match="not known"):
            await server.client("wrong").models.list()
        made = await server.client(anna).responses.create(model="chat", input="secret")
        with pytest.raises(openai.NotFoundError):
            await server.client(ben).responses.retrieve(made.id)
        with pytest.raises(openai.NotFoundError):
            await server.client(ben).responses.create(model="chat", input="x", previous_response_id=made.id)
        assert (await server.http.get("/health")).status_code == 200
        assert (await server.client(anna).responses.retrieve(made.id)).output_text == "secret"


# Limits --------------------------------------------------------------------------------------------------------------


@in_loop
async def test_requests_beyond_the_limit_are_told_when_to_come_back_and_other_keys_go_on(tmp_path):
    file = tmp_path / "keys.json"
    anna, ben = add_key(file, "anna", requests_per_minute=2), add_key(file, "ben")
    async with Server(keys_file=file) as server:
        left = []
        for _ in range(2):
            answer = await server.post(CHAT, says("x"), headers={"Authorization": f"Bearer {anna}"})
            left.append(answer.headers["x-ratelimit-remaining-requests"])
        assert left == ["1", "0"]
        with pytest.raises(openai.RateLimitError) as refused:
            await server.client(anna).chat.completions.create(model="chat", **says("x"))
        assert 1 <= int(refused.value.response.headers["retry-after"]) <= 60
        assert refused.value.code == "rate_limit_exceeded"
        assert await server.client(ben).chat.completions.create(model="chat", **says("x"))
        assert len(server.worker.asks) == 3


@in_loop
async def test_tokens_are_reserved_and_those_that_were_not_written_given_back():
    async with Server(tokens_per_minute=200) as server:
        first = await server.post(CHAT, says("a b", max_tokens=100))
        used = first.json()["usage"]["total_tokens"]
        second = await server.post(CHAT, says("a b", max_tokens=100))
        assert second.headers["x-ratelimit-remaining-tokens"] == str(200 - used - used - 100 + 3)
        third = await server.post(CHAT, says("a b", max_tokens=150))
        assert third.status_code == 429 and "tokens per minute" in third.json()["error"]["message"]
        never = await server.post(CHAT, says("a b", max_tokens=500))
        assert never.status_code == 400 and "retry-after" not in never.headers


@in_loop
async def test_a_full_queue_is_503_with_retry_after_before_any_stream_begins():
    async with Server(ScriptedWorker(seconds=0.02, slots=1), retry_seconds=3) as server:
        first = asyncio.create_task(server.post(CHAT, says("a b c d e f")))
        await asyncio.sleep(0.05)
        for options in ({}, {"stream": True}, {"n": 2}):
            answer = await server.post(CHAT, says("x", **options))
            assert answer.status_code == 503 and answer.headers["retry-after"] == "3", answer.text
            assert answer.json()["error"]["code"] == "queue_full"
        assert (await first).status_code == 200
        assert (await server.post(CHAT, says("x", n=2))).status_code == 503, "the second of two finds no place"
        assert server.worker.running == 0


@in_loop
async def test_a_reply_that_takes_too_long_is_broken_off_and_frees_its_place():
    async with Server(ScriptedWorker(reply=lambda prompt: "word " * 99, seconds=0.02), request_seconds=0.2) as server:
        whole = await server.post(CHAT, says("x"))
        stream = await server.post(CHAT, says("x", stream=True))
        assert whole.status_code == 504 and '"code":"timeout"' in stream.text
        assert server.worker.running == 0


# Bodies --------------------------------------------------------------------------------------------------------------

WRONG = {
    "no messages": ({}, "messages"),
    "empty messages": ({"messages": []}, "messages"),
    "unknown argument": (says("x", guided_json={}), "guided_json"),
    "unknown role": ({"messages": [{"role": "boss", "content": "x"}]}, "role"),
    "negative tokens": (says("x", max_tokens=-1), "max_tokens"),
    "tokens as text": (says("x", max_tokens="5"), "max_tokens"),
    "tokens as true": (says("x", max_tokens=True), "max_tokens"),
    "too many tokens": (says("x", max_tokens=5000), "2,048"),
    "hot": (says("x", temperature=3), "temperature"),
    "n": (says("x", n=100), "n is at most 8"),
    "penalty": (says("x", presence_penalty=0.5), "penalties"),
    "bias": (says("x", logit_bias={"5": 1}), "logit_bias"),
    "huge seed": (says("x", seed=2**70), "seed"),
    "empty stop": (says("x", stop=[""]), "stop"),
    "picture": ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "image_url"),
    "surrogate": (says("\ud800"), "content"),
    "schema of any": (says("x", response_format={"type": "json_schema", "json_schema": {"schema": {}}}), "schema"),
    "schema of nonsense": (
        says("x", response_format={"type": "json_schema", "json_schema": {"schema": {"type": {"a": 1}}}}),
        "schema",
    ),
    "no schema": (says("x", response_format={"type": "json_schema"}), "json_schema"),
    "tool without name": (says("x", tools=[{"type": "function", "function": {}}]), "tools"),
    "tool of nonsense": (
        says("x", tools=[{"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": 1}}}}]),
        "parameter",
    ),
    "tool of a strange choice": (
        says(
            "x",
            tools=[{"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": {"enum": 5}}}}}],
        ),
        "",
    ),
    "unknown choice": (says("x", tool_choice="required"), "tool_choice"),
    "old arguments": (
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "["}}]}]},
        "arguments",
    ),
}


@in_loop
async def test_what_makes_no_sense_is_named_in_one_sentence():
    async with Server() as server:
        for name, (body, said) in WRONG.items():
            answer = await server.http.post(
                CHAT, content=json.dumps(body), headers={"content-type": "application/json"}
            )
            error = answer.json()["error"]
            assert answer.status_code == 400 and said in f"{error['message']} {error['param']}", (name, answer.text)
            assert "\n" not in error["message"] and set(error) == {"message", "type", "param", "code"}
        assert not server.worker.asks


RAW = {
    "broken JSON": (b'{"messages": [', 400),
    "invalid UTF-8": (b'{"messages": "\xff\xfe"}', 400),
    "no body": (b"", 400),
    "a list": (b"[]", 400),
    "not a number": (b'{"messages": [{"role": "user", "content": "x"}], "temperature": NaN}', 400),
    "deep": (b"[" * 100_000, 400),
    "ten megabytes": (b'{"messages": "' + b"x" * 10_000_000 + b'"}', 413),
}


@in_loop
async def test_bodies_that_are_no_request_are_refused():
    async with Server() as server:
        for name, (content, status) in RAW.items():
            answer = await server.http.post(CHAT, content=content, headers={"content-type": "application/json"})
            assert answer.status_code == status and answer.json()["error"]["message"], (name, answer.text)
        text = await server.http.post(CHAT, content=b"{}", headers={"content-type": "text/plain"})
        assert text.status_code == 415
        unknown = await server.post(CHAT, says("x", model="gpt-9"))
        assert unknown.status_code == 404 and unknown.json()["error"]["code"] == "model_not_found"
        assert (await server.http.get("/v2")).json()["error"]["message"] == "There is nothing at this address."
        assert (await server.http.get(CHAT)).status_code == 405


@in_loop
async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("helpers.old.serving.app.BODY_SECONDS", 0.1)

    async def slow():
        yield b"{"
        await asyncio.sleep(5)

    async with Server() as server:
        answer = await server.http.post(CHAT, content=slow(), headers={"content-type": "application/json"})
        assert answer.status_code == 408


# Clients that go away, and what is written down ----------------------------------------------------------------------


async def visit_and_leave(server: Server, body: dict, after: int) -> list[dict]:
    """Speak ASGI to the application, and hang up once it has sent so many messages."""
    sent, gone = [], asyncio.Event()
    content = json.dumps(body).encode()
    messages = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive():
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)
        if len(sent) >= after:
            gone.set()

    if after == 0:
        asyncio.get_running_loop().call_later(0.05, gone.set)
    headers = [(b"content-type", b"application/json"), (b"host", b"server")]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": CHAT}
    scope |= {"raw_path": CHAT.encode(), "query_string": b"", "headers": headers, "scheme": "http", "root_path": ""}
    scope |= {"client": ("127.0.0.1", 1), "server": ("server", 80)}
    await server.app(scope, receive, send)
    return sent


@in_loop
async def test_a_client_that_hangs_up_frees_its_place_streaming_or_not():
    async with Server(ScriptedWorker(reply=lambda prompt: "word " * 200, seconds=0.01)) as server:
        assert not await visit_and_leave(server, says("x", n=2), after=0)
        await asyncio.sleep(0)
        assert server.worker.running == 0 and server.worker.hung_up == 2
        sent = await visit_and_leave(server, says("x", stream=True), after=4)
        await asyncio.sleep(0.05)
        assert len(sent) < 20 and server.worker.running == 0 and server.worker.hung_up == 3
        text = (await server.http.get("/metrics")).text
        assert "llm_hangups_total 2.0" in text and 'status="499"' in text


@in_loop
async def test_the_log_has_a_line_for_each_request_and_no_text_of_it(caplog):
    caplog.set_level(logging.INFO, "helpers.old.serving")
    async with Server() as server:
        answer = await server.post(CHAT, says("my secret order VE-48213"), headers={"x-request-id": "trace-7"})
        assert answer.headers["x-request-id"] == "trace-7"
        forged = await server.post(CHAT, says("x"), headers={"x-request-id": 'a"b\\c'})
        assert forged.headers["x-request-id"] != 'a"b\\c'
        await server.post(CHAT, says("secret", max_tokens=-5))
    lines = [record.fields for record in caplog.records if record.name == "helpers.old.serving"]
    assert [line["status"] for line in lines] == [200, 200, 400]
    line, usage = lines[0], answer.json()["usage"]
    assert (line["request_id"], line["model"], line["version"]) == ("trace-7", "chat", "scripted@0")
    assert line["completion_tokens"] == usage["completion_tokens"] and line["finish"] == "stop"
    assert "secret" not in caplog.text and "secret" not in json.dumps(lines)


@in_loop
async def test_a_defect_of_the_server_is_500_with_an_id_and_without_details(monkeypatch):
    async with Server() as server:
        monkeypatch.setattr(server.app.state.service.prompts, "chat", lambda *a: 1 / 0)
        answer = await server.post(CHAT, says("x"))
        assert answer.status_code == 500 and answer.headers["x-request-id"] in answer.json()["error"]["message"]
        assert "ZeroDivision" not in answer.text


@in_loop
async def test_before_the_models_are_loaded_and_after_the_end_the_server_is_alive_but_not_ready():
    from helpers.old.serving.app import create_app
    from helpers.old.serving.settings import Settings
    from tests.serving.scripted import scripted_backend

    ready = asyncio.Event()
    loop = asyncio.get_running_loop()

    def load(settings):
        asyncio.run_coroutine_threadsafe(ready.wait(), loop).result(10)
        return scripted_backend()

    app = create_app(Settings(), load)
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://server")
    async with http, app.router.lifespan_context(app):
        assert (await http.get("/health")).status_code == 200
        assert (await http.get("/ready")).status_code == 503
        refused = await http.post(CHAT, json=says("x"))
        assert refused.status_code == 503 and "loading" in refused.json()["error"]["message"]
        ready.set()
        while (await http.get("/ready")).status_code != 200:
            await asyncio.sleep(0.01)
        assert (await http.post(CHAT, json=says("x"))).status_code == 200
        await app.state.service.close()
        refused = await http.post(CHAT, json=says("x"))
        assert refused.status_code == 503 and "shutting down" in refused.json()["error"]["message"]
        assert (await http.get("/ready")).status_code == 503 and (await http.get("/health")).status_code == 200
