"""The replies to one request while they are written, and a client that may go away meanwhile.

    writing = Writing(worker, asks, prompts=1, call=call, …)
    await writing.start()                               # each ask has its first piece, or ApiError says why not
    async for choice, piece in writing.pieces():        # several asks, one stream
        ...

Nothing is sent to the client before each ask has its first piece, so a refusal is a status and never half a stream.
However a request ends, `close` cancels what still runs: a place in the engine is never lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from fastapi import Request

from helpers.old.serving.errors import ApiError
from helpers.old.serving.requests import Ask, Full, Piece, Usage
from helpers.old.serving.watch import Call

T = TypeVar("T")


class Writing:
    """The replies to one request while they are written: one piece after the other, of whichever ask has one.

    prompts: how many of the asks' prompts differ. seconds: within which all has to be written.
    used: is told in the end how many tokens were read and written.
    """

    def __init__(
        self,
        worker: Any,
        asks: Sequence[Ask],
        prompts: int,
        call: Call,
        *,
        seconds: float,
        retry_seconds: float,
        used: Callable[[int], None],
    ) -> None:
        self.worker, self.asks, self.prompts, self.call = worker, asks, prompts, call
        self.seconds, self.retry_seconds, self.used = seconds, retry_seconds, used
        self.usages: dict[int, Usage] = {}
        self.written = 0  # tokens
        self._queue: asyncio.Queue[tuple[int, Piece | Exception]] = asyncio.Queue()
        self._tasks: list[asyncio.Task] = []
        self._early: list[tuple[int, Piece]] = []
        self._ends = time.monotonic() + seconds
        self._closed = False

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._follow(i, ask)) for i, ask in enumerate(self.asks)]
        missing = set(range(len(self.asks)))
        while missing:
            choice, piece = await self._next()
            self._early.append((choice, piece))
            missing.discard(choice)

    async def pieces(self) -> AsyncGenerator[tuple[int, Piece], None]:
        """(which ask, its next piece), until all are finished. Raises ApiError where one fails."""
        going = len(self.asks)
        try:
            while going:
                choice, piece = self._early.pop(0) if self._early else await self._next()
                if piece.tokens:
                    self.written += len(piece.tokens)
                    self.call.wrote()
                if piece.finish:
                    self.usages[choice] = piece.usage or Usage(0, 0, 0)
                    self.call.finish_reason = piece.finish
                    going -= 1
                if piece.finish == "error":
                    raise ApiError(500, piece.error or "The reply could not be written.", code="engine_error")
                if piece.finish == "cancelled":
                    raise ApiError(503, "The server is shutting down, and the reply was cut off.", retry_after=5)
                yield choice, piece
            self.call.finish(self.usage, self.call.finish_reason)
        finally:
            await self.close()

    @property
    def usage(self) -> Usage:
        """Of all asks together; a prompt with several replies is counted once."""
        step = len(self.asks) // self.prompts
        firsts = [self.usages[i] for i in range(0, len(self.asks), step)]
        return Usage(
            prompt_tokens=sum(usage.prompt_tokens for usage in firsts),
            cached_tokens=sum(usage.cached_tokens for usage in firsts),
            completion_tokens=sum(usage.completion_tokens for usage in self.usages.values()),
        )

    async def close(self) -> None:
        """Stop what is still running, and give back what was reserved and not used."""
        if self._closed:
            return
        self._closed = True
        for task in self._tasks:
            task.cancel()
        step = len(self.asks) // self.prompts
        self.used(sum(len(ask.prompt) for ask in self.asks[::step]) + self.written)
        await asyncio.gather(*self._tasks, return_exceptions=True)  # last: it may be interrupted

    async def _follow(self, choice: int, ask: Ask) -> None:
        try:
            async with aclosing(self.worker.stream(ask)) as stream:
                async for piece in stream:
                    self._queue.put_nowait((choice, piece))
        except Exception as error:
            self._queue.put_nowait((choice, error))

    async def _next(self) -> tuple[int, Piece]:
        try:
            async with asyncio.timeout(self._ends - time.monotonic()):
                choice, piece = await self._queue.get()
        except TimeoutError:
            self.call.refused = "timeout"
            message = f"The reply was not finished within {self.seconds:g} seconds."
            raise ApiError(504, message, code="timeout") from None
        if isinstance(piece, Full):
            self.call.refused = "queue"
            message = "Too many requests are waiting: try again soon."
            raise ApiError(503, message, code="queue_full", retry_after=self.retry_seconds) from None
        if isinstance(piece, ValueError):
            raise ApiError(400, str(piece)) from None
        if isinstance(piece, Exception):
            raise piece
        return choice, piece


class HungUp(Exception):
    """The client has gone: there is nobody to answer."""


async def while_connected(request: Request, work: Awaitable[T]) -> T:
    """What `work` gives, unless the client goes away first: then the work is cancelled. Raises HungUp."""
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise HungUp
    finally:
        for task in (working, gone):
            task.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
