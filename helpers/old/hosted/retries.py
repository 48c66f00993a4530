"""Which failures are worth another try, and when nobody should try at all.

    what_happened(error)                  # "again", "unsure", "failed" or "stop"
    breaker = CircuitBreaker(failures=5, rest=10.0)
    breaker.wait(now)                     # seconds until a request may be sent; 0 while all is well
    breaker.succeeded(), breaker.refused(), breaker.failed(now)

How long to wait after a failure is `helpers.old.hosted.backoff`. What OpenAI's client does by itself (`max_retries`, 2
by default) repeats 408, 409, 429, 5xx, timeouts and lost connections, with waits of 0.5 to 8 seconds. It does not
repeat a stream that breaks, sends no Idempotency-Key, counts no money, and forgets all of it when its process ends.
"""

from __future__ import annotations

import time

import httpx2
import openai

from helpers.old.hosted.backoff import retry_after_seconds
from helpers.old.hosted.journal import AGAIN, FAILED, UNSURE

GATEWAY_TIMEOUTS = (504, 524)  # the gateway no longer waits; the service behind it may have done the work
STOP = "stop"  # no other request of this job would do better


class BrokenReply(RuntimeError):
    """A reply that ended without a finish_reason, or that could not be read."""


def what_happened(error: Exception) -> str:
    """What a failed request leaves us with.

    "again": refused before any work was done (429, 5xx, no connection). "unsure": the work may have been done and
    billed (a timeout, here or at a gateway, a stream that broke, a reply that cannot be read). "failed": this request
    would be refused again (400, 413, 422 …). "stop": so would every other one (no valid key, no such model, nothing
    left to pay with).
    """
    if isinstance(error, openai.APIStatusError):
        if error.status_code in (401, 403, 404) or error.code == "insufficient_quota":
            return STOP
        if error.status_code in GATEWAY_TIMEOUTS:
            return UNSURE
        return AGAIN if error.status_code in (408, 409, 429) or error.status_code >= 500 else FAILED
    return AGAIN if _never_connected(error) else UNSURE


def is_ill(error: Exception) -> bool:
    """Does this failure say that the service is not well (5xx, no reply)? A refusal such as 429 says that it is."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code >= 500
    return True


def asked_to_wait(error: Exception) -> float | None:
    """Seconds that the service asked for (Retry-After), None where it asked for none."""
    if isinstance(error, openai.APIStatusError):
        return retry_after_seconds(error.response.headers, time.time())
    return None


def _never_connected(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout):
            return True
        error = error.__cause__
    return False


class CircuitBreaker:
    """Stops a job from knocking at a service that is down: closed, open, half open.

    Closed: all requests pass. `failures` failures in a row open it: for `rest` seconds nothing is sent. Then it is half
    open: one request may try. If that succeeds, the breaker closes; if it fails, the rest begins anew. Count what says
    that the service is ill (5xx, timeouts). A refusal such as 429 leaves the count as it is: a service that is half
    down sends both. It closes a half-open breaker, which the next failure opens again.
    """

    def __init__(self, failures: int = 5, rest: float = 10.0) -> None:
        if failures < 1 or rest < 0:
            raise ValueError("A breaker opens after at least 1 failure, and rests for at least 0 seconds.")
        self.failures, self.rest = failures, rest
        self.in_a_row, self.opened = 0, 0
        self._until, self._trying = None, False

    @property
    def state(self) -> str:
        return "closed" if self._until is None else ("half open" if self._trying else "open")

    def wait(self, now: float) -> float:
        """Seconds from `now` until a request may be sent; 0 lets one through."""
        if self._until is None:
            return 0.0
        if self._trying:
            return max(0.1, self.rest / 10)  # somebody is finding out
        if now < self._until:
            return self._until - now
        self._trying = True
        return 0.0

    def succeeded(self) -> None:
        self.in_a_row, self._until, self._trying = 0, None, False

    def refused(self) -> None:
        """The service answered, and did not do the work (429, 400 …)."""
        if self._trying:
            self._until, self._trying = None, False

    def failed(self, now: float) -> None:
        self.in_a_row += 1
        if self._trying or (self._until is None and self.in_a_row >= self.failures):
            self._until, self._trying = now + self.rest, False
            self.opened += 1
