"""Each failure of the scripted service, named; and the breaker through its three states."""

from __future__ import annotations

import httpx2
import openai
import pytest

from helpers.old.hosted.backends import client
from helpers.old.hosted.outcomes import Outcome
from helpers.old.hosted.retries import BrokenReply, CircuitBreaker, asked_to_wait, is_ill, what_happened
from helpers.old.hosted.scripted import Scripted

ASKED = {"model": "nimbus-2", "messages": [{"role": "user", "content": "Hello"}]}


def error_of(kind: str, **options) -> Exception:
    """What the official client raises, without a retry, while a reply of this kind is streamed."""
    with pytest.raises((openai.APIError, ValueError)) as raised:
        asking = client(Scripted([Outcome(kind)]), max_retries=0, **options)
        list(asking.chat.completions.create(**ASKED, stream=True))
    return raised.value


@pytest.mark.parametrize(
    ("kind", "happened"),
    [
        ("rate_limited", "again"),
        ("server_error", "again"),
        ("overloaded", "again"),
        ("unreachable", "again"),
        ("timeout", "unsure"),
        ("cut_off", "unsure"),
    ],
)
def test_what_a_failure_leaves_us_with(kind, happened):
    assert what_happened(error_of(kind)) == happened


def test_a_body_that_is_no_json_and_a_reply_without_an_end_may_have_been_billed():
    assert what_happened(BrokenReply("…")) == what_happened(ValueError("no JSON")) == "unsure"


def refused(status: int, code: str | None = None) -> openai.APIStatusError:
    request = httpx2.Request("POST", "http://x/v1")
    response = httpx2.Response(status, request=request, headers={"retry-after": "7"})
    return openai.APIStatusError("no", response=response, body={"code": code})


@pytest.mark.parametrize(
    ("status", "happened"),
    [
        (400, "failed"),
        (413, "failed"),
        (422, "failed"),
        (401, "stop"),
        (403, "stop"),
        (404, "stop"),
        (408, "again"),
        (409, "again"),
        (502, "again"),
        (504, "unsure"),
    ],
)
def test_statuses(status, happened):
    assert what_happened(refused(status)) == happened


def test_what_says_that_the_service_is_ill():
    ill = [error_of(kind) for kind in ("server_error", "overloaded", "unreachable", "timeout", "cut_off")]
    assert all(map(is_ill, ill)) and is_ill(BrokenReply("…"))
    assert not any(is_ill(refused(status)) for status in (400, 401, 404, 429))


def test_no_money_left_is_no_rate_limit():
    assert what_happened(refused(429)) == "again" and what_happened(refused(429, "insufficient_quota")) == "stop"


def test_what_the_service_asked_for():
    assert asked_to_wait(refused(429)) == 7 and asked_to_wait(ValueError()) is None
    assert asked_to_wait(error_of("rate_limited")) == 1.0


def test_the_breaker_opens_rests_tries_once_and_closes():
    breaker = CircuitBreaker(failures=3, rest=10)
    for _ in range(2):
        breaker.failed(0)
    breaker.succeeded()  # not in a row
    for _ in range(2):
        breaker.failed(0)
    assert breaker.state == "closed" and breaker.wait(0) == 0
    breaker.failed(1)
    assert breaker.state == "open" and breaker.wait(5) == 6 and breaker.opened == 1
    assert breaker.wait(11) == 0 and breaker.state == "half open"
    assert breaker.wait(11) > 0  # one at a time
    breaker.failed(12)
    assert breaker.wait(12) == 10 and breaker.opened == 2
    assert breaker.wait(22) == 0
    breaker.succeeded()
    assert breaker.state == "closed" and breaker.wait(22) == 0


def test_refusals_do_not_hide_that_the_service_is_half_down():
    breaker, opened_after = CircuitBreaker(failures=5, rest=10), 0
    for number in range(1, 101):  # four failures, one 429, and so on
        breaker.refused() if number % 5 == 0 else breaker.failed(0)
        if breaker.state == "open":
            opened_after = number
            break
    assert opened_after == 6
    breaker.refused()  # of a request that was under way
    assert breaker.state == "open" and breaker.wait(10) == 0 and breaker.state == "half open"
    breaker.refused()
    assert breaker.state == "closed" and breaker.wait(10) == 0
    breaker.failed(11)
    assert breaker.state == "open"


def test_failures_of_requests_that_were_under_way_do_not_lengthen_the_rest():
    breaker = CircuitBreaker(failures=1, rest=10)
    breaker.failed(0)
    breaker.failed(9)
    assert breaker.wait(9) == 1


def test_a_breaker_that_makes_no_sense():
    with pytest.raises(ValueError):
        CircuitBreaker(failures=0)
