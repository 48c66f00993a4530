"""A server with OpenAI's streaming interface that says what a test scripts: real sockets, no model, no framework."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Script:
    """How the server answers. `pieces(body)` gives the texts of one reply; a piece None breaks the connection."""

    pieces: Callable[[dict], list[str | None]]
    usage: bool = True
    status: Callable[[int], int] = lambda n: 200  # of the n-th request
    wait: Callable[[int], float] = lambda n: 0.0  # seconds before the first piece of the n-th request
    ending: str = "stop"  # "stop", "none" (no finish_reason), "error" (an error event), "broken" (no JSON)
    asked: list[dict] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    hung_up: int = 0


@asynccontextmanager
async def serve(script: Script) -> AsyncIterator[str]:
    """Runs the server inside this event loop; gives its base URL."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    (int(h.split(":")[1]) for h in head.split("\r\n") if h.lower().startswith("content-l")), 0
                )
                body = json.loads(await reader.readexactly(length) or b"null")
                if head.startswith("GET"):
                    answer = json.dumps({"data": [{"id": "scripted"}]}).encode()
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
                    await writer.drain()
                    continue
                if not await reply(body, writer):
                    break
        writer.close()

    async def reply(body: dict, writer: asyncio.StreamWriter) -> bool:
        script.asked.append(body)
        n = len(script.asked) - 1
        script.running += 1
        script.most_running = max(script.most_running, script.running)
        try:
            await asyncio.sleep(script.wait(n))
            return await stream(n, body, writer)
        except ConnectionError:
            script.hung_up += 1
            return False
        finally:
            script.running -= 1

    async def stream(n: int, body: dict, writer: asyncio.StreamWriter) -> bool:
        status = script.status(n)
        if status != 200:
            writer.write(b"HTTP/1.1 %d No\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n" % status)
            await writer.drain()
            return True
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        pieces = script.pieces(body)
        for piece in pieces:
            if piece is None:
                writer.transport.abort()
                return False
            await send(writer, {"choices": [{"delta": {"content": piece}, "finish_reason": None}]})
        if script.ending == "error":
            await send(writer, {"error": {"message": "the worker failed"}})
        if script.ending == "broken":
            await send_text(writer, "{")
        if script.ending == "stop":
            await send(writer, {"choices": [{"delta": {}, "finish_reason": "stop"}]})
        if script.usage:
            details = {"prompt_tokens_details": {"cached_tokens": 7}}
            await send(writer, {"choices": [], "usage": {"completion_tokens": 40, "prompt_tokens": 9, **details}})
        await send_text(writer, "[DONE]")
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def send(writer: asyncio.StreamWriter, event: dict) -> None:
        await send_text(writer, json.dumps(event))

    async def send_text(writer: asyncio.StreamWriter, text: str) -> None:
        data = f"data: {text}\n\n".encode()
        writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        await writer.drain()
        await asyncio.sleep(0)  # so that the replies of several clients alternate
        if writer.transport.is_closing():
            raise ConnectionResetError

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
