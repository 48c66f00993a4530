"""A thread that steps the engine, and async streams of what each request gets.

    worker = EngineWorker(lambda: Engine(model, tokenizer))
    async for piece in worker.stream(Ask(prompt=tuple(ids))):
        print(piece.text)
    await worker.close(drain_seconds=10)

A step takes as long as the model does, so it must not run on the event loop, which meanwhile serves everybody's
connections. The thread makes and owns the engine; pieces reach the loop by `call_soon_threadsafe`. Leaving a stream
early (the client has gone) cancels its request, which frees its pages at the next step.

The thread also loads the model, and says how many threads its products take. PyTorch keeps that number per thread, and
OpenMP keeps a team of helpers per thread that starts products: where the main thread loads the model, its team stays
and slows the other one down. On two cores that halves the tokens per second.

What it does not do: HTTP, time limits (put `asyncio.timeout` around a stream; it cancels, too).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import torch

from helpers.old.serving.requests import Ask, EngineStats, Full, Piece

Sink = Callable[[Piece], None]


class EngineWorker:
    """One thread that owns an engine, from now until `close`.

    make: called in the thread, gives anything with submit, cancel, step, abandon, idle and stats, as
    `helpers.old.serving.engine.Engine` has them. What it raises is raised here.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._made: Future[Any] = Future()
        self._sinks: dict[str, Sink] = {}
        self._changed = threading.Condition()
        self._closing = self._stopped = False
        self._thread = threading.Thread(target=self._run, args=(make,), name="engine", daemon=True)
        self._thread.start()
        self.engine = self._made.result()

    @property
    def alive(self) -> bool:
        """Whether the thread runs and takes requests."""
        return self._thread.is_alive() and not self._closing

    @property
    def stats(self) -> EngineStats:
        """What the engine does now, and what it has done so far."""
        return self.engine.stats

    async def stream(self, ask: Ask) -> AsyncIterator[Piece]:
        """The pieces of one request as they come; the last one has `finish`.

        The request is submitted when the first piece is asked for, which raises what `Engine.submit` raises, and Full
        once the worker is closing. Closing the iterator, or cancelling the task that reads it, cancels the request.
        """
        loop, pieces = asyncio.get_running_loop(), asyncio.Queue()

        def sink(piece: Piece) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                loop.call_soon_threadsafe(pieces.put_nowait, piece)

        request = self._submit(ask, sink)
        finished = False
        try:
            while not finished:
                piece = await pieces.get()
                finished = piece.finish is not None
                yield piece
        finally:
            if not finished:
                self._cancel(request)

    async def close(self, drain_seconds: float) -> None:
        """Take no more requests, let the others finish for up to `drain_seconds`, cancel the rest, end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        await asyncio.to_thread(self._thread.join, max(drain_seconds, 0.0))
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        await asyncio.to_thread(self._thread.join)

    # From the event loop ---------------------------------------------------------------------------------------------

    def _submit(self, ask: Ask, sink: Sink) -> str:
        with self._changed:  # held while the sink is noted: the first piece may come at once
            if self._closing or not self._thread.is_alive():
                raise Full("The server is shutting down and takes no more requests.")
            request = self.engine.submit(ask)
            self._sinks[request] = sink
            self._changed.notify_all()
        return request

    def _cancel(self, request: str) -> None:
        with self._changed:
            self._sinks.pop(request, None)
            self.engine.cancel(request)
            self._changed.notify_all()

    # The thread ------------------------------------------------------------------------------------------------------

    def _run(self, make: Callable[[], Any]) -> None:
        torch.set_num_threads(torch.get_num_threads())  # of this thread's products, too
        try:
            self.engine = make()
        except BaseException as error:
            self._made.set_exception(error)
            return
        self._made.set_result(self.engine)
        while self._wait_for_work():
            try:
                pieces = self.engine.step()
            except Exception as error:  # of no request in particular: those that run end, the thread goes on
                pieces = self.engine.abandon(error)
            self._hand_out(pieces)
        with self._changed:
            rest = list(self._sinks)
        for request in rest:
            self.engine.cancel(request)
        if rest:
            self._hand_out(self.engine.step())

    def _wait_for_work(self) -> bool:
        """Sleep until there is something to do; False where the thread is to end."""
        with self._changed:
            while self.engine.idle and not self._closing:
                self._changed.wait()
            return not (self._stopped or (self._closing and self.engine.idle))

    def _hand_out(self, pieces: dict[str, Piece]) -> None:
        with self._changed:
            for request, piece in pieces.items():
                sink = self._sinks.pop(request, None) if piece.finish else self._sinks.get(request)
                if sink is not None:
                    sink(piece)
