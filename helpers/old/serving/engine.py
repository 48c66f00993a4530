"""Continuous batching: at every step finished requests leave, waiting ones join, and all others get their next token.

    engine = Engine(model, tokenizer, adapters={"tickets": folder}, cache_mb=256)
    request = engine.submit(Ask(prompt=tuple(ids)))
    while not engine.idle:
        for request, piece in engine.step().items():
            print(request, piece.text, piece.finish)

One step, in this order (after Orca, Yu et al., 2022, and vLLM, Kwon et al., 2023):

1. admit       requests that wait, first come first served, while there are pages for their prompts;
2. plan        each running request reads its newest token. Prompts that are not read yet share `chunk` tokens per
               step, so that a long one does not hold up those who are writing (chunked prefill, Agrawal et al., 2023);
               pages that the prefix cache knows are taken over instead of read;
3. read        all planned tokens in one pass of the model (`helpers.old.serving.paged`);
4. choose      each request that has read everything gets its next token, by its own sampling and grammar;
5. retire      whoever has finished gives its pages back. Full ones stay in the prefix cache until memory is needed.

Where a page is missing, the request that came last steps back to the queue: its pages are given up and computed again
later. What goes wrong in one request ends that one: if a pass fails, its rows are tried one by one.

`submit` and `cancel` may be called from any thread, everything else from one. What it does not do: HTTP, clocks,
threads (`helpers.old.serving.worker`), swap pages to disk, guess tokens ahead.
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from helpers.generation.decoding import split_stops
from helpers.generation.streaming import ReplyText
from helpers.old.serving.choosing import Choice, likeliest
from helpers.old.serving.paged import PagedLlama, Row
from helpers.old.serving.pages import PagePool, page_key, pages_for, root_key
from helpers.old.serving.requests import Ask, EngineStats, Finish, Full, Piece, Usage
from helpers.old.speed.fast_llama import FastLlama


class Request:
    """One request on its way: what it has read and written, and the pages that it owns.

    tokens: prompt and reply so far. read: how many of them the pages hold. cached: prompt tokens that it did not have
    to read.
    """

    def __init__(self, name: str, ask: Ask, tokenizer: Any, eos_ids: tuple[int, ...]) -> None:
        stop_ids, words = split_stops(ask.stop, tokenizer)
        self.name, self.ask = name, ask
        self.tokens, self.read, self.cached = list(ask.prompt), 0, 0
        self.pages: list[int] = []
        self.keys = [root_key(ask.adapter)]  # of the full pages, behind the root
        self.ends = frozenset((*stop_ids, *eos_ids, *([ask.grammar.end_id] if ask.grammar else [])))
        self.reply, self.choice = ReplyText(tokenizer, words), Choice(ask)

    @property
    def unread(self) -> int:
        """Tokens that have to go through the model before the next one can be chosen."""
        return len(self.tokens) - self.read

    def key(self, page: int, size: int) -> bytes:
        """The prefix cache's key of a full page."""
        while len(self.keys) <= page + 1:
            begin = (len(self.keys) - 1) * size
            self.keys.append(page_key(self.keys[-1], self.tokens[begin : begin + size]))
        return self.keys[page + 1]

    def put(self, token: int) -> Finish | None:
        """Add the next token; says whether it was the last one."""
        self.tokens.append(token)
        self.choice.put(token)
        if token in self.ends or self.reply.put(token):
            return "stop"
        return "length" if self.choice.written == self.ask.max_new_tokens else None

    def usage(self) -> Usage:
        """What it has cost so far."""
        return Usage(len(self.ask.prompt), self.cached, self.choice.written)


class Engine:
    """A model and the requests that it serves. One `step` gives each running request at most one token.

    adapters: name → a shipped adapter's name or a folder. cache_mb: memory for keys and values, in units of 10⁶ bytes,
    taken once. page_size: tokens per page. max_running: requests in a step; max_waiting: requests in the queue. chunk:
    prompt tokens per step, of all requests together. prefix_cache: whether full pages are kept and shared.
    Raises ValueError for a cache of less than one page and limits below 1, AdapterUnavailable.
    """

    def __init__(
        self,
        model: FastLlama,
        tokenizer: Any,
        *,
        adapters: Mapping[str, str | os.PathLike] | None = None,
        cache_mb: int = 256,
        page_size: int = 16,
        max_running: int = 32,
        max_waiting: int = 64,
        chunk: int = 64,
        prefix_cache: bool = True,
    ) -> None:
        for name, limit in {"max_running": max_running, "max_waiting": max_waiting, "chunk": chunk}.items():
            if limit < 1:
                raise ValueError(f"{name} is at least 1, not {limit}.")
        n_pages = int(cache_mb * 1e6) // page_bytes(model, page_size)
        if n_pages < 1:
            raise ValueError(f"A cache of {cache_mb} MB does not hold one page of {page_size} tokens: raise cache_mb.")
        self.model = PagedLlama(model, n_pages, page_size, adapters)
        self.tokenizer, self.config = tokenizer, model.config
        self.pool = PagePool(n_pages, page_size)
        self.max_running, self.max_waiting = max_running, max_waiting
        self.chunk, self.prefix_cache = chunk, prefix_cache
        self.waiting: deque[Request] = deque()
        self.running: list[Request] = []  # in the order in which they came
        self._cancelled: deque[str] = deque()
        self._names = itertools.count(1)
        self._read = self._written = self._hit = 0

    # From any thread -------------------------------------------------------------------------------------------------

    def submit(self, ask: Ask) -> str:
        """Queue a request; returns its name.

        Raises Full where the queue is full, ValueError for an unknown adapter or token, a prompt that does not fit the
        model's context or the cache together with its reply, and a grammar whose shortest text is too long.
        """
        self._require_possible(ask)
        if len(self.waiting) >= self.max_waiting:
            raise Full(f"{len(self.waiting)} requests are waiting already, which is the limit: try again later.")
        request = Request(f"request-{next(self._names)}", ask, self.tokenizer, self.config.eos_ids)
        self.waiting.append(request)
        return request.name

    def cancel(self, request: str) -> None:
        """At the next step the request ends and its pages return. One that has ended already, or never was, is fine."""
        self._cancelled.append(request)

    def _require_possible(self, ask: Ask) -> None:
        c, size = self.config, self.pool.page_size
        if ask.adapter is not None and ask.adapter not in self.model.corrections.names:
            known = ", ".join(self.model.corrections.names) or "none"
            raise ValueError(f"There is no adapter {ask.adapter!r} here: this engine has {known}.")
        if low_or_high := [token for token in (min(ask.prompt), max(ask.prompt)) if not 0 <= token < c.vocab_size]:
            raise ValueError(f"There is no token {low_or_high[0]}: ids of this model go from 0 to {c.vocab_size - 1}.")
        length = len(ask.prompt) + ask.max_new_tokens
        if length > c.max_len:
            raise ValueError(
                f"The prompt has {len(ask.prompt)} tokens and the reply may have {ask.max_new_tokens}, together more "
                f"than the model's context of {c.max_len}."
            )
        if pages_for(length - 1, size) > self.pool.n_pages:  # the last token is written and never read
            raise ValueError(
                f"The prompt has {len(ask.prompt)} tokens and the reply may have {ask.max_new_tokens}, and the "
                f"server's cache holds {self.pool.n_pages * size}: shorten one of them."
            )
        if ask.grammar is not None:
            ask.grammar.require_room(ask.max_new_tokens)

    # From one thread -------------------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Nothing runs, waits or has to be told."""
        return not (self.running or self.waiting or self._cancelled)

    @property
    def stats(self) -> EngineStats:
        """What goes on now, and what has been done so far."""
        pool = self.pool
        return EngineStats(
            running=len(self.running),
            waiting=len(self.waiting),
            pages_used=pool.used,
            pages_free=pool.available,
            pages_cached=pool.kept,
            tokens_read=self._read,
            tokens_written=self._written,
            prefix_tokens_hit=self._hit,
        )

    def step(self) -> dict[str, Piece]:
        """One step of all running requests: each request's piece, by name. A request's last piece has `finish`."""
        pieces = self._drop_cancelled()
        self._admit()
        planned = self._plan()
        for request, logits in self._logits(planned, pieces):
            try:
                pieces[request.name] = self._choose(request, *logits)
            except Exception as error:  # of this request alone: its grammar, its numbers, its text
                pieces[request.name] = self._fail(request, error)
        return pieces

    def abandon(self, error: Exception) -> dict[str, Piece]:
        """End every running request with an error, after `step` raised one that belongs to no request."""
        return {request.name: self._fail(request, error) for request in list(self.running)}

    # 1. admit --------------------------------------------------------------------------------------------------------

    def _admit(self) -> None:
        """First come, first served: a request that does not fit yet is not overtaken by a shorter one."""
        size = self.pool.page_size
        # pages that those who run still need: for what they have to read, and one to write into
        promised = sum(pages_for(len(r.tokens), size) - len(r.pages) + 1 for r in self.running)
        while self.waiting and len(self.running) < self.max_running:
            request = self.waiting[0]
            needed = pages_for(len(request.tokens), size) + 1 - self._shared_now(request)
            if self.running and promised + needed > self.pool.available:
                return  # it waits until pages come back
            promised += needed
            self.running.append(self.waiting.popleft())

    def _shared_now(self, request: Request) -> int:
        """Leading pages of a request that somebody owns already, which thus take no more memory."""
        size, pages = self.pool.page_size, 0
        while self.prefix_cache and (pages + 1) * size < len(request.tokens):
            if not self.pool.owned(request.key(pages, size)):
                break
            pages += 1
        return pages

    # 2. plan ---------------------------------------------------------------------------------------------------------

    def _plan(self) -> list[tuple[Request, int]]:
        """Who reads how many tokens at this step; pages for them are there."""
        planned, budget, size = [], self.chunk, self.pool.page_size
        coming: set[bytes] = set()  # keys of pages that this step fills
        for request in list(self.running):  # the first comers first: who steps back is always the last
            if not self._runs(request):
                continue
            self._take_over(request)
            if (next_key := self._next_key(request)) is not None and next_key in coming:
                continue  # somebody is reading just that: a step later it can be taken over
            n = min(request.unread, budget) if request.unread > 1 else 1
            if n and self._has_room(request, n):
                planned.append((request, n))
                budget -= n if request.unread > 1 else 0
                if self.prefix_cache:
                    coming |= {request.key(p, size) for p in range(request.read // size, (request.read + n) // size)}
        return [(request, n) for request, n in planned if self._runs(request)]

    def _runs(self, request: Request) -> bool:
        return any(running is request for running in self.running)

    def _take_over(self, request: Request) -> None:
        """Take the next pages from the prefix cache, as far as it knows them; one token at least is left to read."""
        size = self.pool.page_size
        while (key := self._next_key(request)) is not None and (page := self.pool.share(key)) is not None:
            request.pages.append(page)
            request.read += size
            self._hit += size
            if request.choice.written == 0:
                request.cached += size

    def _next_key(self, request: Request) -> bytes | None:
        """The key of the page that a request reads next, where it could be somebody else's."""
        size = self.pool.page_size
        if not self.prefix_cache or request.read % size or request.read + size >= len(request.tokens):
            return None
        return request.key(request.read // size, size)

    def _has_room(self, request: Request, n: int) -> bool:
        """Take pages for n more tokens; False where the request itself had to step back for want of them."""
        while len(request.pages) < pages_for(request.read + n, self.pool.page_size):
            page = self.pool.take()
            if page is not None:
                request.pages.append(page)
                continue
            last = self.running.pop()
            self._give_back(last)
            self.waiting.appendleft(last)
            if last is request:
                return False
        return True

    # 3. read ---------------------------------------------------------------------------------------------------------

    def _logits(self, planned: list[tuple[Request, int]], pieces: dict[str, Piece]) -> list[tuple[Request, tuple]]:
        """Read what was planned → (request, (its logits (V,), the likeliest token)) of those that have read all."""
        if not planned:
            return []
        try:
            passes = [(planned, self._read_rows(planned))]
        except Exception:  # somebody's fault: everybody alone
            passes = []
            for one in planned:
                try:
                    passes.append(([one], self._read_rows([one])))
                except Exception as error:
                    pieces[one[0].name] = self._fail(one[0], error)
        found = []
        for requests, logits in passes:
            ready = [request for request, n in requests if request.unread == n]
            for request, n in requests:
                self._count_read(request, n)
            found += zip(ready, zip(logits, likeliest(logits), strict=True), strict=True)
        return found

    def _read_rows(self, planned: list[tuple[Request, int]]) -> Tensor:
        return self.model(
            [
                Row(r.tokens[r.read : r.read + n], r.read, r.pages, r.ask.adapter, wanted=r.unread == n)
                for r, n in planned
            ]
        )

    def _count_read(self, request: Request, n: int) -> None:
        """n more tokens are in the pages; let others find those that became full."""
        size = self.pool.page_size
        full = request.read // size
        request.read += n
        self._read += n if n > 1 or request.choice.written == 0 else 0
        if self.prefix_cache:
            for page in range(full, request.read // size):
                self.pool.keep(request.pages[page], request.key(page, size))

    # 4. choose, 5. retire --------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def _choose(self, request: Request, logits: Tensor, best: int | None) -> Piece:
        """Give a request its next token."""
        choice = request.choice
        token = best if choice.plain and best is not None else choice.next(logits)
        finish = request.put(token)
        self._written += 1
        found = choice.logprobs(logits, token)
        logprobs = () if found is None else (found,)
        if finish is None:
            return Piece(request.reply.take(), (token,), logprobs)
        request.reply.end()
        self._retire(request)
        return Piece(request.reply.take(last=True), (token,), logprobs, finish, request.usage())

    def _fail(self, request: Request, error: Exception) -> Piece:
        """End a request with an error. Its pages may hold numbers that are none, so nobody is to find them."""
        own = [page for page in request.pages if self.pool.owners[page] == 1]
        for page in own:
            self.pool.forget(page)
        self.model.clear(own)
        self._retire(request)
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return Piece("", (), finish="error", usage=request.usage(), error=said)

    def _drop_cancelled(self) -> dict[str, Piece]:
        names = {self._cancelled.popleft() for _ in range(len(self._cancelled))}
        pieces = {}
        for request in [r for r in (*self.running, *self.waiting) if r.name in names]:
            self._retire(request)
            pieces[request.name] = Piece("", (), finish="cancelled", usage=request.usage())
        return pieces

    def _retire(self, request: Request) -> None:
        """Let a request go, wherever it is, and take its pages back."""
        self.running = [other for other in self.running if other is not request]
        if request in self.waiting:
            self.waiting.remove(request)
        self._give_back(request)

    def _give_back(self, request: Request) -> None:
        self.pool.release_all(request.pages)
        request.pages, request.read = [], 0


def page_bytes(model: FastLlama, page_size: int) -> int:
    """Bytes of one page: keys and values of `page_size` tokens in all layers, in float32."""
    c = model.config
    return c.n_layers * 2 * c.n_kv_heads * page_size * c.head_dim * 4
