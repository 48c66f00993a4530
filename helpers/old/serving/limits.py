"""How much a key may use per minute: requests, and tokens.

    limits = Limits(requests=60, tokens=20_000)
    limits.take_request(owner)                       # raises ApiError 429 with Retry-After
    reserved = limits.take_tokens(owner, 412 + 256)  # the prompt, and all that the reply may have
    limits.give_back(owner, reserved, unused=200)    # the reply was shorter

Requests are counted over the last 60 seconds (a moving window). Tokens are counted in windows of 60 seconds that begin
with a key's first request (fixed windows), since only there tokens that were reserved and not written can be given
back. The counts are in this process's memory: several servers behind one load balancer would need a storage that they
share, which the package `limits` has for Redis and others.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from helpers.old.serving.errors import ApiError
from helpers.old.serving.keys import Owner


class Reserved(NamedTuple):
    """Tokens taken in one window, which ends at a time (seconds of `time.time`)."""

    tokens: int
    window_ends: float


class Limits:
    """requests, tokens: per minute and key, where the key itself has no others; None: no limit."""

    def __init__(self, requests: int | None = None, tokens: int | None = None) -> None:
        self.requests, self.tokens = requests, tokens
        self.storage = MemoryStorage()
        self.moving, self.fixed = MovingWindowRateLimiter(self.storage), FixedWindowRateLimiter(self.storage)

    def take_request(self, owner: Owner) -> dict[str, str]:
        """Count one request; the headers that say what is left. Raises ApiError 429."""
        if (allowed := owner.requests_per_minute or self.requests) is None:
            return {}
        item, names = RateLimitItemPerMinute(allowed), ("requests", owner.name)
        taken = self.moving.hit(item, *names)
        reset, left = self.moving.get_window_stats(item, *names)
        seconds = max(0.0, reset - time.time())
        headers = _headers("requests", allowed, left, seconds)
        if not taken:
            raise _refusal(f"This key may make {allowed:,} requests per minute", seconds, headers)
        return headers

    def take_tokens(self, owner: Owner, tokens: int) -> tuple[Reserved, dict[str, str]]:
        """Reserve tokens; the headers that say what is left. Raises ApiError 429, 400 for more than ever possible."""
        if (allowed := owner.tokens_per_minute or self.tokens) is None:
            return Reserved(0, 0.0), {}
        if tokens > allowed:
            raise ApiError(
                400,
                f"This request may take {tokens:,} tokens, and this key has {allowed:,} per minute: shorten the prompt "
                "or ask for fewer tokens.",
                code="rate_limit_exceeded",
            )
        item, names = RateLimitItemPerMinute(allowed), ("tokens", owner.name)
        fits = self.fixed.test(item, *names, cost=tokens) and self.fixed.hit(item, *names, cost=tokens)
        reset, left = self.fixed.get_window_stats(item, *names)
        seconds = max(0.0, reset - time.time())
        headers = _headers("tokens", allowed, max(0, left), seconds)
        if not fits:
            raise _refusal(
                f"This key may use {allowed:,} tokens per minute and has {max(0, left):,} left, and this request may "
                f"take {tokens:,}",
                seconds,
                headers,
            )
        return Reserved(tokens, reset), headers

    def give_back(self, owner: Owner, reserved: Reserved, unused: int) -> None:
        """Return tokens that were reserved and not written, if their window is not over."""
        allowed = owner.tokens_per_minute or self.tokens
        unused = min(unused, reserved.tokens)
        if allowed is None or unused <= 0 or time.time() >= reserved.window_ends:
            return
        self.storage.decr(RateLimitItemPerMinute(allowed).key_for("tokens", owner.name), unused)


def _headers(what: str, allowed: int, left: int, seconds: float) -> dict[str, str]:
    return {
        f"x-ratelimit-limit-{what}": str(allowed),
        f"x-ratelimit-remaining-{what}": str(left),
        f"x-ratelimit-reset-{what}": f"{seconds:.1f}s",
    }


def _refusal(sentence: str, seconds: float, headers: dict[str, str]) -> ApiError:
    message = f"{sentence}: try again in {max(1, round(seconds))} seconds."
    return ApiError(429, message, code="rate_limit_exceeded", retry_after=seconds, headers=headers)
