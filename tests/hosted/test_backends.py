"""The client for each back end: which one is chosen, what is refused, and that no key is ever shown."""

from __future__ import annotations

import asyncio
import json
import os
import signal

import httpx2
import openai
import pytest

from helpers.old.hosted import (
    Allowance,
    HostedRefused,
    NotAllowed,
    Outcome,
    Scripted,
    UnknownModel,
    async_client,
    backends,
    chosen_backend,
    client,
    local_server,
    model_name,
    price_of,
)

KEY = "sk-never-to-be-seen-0123456789"


@pytest.fixture(autouse=True)
def clean(monkeypatch) -> None:
    for name in (
        "HANDS_ON_BACKEND",
        "HANDS_ON_ALLOW_PAID",
        "HANDS_ON_VENDOR",
        "HANDS_ON_HOSTED_MODEL",
        "OPENAI_API_KEY",
    ):
        monkeypatch.delenv(name, raising=False)


def test_the_environment_chooses_and_a_word_overrules_it(monkeypatch) -> None:
    assert chosen_backend() == "local"
    monkeypatch.setenv("HANDS_ON_BACKEND", "scripted")
    assert chosen_backend() == "scripted" and chosen_backend("hosted") == "hosted"
    monkeypatch.setenv("HANDS_ON_BACKEND", "cloud")
    with pytest.raises(ValueError, match="one of local, scripted, hosted, not 'cloud'"):
        client()


def test_timeout_and_retries_reach_the_client_and_are_shown(capsys) -> None:
    asking = client("scripted", script=["Hi"], timeout=7, max_retries=0)
    assert asking.timeout == 7 and asking.max_retries == 0
    assert "timeout 7 s, 0 retries" in capsys.readouterr().out
    client("scripted")
    assert "timeout 600 s, 2 retries" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("paid", "key", "said"),
    [
        (None, None, "HANDS_ON_ALLOW_PAID"),
        (None, KEY, "HANDS_ON_ALLOW_PAID"),
        ("1", None, "OPENAI_API_KEY"),
        ("yes", KEY, "=1"),
    ],
)
def test_a_paid_service_needs_both_consents(monkeypatch, paid, key, said) -> None:
    for name, value in (("HANDS_ON_ALLOW_PAID", paid), ("OPENAI_API_KEY", key)):
        if value:
            monkeypatch.setenv(name, value)
    with pytest.raises(HostedRefused, match=said) as refused:
        client("hosted")
    assert KEY not in str(refused.value)


def paying(monkeypatch, service: Scripted, **options) -> openai.OpenAI:
    """A client of the paid back end, whose network is a scripted service."""
    monkeypatch.setenv("HANDS_ON_ALLOW_PAID", "1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(openai, "DefaultHttpxClient", lambda **_: httpx2.Client(transport=service))
    return client("hosted", **options)


def test_a_paid_service_is_told_with_its_bound_and_without_its_key(monkeypatch, capsys, caplog) -> None:
    caplog.set_level("DEBUG")
    service = Scripted(models=(model_name("chat", "hosted"),), key=KEY)
    asking = paying(monkeypatch, service, dollars=0.01, max_retries=0)
    asked = {"model": model_name("chat", "hosted"), "messages": [{"role": "user", "content": "Hi"}]}
    reply = asking.chat.completions.create(**asked, max_completion_tokens=40)
    told = capsys.readouterr()
    assert "hosted, OpenAI at https://api.openai.com/v1, for $0.01 at most" in told.out
    shown = told.out + told.err + caplog.text + repr(asking) + repr(reply) + json.dumps(service.requests)
    assert KEY not in shown


def test_a_request_beyond_the_bound_or_without_one_is_not_sent(monkeypatch) -> None:
    model = model_name("chat", "hosted")
    service = Scripted(models=(model,), key=KEY)
    asking = paying(monkeypatch, service, dollars=0.0005)
    asked = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
    asking.chat.completions.create(**asked, max_completion_tokens=100)
    with pytest.raises(NotAllowed, match="could cost"):
        asking.chat.completions.create(**asked, max_completion_tokens=10_000)
    with pytest.raises(NotAllowed, match="without a limit"):
        asking.chat.completions.create(**asked)
    with pytest.raises(UnknownModel):
        asking.chat.completions.create(**asked | {"model": "gpt-99"}, max_completion_tokens=5)
    assert len(service.requests) == 1
    assert service.invoice.total < 0.0005


def test_each_retry_of_the_client_takes_its_worst_case(monkeypatch) -> None:
    model = model_name("chat", "hosted")
    service = Scripted([Outcome("server_error")] * 9, models=(model,), key=KEY)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    asking = paying(monkeypatch, service, dollars=2.5 * price_of(model).worst(100, 1000), max_retries=8)
    with pytest.raises(NotAllowed):
        asking.responses.create(model=model, input="Hi", max_output_tokens=1000)
    assert len(service.requests) == 2


def test_the_bound_counts_what_a_service_remembers() -> None:
    allowance = Allowance(1.0, price_of)

    def spent(body: dict) -> float:
        before = allowance.left
        allowance.reserve(httpx2.Request("POST", "https://x/v1/responses", json={"model": "nimbus-2"} | body))
        return before - allowance.left

    first = spent({"input": "a" * 5000, "max_output_tokens": 50})
    assert first >= price_of("nimbus-2").worst(5000, 50)
    after = spent({"input": "b", "max_output_tokens": 50, "previous_response_id": "resp_1"})
    assert after > first  # the earlier request and its reply are read again


def test_wrong_key_retired_model_and_malformed_json_are_different_errors() -> None:
    service = Scripted([Outcome("malformed")])
    wrong = openai.OpenAI(
        api_key="wrong", base_url=service.base_url, http_client=httpx2.Client(transport=service), max_retries=0
    )
    asked = {"messages": [{"role": "user", "content": "Hi"}]}
    with pytest.raises(openai.AuthenticationError):
        wrong.chat.completions.create(model="nimbus-2", **asked)
    with pytest.raises(openai.NotFoundError, match="retired"):
        client(service).chat.completions.create(model="nimbus-1", **asked)
    service = Scripted([Outcome("malformed")])
    with pytest.raises(json.JSONDecodeError):  # not one of the client's own errors
        client(service).chat.completions.create(model="nimbus-2", **asked)


def test_the_same_holds_for_asyncio() -> None:
    async def ask() -> str:
        reply = await async_client(Scripted(["Yes."])).responses.create(model="nimbus-2", input="Hi")
        return reply.output_text

    assert asyncio.run(ask()) == "Yes."


@pytest.fixture
def tiny_server(monkeypatch):
    """The course's server around a scripted engine, so that it starts at once."""
    monkeypatch.setattr(backends, "_server", None)
    server = local_server(port=0, module="tests.serving.serve_scripted")
    yield server
    server.kill()


def test_the_local_server_is_started_once_and_again_when_it_was_killed(tiny_server, capsys) -> None:
    first, second = client(), client("local")
    assert first.base_url == second.base_url and local_server() is tiny_server
    assert "back end: local, the course's server at http://127.0.0.1:" in capsys.readouterr().out
    assert [model.id for model in first.models.list()]
    stream = first.chat.completions.create(
        model="chat", messages=[{"role": "user", "content": "Be stubborn."}], stream=True, max_tokens=2000
    )
    next(iter(stream))
    os.kill(tiny_server.pid, signal.SIGKILL)
    with pytest.raises(openai.APIConnectionError):
        list(stream)
    tiny_server.process.wait()
    assert local_server(port=0, module="tests.serving.serve_scripted") is not tiny_server
    backends._server.kill()
