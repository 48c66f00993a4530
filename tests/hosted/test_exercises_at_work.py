"""The exercises' functions do their work behind OpenAI's own client, not only on the inputs of their checks."""

from __future__ import annotations

import openai
import pytest

from helpers.exercises.checking import registry
from helpers.old.hosted import Outcome, Scripted, client, reconcile_invoice, reconciled_sums

ASKED = {"model": "nimbus-2", "messages": [{"role": "user", "content": "The motor of order VE-20017 is silent."}]}
CALLS = (("order_info", '{"order": "VE-20017"}'), ("shop_price", '{"thing": "bell"}'))


def answer(name):
    return registry().load(name).answer.function


def streamed(outcome, **more):
    service = Scripted([outcome])
    stream = client(service, max_retries=0).chat.completions.create(stream=True, **ASKED, **more)
    return answer("collect_stream")(stream)


def test_a_streamed_reply_is_collected_with_its_usage_chunk():
    found = streamed("Please send us a photo.", stream_options={"include_usage": True})
    assert found == {"text": "Please send us a photo.", "calls": [], "finish_reason": "stop", "error": None}


def test_a_stream_that_is_cut_off_keeps_its_beginning():
    found = streamed(Outcome("cut_off", tokens=20))
    whole = streamed(Outcome())["text"]
    assert found["error"] == "APIConnectionError" and found["finish_reason"] is None
    assert found["text"] and whole.startswith(found["text"]) and len(found["text"]) < len(whole)


def test_tool_calls_are_put_together():
    found = streamed(Outcome("tool_calls", calls=CALLS))
    assert [(call["name"], call["arguments"]) for call in found["calls"]] == list(CALLS)
    assert found["finish_reason"] == "tool_calls" and all(call["id"] for call in found["calls"])


@pytest.mark.parametrize(("pay", "billed"), [("answer", 1), ("planted", 2)])
def test_a_lost_reply_is_paid_once_with_a_kept_key_and_twice_without(pay, billed):
    service = Scripted([Outcome("timeout"), "Done."])
    calls, journal = client(service, max_retries=0), []

    def send(request, key):
        journal.append({"item": "T1", "key": key, "outcome": None})
        try:
            reply = calls.chat.completions.create(**request, extra_headers={"Idempotency-Key": key})
        except openai.APITimeoutError as error:
            raise TimeoutError from error
        journal[-1]["outcome"] = "done"
        return reply.choices[0].message.content

    function = getattr(registry().load("pay_once"), pay).function
    assert function("night", "T1", ASKED, send)
    assert len(service.requests) == 2 and len(service.invoice.lines) == billed
    found = answer("reconcile_invoice")(journal, service.invoice.lines)
    assert found == reconcile_invoice(journal, service.invoice.lines)
    assert (set(found["once"]), set(found["twice"])) == ({"T1"}, {"T1"} if billed == 2 else set())
    assert reconciled_sums(found)["total"] == pytest.approx(service.invoice.total, abs=1e-12)


def test_a_call_costs_at_most_what_its_worst_case_says():
    price = {"input": 3.0, "output": 9.0, "cached": 0.3}
    service = Scripted(
        [Outcome("timeout")] * 2,
        price=lambda model, prompt, cached, completion: (
            (prompt - cached) * price["input"] + cached * price["cached"] + completion * price["output"]
        ) / 1e6,
    )  # fmt: skip
    calls = client(service, max_retries=0)
    for _ in range(2):
        with pytest.raises(openai.APITimeoutError):
            calls.chat.completions.create(**ASKED, max_completion_tokens=20)
    reply = calls.chat.completions.create(**ASKED, max_completion_tokens=20)
    worst = answer("worst_case_cost")(reply.usage.prompt_tokens, 20, price, retries=2)
    once = answer("worst_case_cost")(reply.usage.prompt_tokens, 20, price, retries=0)
    assert once < service.invoice.total <= worst
