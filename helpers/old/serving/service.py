"""What all addresses of the server share: which models there are, who may ask for what, and how a request begins.

    service.model("tickets")                            # or ApiError 404
    room = service.room(prompt, wanted)                 # tokens that the reply may have, or ApiError 400
    writing = await service.begin(call, owner, asks)    # the queue is full: ApiError 503; makes no sense: 400

What is written after that is `helpers.old.serving.writing`'s.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any, Literal

from fastapi import Request

from helpers.old.generation.token_grammar import TokenGrammar
from helpers.old.serving.backend import Backend, Model
from helpers.old.serving.errors import ApiError
from helpers.old.serving.keys import Keys, Owner
from helpers.old.serving.limits import Limits
from helpers.old.serving.prompts import Prompts
from helpers.old.serving.requests import Ask, EngineStats, Usage
from helpers.old.serving.settings import Settings
from helpers.old.serving.watch import Call, Watch
from helpers.old.serving.writing import Writing

State = Literal["loading", "ready", "draining", "broken"]
NOBODY = Owner("-")
MOST_CHOICES = 8  # the largest n


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

    # What it may have, and its beginning --------------------------------------------------------------------------

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
        if n > MOST_CHOICES:
            raise ApiError(400, f"n is at most {MOST_CHOICES} here, not {n}.", param="n")
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

    async def begin(self, call: Call, owner: Owner, asks: Sequence[Ask]) -> Writing:
        """Hand the asks to the engine and wait for the first piece of each.

        Raises ApiError: 429 beyond the key's tokens, 503 for a full queue, 400 for what the engine refuses.
        """
        worker = self.require_ready().worker
        read = sum(len(ask.prompt) for ask in asks[:1])
        reserved, headers = self.limits.take_tokens(owner, read + sum(ask.max_new_tokens for ask in asks))
        call.headers |= headers
        writing = Writing(
            worker,
            asks,
            1,
            call,
            seconds=self.settings.request_seconds,
            retry_seconds=self.settings.retry_seconds,
            used=lambda tokens: self.limits.give_back(owner, reserved, reserved.tokens - tokens),
        )
        try:
            await writing.start()
        except BaseException:
            await writing.close()
            raise
        return writing


def at(request: Request) -> tuple[Service, Call, Owner]:
    """The service, the record of this request, and whose it is."""
    return request.app.state.service, request.scope["call"], request.scope.get("owner", NOBODY)


def announce(call: Call, model: Model, stream: bool) -> None:
    """Write down which model answers; its version goes into a header of the reply."""
    call.model, call.version, call.stream = model.name, model.version, stream
    call.headers["x-model-version"] = model.version.encode("ascii", "replace").decode()


def new_id(prefix: str) -> str:
    return prefix + secrets.token_hex(12)


def usage_fields(usage: Usage) -> dict[str, Any]:
    """Usage as the chat API writes it."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }
