"""What the exercises of 06b teach is what the runner does."""

from __future__ import annotations

import httpx2
import openai
import pytest

from helpers.exercises.checking import registry
from helpers.old.hosted.retries import what_happened

REQUEST = httpx2.Request("POST", "http://testserver/v1/chat/completions")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((status, None) for status in (400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 529)),
        (429, "insufficient_quota"),
        (429, "rate_limit_exceeded"),
        (404, "model_not_found"),
    ],
)
def test_the_runner_sends_again_what_is_worth_it(status, code):
    response = httpx2.Response(status, request=REQUEST)
    error = openai.APIStatusError("refused", response=response, body={"code": code})
    again = what_happened(error) in ("again", "unsure")
    assert registry()["worth_retrying"].reference(status, code) is again


def test_no_reply_is_worth_another_try():
    for error in (openai.APITimeoutError(request=REQUEST), openai.APIConnectionError(request=REQUEST)):
        assert what_happened(error) in ("again", "unsure")
    assert registry()["worth_retrying"].reference(None) is True
