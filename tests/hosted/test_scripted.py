"""The scripted service, asked by OpenAI's own client: each outcome, what is billed, and when."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import openai
import pytest

from helpers.old.hosted import KINDS, Outcome, Rates, Scripted, async_client, client, read_invoice

ASKED = {"model": "nimbus-2", "messages": [{"role": "user", "content": "Does the Heron float?"}]}


def test_a_script_is_answered_in_the_order_of_requests_and_then_by_the_service() -> None:
    service = Scripted(["No.", Outcome(text="Never.")], answer=lambda turns: turns[-1]["content"].upper())
    ask = client(service).chat.completions.create
    said = [ask(**ASKED).choices[0].message.content for _ in range(3)]
    assert said == ["No.", "Never.", "DOES THE HERON FLOAT?"]
    assert [sent["path"] for sent in service.requests] == ["/chat/completions"] * 3


def test_a_stream_breaks_behind_the_tokens_that_were_asked_for_and_is_billed_whole() -> None:
    service = Scripted([Outcome("cut_off", text="one two three four five", tokens=3)])
    asking = client(service, max_retries=5)
    got = []
    with pytest.raises(openai.APIConnectionError):
        for event in asking.chat.completions.create(**ASKED, stream=True):
            got.append(event.choices[0].delta.content or "")
    assert "".join(got) == "one two three"
    assert len(service.requests) == 1  # a stream that has begun is not tried again
    assert service.invoice.lines[0]["completion_tokens"] == 5


def test_work_that_was_done_is_billed_and_refused_requests_are_not() -> None:
    for kind, (billed, _) in KINDS.items():
        service = Scripted([Outcome(kind)])
        try:
            client(service, max_retries=0).chat.completions.create(**ASKED)
        except (openai.OpenAIError, ValueError):
            pass
        assert bool(service.invoice.lines) == billed, kind


def test_a_key_that_was_billed_gets_its_reply_again_for_free(tmp_path: Path) -> None:
    path = tmp_path / "invoice.jsonl"
    keyed = {"extra_headers": {"Idempotency-Key": "ticket-1"}}
    with pytest.raises(openai.APITimeoutError):
        client(Scripted([Outcome("timeout")], invoice=path), max_retries=0).chat.completions.create(**ASKED, **keyed)
    later = Scripted(invoice=path)  # the client's process ended, the service remembers
    reply = client(later, max_retries=0).chat.completions.create(**ASKED, **keyed)
    assert reply.choices[0].message.content.startswith("Thank you")
    assert [line["key"] for line in read_invoice(path)] == ["ticket-1"]
    client(Scripted(invoice=path, honors_keys=False)).chat.completions.create(**ASKED, **keyed)
    assert len(read_invoice(path)) == 2


def test_a_torn_line_of_the_invoice_is_left_out_and_written_over(tmp_path: Path) -> None:
    path = tmp_path / "invoice.jsonl"
    client(Scripted(invoice=path)).chat.completions.create(**ASKED)
    path.write_text(path.read_text() + '{"request": "req_0')
    assert len(read_invoice(path)) == 1
    client(Scripted(invoice=path)).chat.completions.create(**ASKED)
    assert [json.loads(line)["request"] for line in path.read_text().splitlines()] == ["req_000000", "req_000001"]


def test_time_passes_without_waiting_and_side_by_side_it_passes_once() -> None:
    service = Scripted([Outcome("timeout")])
    with pytest.raises(openai.APITimeoutError):
        client(service, max_retries=0).chat.completions.create(**ASKED)
    assert service.clock.now() == 600  # the client's own default

    service = Scripted(first=1.0, per_token=0.0)

    async def sixteen() -> None:
        ask = async_client(service).chat.completions.create
        await asyncio.gather(*(ask(**ASKED) for _ in range(16)))

    asyncio.run(sixteen())
    assert len(service.requests) == 16 and service.clock.now() == pytest.approx(1.0)


def test_drawn_failures_do_not_depend_on_the_order_of_requests() -> None:
    rates = {"rate_limited": 0.3, "server_error": 0.2}
    bodies = [{"messages": [{"role": "user", "content": str(n)}]} for n in range(400)]
    there, back = Rates(rates, seed=1), Rates(rates, seed=1)
    forward = [there(0, body).kind for body in bodies]
    assert forward == [back(0, body).kind for body in reversed(bodies)][::-1]
    assert forward != [there(0, body).kind for body in bodies]  # a second try is a new draw
    assert 90 < forward.count("rate_limited") < 150 and 50 < forward.count("server_error") < 110


def test_a_timeout_is_a_limit_on_silence_and_not_on_the_whole() -> None:
    asking = client(Scripted(answer=lambda turns: " ".join(["word"] * 2000)), timeout=20, max_retries=0)
    with pytest.raises(openai.APITimeoutError):
        asking.chat.completions.create(**ASKED)
    assert len(list(asking.chat.completions.create(**ASKED, stream=True))) > 2000
