"""Server-sent events: how a reply travels while it is being written.

    data: {"choices":[{"delta":{"content":"Par"}}]}        one event: a line, then an empty line

    data: {"choices":[{"delta":{"content":"is"}}]}

    data: [DONE]                                           OpenAI's own sign that no event follows

An event may have a name (`event: response.completed`), and a line that begins with a colon is a comment. The format is
that of the HTML standard (WHATWG, section 9.2). JSON holds no line breaks, so each event's data is one line.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from helpers.old.serving.errors import json_bytes

DONE = b"data: [DONE]\n\n"


def event(data: Any, name: str | None = None) -> bytes:
    """One event, ready to be sent. data: what JSON can hold."""
    begins = f"event: {name}\n".encode() if name else b""
    return begins + b"data: " + json_bytes(data) + b"\n\n"


def read_events(lines: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """(name, data) of each event in the lines of a stream, until `[DONE]`. Events without a name are "message"."""
    name, data = "message", []
    for line in lines:
        line = line.rstrip("\r\n")
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line and data:
            text = "\n".join(data)
            if text == "[DONE]":
                return
            yield name, json.loads(text)
            name, data = "message", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)


class EventStream(StreamingResponse):
    """A reply of events. When the client goes away, the generator is closed at once; `close` is called in any case."""

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        close: Callable[[], Awaitable[None]],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(events, headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"} | dict(headers or {}))
        self.close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.close()  # a generator that was never begun has no end of its own

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self.body_iterator):
            await super().stream_response(send)
