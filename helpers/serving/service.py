"""What all addresses of the server share: which models there are, who asks, and replies while they are written.

    service.model("tickets")                            # or ApiError 404
    writing = await service.begin(call, owner, asks)    # the queue is full: ApiError 503; makes no sense: 400
    async for choice, piece in writing.pieces():        # several asks, one stream
        ...

Nothing is sent to the client before each ask has its first piece, so a refusal is a status and never half a stream.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from typing import Any, Literal, TypeVar

from fastapi import Request

from helpers.generation.token_grammar import TokenGrammar
from helpers.serving.backend import Backend, Model
from helpers.serving.errors import ApiError
from helpers.serving.keys import Keys, Owner
from helpers.serving.limits import Limits, Reserved
from helpers.serving.prompts import Prompts
from helpers.serving.requests import Ask, EngineStats, Full, Piece, Usage
from helpers.serving.settings import Settings
from helpers.serving.watch import Call, Watch

State = Literal["loading", "ready", "draining", "broken"]
NOBODY = Owner("-")
T = TypeVar("T")


class Service:
    """One server's parts. state: "loading" until there is a backend, "draining" once it was told to stop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.keys = Keys.read(settings.keys_file) if settings.keys_file else None
        self.limits = Limits(settings.requests_per_minute, settings.tokens_per_minute)
        self.watch = Watch(settings, self.stats)
        self.state: State = "loading"
        self.problem: str | None = None  # one sentence, where the models could not be loaded
        self.backend: Backend | None = None
        self.prompts: Prompts | None = None
        self.started = int(time.time())
        self._closed = False

    def open(self, backend: Backend) -> None:
        """From now on there is something to serve."""
        self.backend, self.prompts = backend, Prompts(backend.tokenizer)
        if self.state == "loading":
            self.state = "ready"

    async def close(self) -> None:
        """Let running replies finish, `drain_seconds` at most, and stop the engine."""
        if self.state != "broken":
            self.state = "draining"
        if self.backend is not None and not self._closed:
            self._closed = True
            await self.backend.worker.close(self.settings.drain_seconds)
            self.prompts.close()

    def stats(self) -> EngineStats | None:
        return self.backend.stats() if self.backend else None

    # Who asks for what -------------------------------------------------------------------------------------------

    def owner(self, authorization: str | None) -> Owner:
        """Raises ApiError 401 where keys are needed and none of them is given."""
        if self.keys is None:
            return NOBODY
        if not authorization:
            message = "This server needs an API key: send the header `Authorization: Bearer KEY`."
            raise ApiError(401, message, headers={"WWW-Authenticate": "Bearer"})
        if (owner := self.keys.owner(authorization)) is None:
            raise ApiError(
                401, "This API key is not known.", code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"}
            )
        return owner

    def require_ready(self) -> Backend:
        """The backend. Raises ApiError 503 while there is none."""
        if self.state == "ready" and self.backend is not None:
            return self.backend
        why = {"loading": "is loading its models", "draining": "is shutting down"}
        message = self.problem or f"The server {why.get(self.state, 'is not ready')}: try again."
        raise ApiError(503, message, code="not_ready", retry_after=self.settings.retry_seconds)

    def model(self, name: str, encodes: bool = False) -> Model:
        """Raises ApiError 404 for an unknown model, 400 for one of another kind."""
        models = self.require_ready().models
        if name not in models:
            raise ApiError(
                404,
                f"There is no model {name!r}: this server has {', '.join(models)}.",
                param="model",
                code="model_not_found",
            )
        if models[name].encodes != encodes:
            does = "makes vectors and writes no text" if models[name].encodes else "writes text and makes no vectors"
            raise ApiError(400, f"The model {name!r} {does}.", param="model")
        return models[name]

    # Writing -----------------------------------------------------------------------------------------------------

    def room(self, prompt: Sequence[int], wanted: int | None) -> int:
        """Tokens that the reply may have. Raises ApiError 400 where they do not fit."""
        most = self.settings.max_new_tokens
        if wanted is not None and wanted > most:
            raise ApiError(
                400, f"A reply may have {most:,} tokens here, and {wanted:,} were asked for.", param="max_tokens"
            )
        context = self.require_ready().context
        left = context - len(prompt)
        if left < (wanted or 1):
            reply = f" and {wanted:,} of the reply" if wanted else ""
            raise ApiError(
                400,
                f"The model reads {context:,} tokens, and there are {len(prompt):,} of the prompt{reply}.",
                code="context_length_exceeded",
            )
        return wanted or min(self.settings.default_new_tokens, most, left)

    def asks(
        self, prompt: tuple[int, ...], n: int, room: int, model: Model, grammar: TokenGrammar | None, **sampling: Any
    ) -> list[Ask]:
        """The same request n times, each with a seed of its own. Raises ApiError 400."""
        if n > self.settings.max_choices:
            raise ApiError(400, f"n is at most {self.settings.max_choices} here, not {n}.", param="n")
        if grammar is not None and grammar.shortest > room:
            raise ApiError(
                400,
                f"The shortest reply that fits the schema takes {grammar.shortest} tokens, and {room} are allowed.",
                param="max_tokens",
            )
        seed = sampling.pop("seed", None)
        first = secrets.randbits(48) if seed is None else seed
        try:
            return [
                Ask(
                    prompt=prompt,
                    max_new_tokens=room,
                    adapter=model.adapter,
                    grammar=grammar,
                    seed=(first + i + 2**63) % 2**64 - 2**63,
                    **sampling,
                )
                for i in range(n)
            ]
        except ValueError as error:
            raise ApiError(400, str(error)) from None

    async def begin(self, call: Call, owner: Owner, asks: Sequence[Ask], prompts: int = 1) -> Writing:
        """Hand the asks to the engine and wait for the first piece of each. prompts: how many differ.

        Raises ApiError: 429 beyond the key's tokens, 503 for a full queue, 400 for what the engine refuses.
        """
        worker = self.require_ready().worker
        read = sum(len(ask.prompt) for ask in asks[:: len(asks) // prompts])
        reserved, headers = self.limits.take_tokens(owner, read + sum(ask.max_new_tokens for ask in asks))
        call.headers |= headers
        writing = Writing(self, worker, call, owner, asks, prompts, reserved)
        try:
            await writing.start()
        except BaseException:
            await writing.close()
            raise
        return writing


class Writing:
    """The replies to one request while they are written: one piece after the other, of whichever ask has one."""

    def __init__(
        self,
        service: Service,
        worker: Any,
        call: Call,
        owner: Owner,
        asks: Sequence[Ask],
        prompts: int,
        reserved: Reserved,
    ) -> None:
        self.service, self.worker, self.call, self.owner, self.asks = service, worker, call, owner, asks
        self.prompts, self.reserved = prompts, reserved
        self.usages: dict[int, Usage] = {}
        self.written = 0  # tokens
        self._queue: asyncio.Queue[tuple[int, Piece | Exception]] = asyncio.Queue()
        self._tasks: list[asyncio.Task] = []
        self._early: list[tuple[int, Piece]] = []
        self._ends = time.monotonic() + service.settings.request_seconds
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
            self.call.finish(self.usage, self.call.finish_reason, self.service.watch.cost(self.usage))
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
        used = sum(len(ask.prompt) for ask in self.asks[::step]) + self.written
        self.service.limits.give_back(self.owner, self.reserved, self.reserved.tokens - used)
        await asyncio.gather(*self._tasks, return_exceptions=True)  # last: it may be interrupted

    async def _follow(self, choice: int, ask: Ask) -> None:
        try:
            async with aclosing(self.worker.stream(ask)) as stream:
                async for piece in stream:
                    self._queue.put_nowait((choice, piece))
        except Exception as error:
            self._queue.put_nowait((choice, error))

    async def _next(self) -> tuple[int, Piece]:
        settings = self.service.settings
        try:
            async with asyncio.timeout(self._ends - time.monotonic()):
                choice, piece = await self._queue.get()
        except TimeoutError:
            self.call.refused = "timeout"
            seconds = f"{settings.request_seconds:g} seconds"
            raise ApiError(504, f"The reply was not finished within {seconds}.", code="timeout") from None
        if isinstance(piece, Full):
            self.call.refused = "queue"
            message = "Too many requests are waiting: try again soon."
            raise ApiError(503, message, code="queue_full", retry_after=settings.retry_seconds) from None
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


def at(request: Request) -> tuple[Service, Call, Owner]:
    """The service, the record of this request, and whose it is."""
    return request.app.state.service, request.scope["call"], request.scope.get("owner", NOBODY)


def announce(call: Call, model: Model, stream: bool) -> None:
    """Write down which model answers; its version goes into a header of the reply."""
    call.model, call.version, call.stream = model.name, model.version, stream
    call.headers["x-model-version"] = model.version.encode("ascii", "replace").decode()


def new_id(prefix: str) -> str:
    return prefix + secrets.token_hex(12)


def usage_fields(usage: Usage, cost: float | None = None) -> dict[str, Any]:
    """Usage as the chat and completion APIs write it; with the cost, where there are prices."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    } | ({"cost": cost} if cost else {})
