"""The client for each back end: which one is chosen, what is refused, and that no key is ever shown."""

from __future__ import annotations

import asyncio
import json

import httpx2
import openai
import pytest

from helpers.old.hosted import (
    HostedRefused,
    NotAllowed,
    Outcome,
    Scripted,
    UnknownModel,
    async_client,
    client,
    model_name,
    price_of,
)

KEY = "sk-never-to-be-seen-0123456789"


@pytest.fixture(autouse=True)
def clean(monkeypatch) -> None:
    for name in ("HANDS_ON_ALLOW_PAID", "HANDS_ON_HOSTED_MODEL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_another_back_end_is_refused() -> None:
    with pytest.raises(ValueError, match="not 'cloud'"):
        client("cloud")


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
        asking.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=1000
        )
    assert len(service.requests) == 2


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
        asked = [{"role": "user", "content": "Hi"}]
        reply = await async_client(Scripted(["Yes."])).chat.completions.create(model="nimbus-2", messages=asked)
        return reply.choices[0].message.content

    assert asyncio.run(ask()) == "Yes."
