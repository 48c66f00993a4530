"""Drills: what a server does when too many ask, when clients hang up, when it has to stop, and when a request breaks.

    with start_server(bits=8, embedder=False) as server:
        asyncio.run(crowd(server, clients=200, seconds=30))          # {"answered": …, "refused": …, "crossed": 0, …}
        asyncio.run(hang_ups(server, clients=1000, at_once=64))
        asyncio.run(one_breaks(server, rounds=8, together=8))        # where something plants the fault
        asyncio.run(stop_under_load(server, clients=40))             # the last one: then the server has ended

Each request carries a nonce, a number that no other request has. A JSON schema with this constant leaves the model no
choice but to write it, so a reply that reaches the wrong client is seen, whatever the model can do. That a request is
not continued with another's keys and values is a matter of equal tokens: `tests/serving/test_engine.py`.

What it does not do: judge. Each drill says what happened, and a test says what must not.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import psutil

from helpers.old.serving.process import ServerProcess
from tests.benchmarks.load import Target
from tests.benchmarks.load_records import Reply, Request, percentiles

MARK = "Break here."  # in the prompt of a request that is to break: see `tests.benchmarks.serve_breaking`
REFUSED = "HTTP 503"
LEFT_ALONE = 0.05  # seconds between two looks at a server that is to become idle


def nonce_requests(tokens: int, seed: int = 0) -> Iterator[Request]:
    """Requests without end, each with its own nonce, whose replies have `tokens` tokens: a digit each, and the end."""
    rng, given = random.Random(seed), set()
    while True:
        nonce = str(rng.randrange(10 ** (tokens - 2), 10 ** (tokens - 1)))
        if nonce in given:
            continue
        given.add(nonce)
        wanted = {"type": "json_schema", "json_schema": {"name": "nonce", "schema": {"const": int(nonce)}}}
        yield Request(_says(f"My number is {nonce}."), tokens, nonce, extra={"response_format": wanted})


def _says(text: str) -> tuple[dict[str, str], ...]:
    return ({"role": "system", "content": "Repeat the number."}, {"role": "user", "content": text})


def counted(replies: Sequence[Reply]) -> dict[str, Any]:
    """What became of requests with nonces. `lost`: neither whole nor refused by 503, by kind; `crossed`: another's."""
    nonces, waits, lost = {reply.request.nonce for reply in replies}, [], Counter()
    refused = crossed = unnamed = 0
    for reply in replies:
        if reply.error == REFUSED:
            refused += 1
            unnamed += reply.retry_after is None
        elif answered(reply):
            waits.append(reply.arrivals[0] - reply.sent)
        else:
            lost[reply.error or "another text"] += 1
            crossed += reply.text in nonces - {reply.request.nonce}
    return {
        "requests": len(replies),
        "answered": len(waits),
        "refused": refused,
        "refused_without_retry_after": unnamed,
        "lost": dict(lost),
        "crossed": crossed,
        "first_token_s": percentiles(waits),
    }


def answered(reply: Reply) -> bool:
    """Whether a request with a nonce got its own one, and nothing else."""
    return reply.ok and reply.text == reply.request.nonce


def state(server: ServerProcess) -> dict[str, int]:
    """What the server holds now: requests that run and wait, pages in use, resident memory in megabytes."""
    figures = server.metrics()
    return {
        "running": round(figures["llm_running"]),
        "waiting": round(figures["llm_waiting"]),
        "pages_used": round(figures["llm_pages{state=used}"]),
        "memory_mb": round(psutil.Process(server.pid).memory_info().rss / 1e6),
    }


async def idle_again(server: ServerProcess, seconds: float = 30.0) -> dict[str, Any]:
    """The state once nothing runs or waits, and after how many seconds; the last one seen where that never comes."""
    began = time.perf_counter()
    while True:
        found, took = await asyncio.to_thread(state, server), time.perf_counter() - began
        if not (found["running"] or found["waiting"]) or took > seconds:
            return found | {"after_s": round(took, 2)}
        await asyncio.sleep(LEFT_ALONE)


async def crowd(server: ServerProcess, clients: int, seconds: float, tokens: int = 8) -> dict[str, Any]:
    """Clients who ask again and again for so many seconds, and after 503 as soon as `Retry-After` allows."""
    before, requests, rng = state(server), nonce_requests(tokens), random.Random(1)
    replies: list[list[Reply]] = [[] for _ in range(clients)]
    ends, cpu = time.perf_counter() + seconds, time.process_time()

    async def client(own: list[Reply]) -> None:
        while time.perf_counter() < ends:
            own.append(await target.ask(next(requests)))
            if own[-1].retry_after is not None:
                await asyncio.sleep(own[-1].retry_after * rng.uniform(1.0, 1.5))

    async with Target(server.base_url, "chat") as target:
        began = time.perf_counter()
        await asyncio.gather(*map(client, replies))
        took = time.perf_counter() - began
    served = sum(any(map(answered, own)) for own in replies)
    found = counted([reply for own in replies for reply in own])
    cores = {"client_cores": round((time.process_time() - cpu) / took, 2)}
    return found | {"clients_answered": served} | cores | {"before": before, "after": await idle_again(server)}


async def hang_ups(
    server: ServerProcess, clients: int, at_once: int, tokens: int = 64, seed: int = 2
) -> dict[str, Any]:
    """Clients who leave: half after 0 to 2 seconds, whatever has come, half after 1 to 8 pieces of a longer reply.

    In four parts, with the server's state after each: memory that grows from part to part is lost. Who is refused asks
    again a little later. At the end one client stays, to see whether the server still works.
    """
    rng, last = random.Random(seed), next(nonce_requests(8))
    before, parts, replies = state(server), [], []

    def leaver(number: int) -> Request:
        way = {"patience": rng.uniform(0, 2)} if rng.random() < 0.5 else {"leave_after": rng.randint(1, 8)}
        return Request(_says(f"Tell me a long story about the number {number}."), tokens, **way)

    async def place(numbers: Iterator[int]) -> None:
        for number in numbers:  # shared: a place that becomes free is taken by the next client
            replies.append(await target.ask(leaver(number)))
            while replies[-1].error == REFUSED:
                await asyncio.sleep(rng.uniform(0.2, 0.6))
                replies.append(await target.ask(leaver(number)))

    async with Target(server.base_url, "chat") as target:
        for part in range(4):
            numbers = iter(range(clients * part // 4, clients * (part + 1) // 4))
            await asyncio.gather(*(place(numbers) for _ in range(at_once)))
            parts.append(await idle_again(server))
        answer = await target.ask(last)
    return {
        "left": sum(reply.left for reply in replies),
        "left_before_any_text": sum(reply.left and not reply.arrivals for reply in replies),
        "finished_before_they_left": sum(reply.ok for reply in replies),
        "refused": sum(reply.error == REFUSED for reply in replies),
        "lost": dict(Counter(reply.error for reply in replies if reply.error and reply.error != REFUSED)),
        "hang_ups_seen": round(server.metrics()["llm_hangups_total"]),
        "before": before,
        "after_each_quarter": parts,
        "answered_afterwards": answered(answer),
    }


async def one_breaks(server: ServerProcess, rounds: int, together: int, tokens: int = 8) -> dict[str, Any]:
    """In each round some clients ask together, and the request of one of them breaks while it is written."""
    requests, replies, broken = nonce_requests(tokens), [], []
    before = state(server)
    async with Target(server.base_url, "chat") as target:
        for _ in range(rounds):
            asked = [next(requests) for _ in range(together)]
            bad = next(requests)
            bad = replace(bad, messages=_says(f"{MARK} My number is {bad.nonce}."))
            *good, failed = await asyncio.gather(*map(target.ask, [*asked, bad]))
            replies += good
            broken.append(failed)
        after = await idle_again(server)
    return {
        **counted(replies),
        "broken": len(broken),
        "broken_and_named": sum(reply.error == "error in the stream" and bool(reply.arrivals) for reply in broken),
        "server_runs": server.running,
        "before": before,
        "after": after,
    }


async def stop_under_load(server: ServerProcess, clients: int, tokens: int = 32, late: int = 8) -> dict[str, Any]:
    """SIGTERM while `clients` requests run or wait; `late` more come after it. The server has ended afterwards."""
    requests = nonce_requests(tokens)
    async with Target(server.base_url, "chat") as target:
        asking = [asyncio.create_task(target.ask(next(requests))) for _ in range(clients)]
        figures = await _once_all_are_in(server, clients)
        began = time.perf_counter()
        os.kill(server.pid, signal.SIGTERM)
        async with Target(server.base_url, "chat") as others:
            while await _listens(server):
                await asyncio.sleep(LEFT_ALONE)
            closed = time.perf_counter() - began
            refused = await asyncio.gather(*(others.ask(next(requests)) for _ in range(late)))
        replies = await asyncio.gather(*asking)
    status = await asyncio.to_thread(server.process.wait, 60)
    return {
        **counted(replies),
        "at_the_signal": figures,
        "closed_after_s": round(closed, 2),
        "late": dict(Counter(reply.error for reply in refused)),
        "exit_status": status,
        "ended_after_s": round(time.perf_counter() - began, 2),
    }


async def _once_all_are_in(server: ServerProcess, clients: int) -> dict[str, int]:
    """The state as soon as all clients' requests run or wait, as many as can run together; after a minute, as it is."""
    most, ends = min(clients, server.settings.max_running), time.perf_counter() + 60
    while True:
        found = await asyncio.to_thread(state, server)
        if found["running"] >= most and found["running"] + found["waiting"] >= clients or time.perf_counter() > ends:
            return found
        await asyncio.sleep(LEFT_ALONE)


async def _listens(server: ServerProcess) -> bool:
    host, port = server.url.removeprefix("http://").split(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True
