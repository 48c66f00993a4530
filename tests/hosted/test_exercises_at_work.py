"""The exercises' functions do their work behind OpenAI's own client, not only on the inputs of their checks."""

from __future__ import annotations

import openai
import pytest

from helpers.exercises.checking import registry
from helpers.old.hosted import Outcome, Scripted, client, reconcile_invoice, reconciled_sums

ASKED = {"model": "nimbus-2", "messages": [{"role": "user", "content": "The motor of order VE-20017 is silent."}]}


def answer(name):
    return registry().load(name).answer.function


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
