"""How a call ended: for each outcome of the scripted service, and for bodies that a service may send by mistake."""

from __future__ import annotations

from typing import Any

import httpx2
import openai
import pytest
from openai.types.responses import Response

from helpers.old.hosted import Outcome, Scripted, client, how_it_ended

ENDED = {
    "answer": "whole",
    "refusal": "refused",
    "content_filter": "filtered",
    "commentary": "whole",
    "failed": "failed",
    "page": "failed",
}


@pytest.mark.parametrize("kind", ENDED)
def test_each_outcome_with_status_200_has_its_ending(kind: str) -> None:
    asking = client(Scripted([Outcome(kind, text="Well. Then go.", aside="Let me see. ", tokens=2)]))
    assert how_it_ended(asking.responses.create(model="nimbus-2", input="Hi")) == ENDED[kind]


def test_a_limit_and_a_tool_call() -> None:
    service = Scripted(["one two three", Outcome(text="x", reasoning=50), Outcome("tool_calls", calls=(("f", "{}"),))])
    create = client(service).responses.create
    endings = [how_it_ended(create(model="nimbus-2", input="Hi", max_output_tokens=2)) for _ in range(3)]
    assert endings == ["cut", "cut", "tool"]


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        ({"error": {"message": "overloaded"}}, "failed"),
        ({"status": "failed", "output": [], "usage": None}, "failed"),
        ({"status": "in_progress", "output": []}, "failed"),
        ({"status": "incomplete", "output": [], "incomplete_details": None}, "cut"),
        ({"status": "completed", "output": []}, "empty"),
        ({}, "failed"),
    ],
)
def test_bodies_of_services_that_err(body: dict[str, Any], ended: str) -> None:
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=body))
    asking = openai.OpenAI(api_key="x", base_url="http://x.invalid/v1", http_client=httpx2.Client(transport=transport))
    response = asking.responses.create(model="m", input="Hi")
    assert isinstance(response, Response) and how_it_ended(response) == ended
