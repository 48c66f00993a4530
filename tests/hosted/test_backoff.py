"""Waits are random from zero to a doubling ceiling, never earlier than the server allows, never past the deadline."""

from __future__ import annotations

import math

import pytest

from helpers.old.hosted import backoff_schedule, retry_after_seconds, wait_after


def test_the_ceiling_doubles_up_to_the_cap():
    assert [wait_after(n, 1.0) for n in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert wait_after(5000, 1.0) == 8, "no overflow"


def test_the_whole_wait_is_random():
    assert wait_after(4, 0.0) == 0.0
    assert wait_after(4, 0.25) == 1.0


def test_the_server_is_obeyed_beyond_the_cap_and_its_clients_are_spread():
    assert wait_after(1, 0.0, retry_after=30.0) == 30.0
    assert wait_after(1, 1.0, retry_after=30.0) == 30.5


def test_without_a_failure_there_is_nothing_to_wait_for():
    with pytest.raises(ValueError, match="0 failures"):
        wait_after(0, 0.5)


def test_a_wait_that_would_pass_the_deadline_is_not_begun():
    asked, draws = [None] * 5, [1.0] * 5
    assert backoff_schedule(asked, draws) == [0.5, 1, 2, 4, 8]
    assert backoff_schedule(asked, draws, deadline=7.5) == [0.5, 1, 2, 4], "exactly the deadline is allowed"
    assert backoff_schedule(asked, draws, deadline=7.4) == [0.5, 1, 2]
    assert backoff_schedule([None, 100.0, None], [0.0] * 3) == [0.0], "no shorter wait follows a refused one"
    assert backoff_schedule([math.inf], [0.5]) == []
    assert backoff_schedule([], []) == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:01:40 GMT"}, 90.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:05 GMT"}, 0.0),
        ({"Retry-After": "1e999"}, math.inf),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "tomorrow"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
)
def test_what_the_headers_ask_for(headers, seconds):
    assert retry_after_seconds(headers, now=10.0) == seconds
