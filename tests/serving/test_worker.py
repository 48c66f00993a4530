"""The thread gives every stream its own pieces, survives errors, and ends when told to."""

from __future__ import annotations

import asyncio
import threading

import pytest

from helpers.old.serving import Ask, EngineWorker, Full
from tests.serving.tiny import alone_endless, endless_engine, prompt, text, tokens, wordy


def with_worker(scenario, drain_seconds: float = 30.0, **options):
    """Run scenario(worker) on an event loop; the worker is closed and its thread gone afterwards."""

    async def main():
        worker = EngineWorker(lambda: endless_engine(**options))
        try:
            return await scenario(worker)
        finally:
            await worker.close(drain_seconds)
            assert not worker.alive and not worker._thread.is_alive()

    return asyncio.run(main())


async def reply(worker: EngineWorker, ask: Ask) -> list:
    return [piece async for piece in worker.stream(ask)]


def test_every_stream_gets_its_own_reply():
    wanted = wordy(4, 5, 12) + wordy(4, 9, 20)

    async def scenario(worker):
        return await asyncio.gather(*(reply(worker, ask) for ask in wanted)), worker.stats

    found, stats = with_worker(scenario)
    assert [tokens(pieces) for pieces in found] == [alone_endless(ask) for ask in wanted]
    assert all(pieces[-1].finish == "length" for pieces in found)
    assert stats.pages_used == 0 and stats.tokens_written == 4 * 12 + 4 * 20


def test_leaving_a_stream_cancels_its_request():
    (long, other) = wordy(2, 5, 100)

    async def scenario(worker):
        stream = worker.stream(long)
        first = await anext(stream)
        await stream.aclose()
        after = await reply(worker, Ask(other.prompt, 3))
        return first, after, worker.stats

    first, after, stats = with_worker(scenario)
    assert first.finish is None and tokens(after) == alone_endless(Ask(other.prompt, 3))
    assert stats.running == 0 and stats.pages_used == 0 and stats.tokens_written < 50


def test_a_time_limit_around_a_stream_cancels_it_too():
    (long,) = wordy(1, 5, 100)

    async def scenario(worker):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await reply(worker, long)
        await reply(worker, Ask(prompt(3), 1))
        return worker.stats

    assert with_worker(scenario).running == 0


def test_what_the_engine_refuses_reaches_the_caller():
    async def scenario(worker):
        with pytest.raises(ValueError, match="no adapter"):
            await reply(worker, Ask(prompt(3), 2, adapter="unknown"))
        worker.engine.max_waiting = 0
        with pytest.raises(Full, match="waiting already"):
            await reply(worker, Ask(prompt(3), 2))
        worker.engine.max_waiting = 9
        return await reply(worker, Ask(prompt(3), 2))

    assert tokens(with_worker(scenario)) == alone_endless(Ask(prompt(3), 2))


def test_an_error_of_a_step_ends_the_requests_that_run_and_not_the_thread():
    (ask,) = wordy(1, 5, 12)

    async def scenario(worker):
        step, failed = worker.engine.step, []

        def stumble():
            if worker.engine.running and not failed:
                failed.append(True)
                raise MemoryError("planted")
            return step()

        worker.engine.step = stumble
        return await reply(worker, ask), await reply(worker, ask), worker.alive

    first, second, alive = with_worker(scenario)
    assert first[-1].finish == "error" and first[-1].error == "MemoryError: planted"
    assert tokens(second) == alone_endless(ask) and alive


def test_closing_lets_running_requests_finish_and_refuses_new_ones():
    (ask,) = wordy(1, 5, 30)

    async def scenario():
        worker = EngineWorker(endless_engine)
        stream = worker.stream(ask)
        first = await anext(stream)
        closing = asyncio.create_task(worker.close(30.0))
        await asyncio.sleep(0)
        with pytest.raises(Full, match="shutting down"):
            await reply(worker, ask)
        rest = [piece async for piece in stream]
        await closing
        return [first, *rest]

    pieces = asyncio.run(scenario())
    assert tokens(pieces) == alone_endless(ask) and pieces[-1].finish == "length" and text(pieces)


def test_what_has_not_finished_when_time_is_up_is_cancelled():
    (ask,) = wordy(1, 5, 100)

    async def scenario():
        worker = EngineWorker(endless_engine)
        step, paused = worker.engine.step, threading.Event()

        def slow_step():
            paused.wait(0.02)
            return step()

        worker.engine.step = slow_step
        stream = worker.stream(ask)
        await anext(stream)
        await worker.close(0.0)
        last = [piece async for piece in stream][-1]
        return last, worker.stats

    last, stats = asyncio.run(scenario())
    assert last.finish == "cancelled" and last.usage.completion_tokens < 100
    assert stats.pages_used == 0


def test_closing_twice_and_without_work_is_fine():
    async def scenario():
        worker = EngineWorker(endless_engine)
        assert worker.alive
        await worker.close(5.0)
        await worker.close(0.0)
        return worker.alive

    assert not asyncio.run(scenario())


def test_what_goes_wrong_while_the_engine_is_made_is_raised_where_it_was_asked_for():
    def broken():
        raise ValueError("no such adapter")

    with pytest.raises(ValueError, match="no such adapter"):
        EngineWorker(broken)


def test_the_engine_is_made_in_the_thread_that_steps_it():
    made = []

    def make():
        made.append(threading.current_thread().name)
        return endless_engine()

    async def main():
        worker = EngineWorker(make)
        await worker.close(1.0)

    asyncio.run(main())
    assert made == ["engine"]
