"""A scripted reply on its way to the client: its bytes, each at its time, and what breaks it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

from helpers.old.hosted.clocks import RealClock, SimulatedClock
from helpers.old.hosted.outcomes import Outcome


@dataclass
class Sending:
    """A reply on its way. wait: seconds until it begins; status: 0 where it never does; flow: (seconds, bytes).

    error: what breaks it, at once without a status, else behind the flow.
    """

    wait: float
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    flow: list[tuple[float, bytes]] = field(default_factory=list)
    error: Exception | None = None


class Flow(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The bytes of a reply, each at its time."""

    def __init__(self, sending: Sending, clock: SimulatedClock | RealClock) -> None:
        self.sending, self.clock = sending, clock

    def __iter__(self) -> Iterator[bytes]:
        for seconds, data in self.sending.flow:
            self.clock.sleep(seconds)
            yield data
        if self.sending.error:
            raise self.sending.error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for seconds, data in self.sending.flow:
            if seconds:
                await self.clock.asleep(seconds)
            yield data
        if self.sending.error:
            raise self.sending.error


def whole(body: dict[str, Any], status: int = 200, wait: float = 0.05, **headers: str) -> Sending:
    made = {"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
    return Sending(wait, status, made, [(0.0, json.dumps(body).encode())])


def refused(status: int, message: str, code: str, param: str | None = None, **headers: str) -> Sending:
    kind = {401: "authentication_error", 429: "rate_limit_error", 500: "server_error", 503: "server_error"}
    error = {"message": message, "type": kind.get(status, "invalid_request_error"), "param": param, "code": code}
    return whole({"error": error}, status, **headers)


def failed(outcome: Outcome) -> Sending:
    """What comes instead of a reply where no work was done."""
    if outcome.kind == "rate_limited":
        return refused(429, "Rate limit reached.", "rate_limit_exceeded", retry_after=f"{outcome.seconds:g}")
    if outcome.kind == "server_error":
        return refused(500, "The server had an error while processing your request.", "server_error")
    if outcome.kind == "overloaded":
        return refused(503, "The model is overloaded.", "overloaded", retry_after=f"{outcome.seconds:g}")
    return Sending(0.0, 0, error=httpx2.ConnectError("Connection refused"))


def event(made: dict[str, Any]) -> bytes:
    name = f"event: {made['type']}\n" if "type" in made else ""
    return f"{name}data: {json.dumps(made)}\n\n".encode()


def cut(flow: list[tuple[float, bytes]], tokens: int) -> list[tuple[float, bytes]]:
    """A stream's events up to its n-th piece of text; of a body that is no stream, half."""
    if len(flow) == 1:
        return [(flow[0][0], flow[0][1][: len(flow[0][1]) // 2])]
    kept: list[tuple[float, bytes]] = []
    for seconds, data in flow:
        if b"delta" in data and b'"content": ""' not in data:
            tokens -= 1
        if tokens < 0:
            break
        kept.append((seconds, data))
    return kept
