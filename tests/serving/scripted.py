"""An engine's worker that says what a test tells it, and servers around it that need no weights and no network."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache, wraps
from typing import Any

import httpx2
import openai

from helpers.generation.streaming import ReplyText
from helpers.models import fetch
from helpers.old.serving.app import create_app
from helpers.old.serving.backend import Backend, Encoder, Model
from helpers.old.serving.requests import Ask, EngineStats, Full, Piece, TokenLogprobs, Usage
from helpers.old.serving.settings import Settings


@cache
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(fetch("chat"), local_files_only=True)


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """A test that is a coroutine function, run in an event loop of its own."""

    @wraps(test)
    def run(*arguments: Any, **options: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*arguments, **options), 30))

    return run


def last_turn(prompt: str) -> str:
    """What the user said last."""
    return prompt.split("<|im_start|>user\n")[-1].split("<|im_end|>")[0]


class ScriptedWorker:
    """Replies by a rule: reply(prompt) is the text. A grammar is kept to: where the text leaves it, chance decides.

    seconds: per token. slots: how many may be written at once before the queue is full. fail: a text in the prompt
    that ends a request with an error in the middle.
    """

    def __init__(
        self,
        reply: Callable[[str], str] = last_turn,
        seconds: float = 0.0,
        slots: int = 10_000,
        fail: str | None = None,
    ) -> None:
        self.reply, self.seconds, self.slots, self.fail = reply, seconds, slots, fail
        self.running = self.hung_up = self.written = 0
        self.asks: list[Ask] = []
        self.prompts: list[str] = []
        self.cut = False

    async def stream(self, ask: Ask) -> AsyncIterator[Piece]:
        if self.running >= self.slots:
            raise Full("full")
        tokens, prompt = tokenizer(), tokenizer().decode(list(ask.prompt))
        self.asks.append(ask)
        self.prompts.append(prompt)
        said = tokens(self.reply(prompt), add_special_tokens=False)["input_ids"] + [tokens.eos_token_id]
        text, written, state = ReplyText(tokens, ask.stop), 0, ask.grammar and ask.grammar.start
        chance, finish = random.Random(ask.seed), None
        self.running += 1
        try:
            while finish is None:
                await asyncio.sleep(self.seconds)
                token = said[min(written, len(said) - 1)]
                if ask.grammar is not None:
                    allowed = ask.grammar.allowed(state, ask.max_new_tokens - written)
                    token = token if token in allowed else chance.choice(allowed)
                    state = ask.grammar.step(state, token)
                written, self.written = written + 1, self.written + 1
                if token == tokens.eos_token_id or text.put(token):
                    finish = "stop"
                elif written == ask.max_new_tokens:
                    finish = "length"
                elif self.fail is not None and self.fail in prompt and written == 4:
                    yield Piece("", (), finish="error", error="It broke.", usage=Usage(len(ask.prompt), 0, written))
                    return
                elif self.cut:
                    finish = "cancelled"
                if finish:
                    text.end()
                top = ((token, -0.1), (0, -float("inf")))[: ask.logprobs] if ask.logprobs is not None else ()
                logprobs = (TokenLogprobs(token, -0.1, top),) if ask.logprobs is not None else ()
                usage = Usage(len(ask.prompt), 0, written) if finish else None
                yield Piece(text.take(last=bool(finish)), (token,), logprobs, finish, usage)
        except (GeneratorExit, asyncio.CancelledError):
            self.hung_up += 1
            raise
        finally:
            self.running -= 1

    async def close(self, drain_seconds: float) -> None:
        ends = asyncio.get_running_loop().time() + drain_seconds
        while self.running:
            await asyncio.sleep(0.01)
            self.cut = asyncio.get_running_loop().time() >= ends

    def stats(self) -> EngineStats:
        return EngineStats(self.running, 0, 3, 7, 2, 0, self.written, 0)


class Letters:
    """An encoder: how often a, b and c stand in a text."""

    max_seq_length = 8

    def tokenizer(self, texts: list[str], **options: Any) -> dict[str, list[list[int]]]:
        return {"input_ids": [[0] * (len(text.split()) + 2) for text in texts]}

    def encode(self, texts: list[str], **options: Any) -> Any:
        import numpy as np

        return np.array([[text.count(letter) for letter in "abc"] for text in texts], np.float32)


def scripted_backend(worker: ScriptedWorker | None = None) -> Backend:
    worker = worker or ScriptedWorker()
    models = {"chat": Model("chat", "scripted@0"), "tickets": Model("tickets", "scripted@0+tickets@1", "tickets")}
    models["embedder"] = Model("embedder", "letters@0", encodes=True)
    return Backend(tokenizer(), worker, worker.stats, models, 2048, Encoder(Letters))


class Server:
    """An application in this process, and clients for it: `async with Server() as server`."""

    def __init__(self, worker: ScriptedWorker | None = None, **settings: Any) -> None:
        self.worker = worker or ScriptedWorker()
        self.app = create_app(Settings(**settings), scripted_backend(self.worker))
        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app), base_url="http://server")

    def client(self, key: str = "none") -> openai.AsyncOpenAI:
        """The official client."""
        return openai.AsyncOpenAI(base_url="http://server/v1", api_key=key, http_client=self.http, max_retries=0)

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.http.aclose()

    async def post(self, path: str, body: Any, **options: Any) -> httpx2.Response:
        return await self.http.post(path, json=body, **options)
