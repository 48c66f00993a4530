"""One server, one number of clients, one closed loop: what sweeps of servers are made of.

    trial("ours", clients=16, tokens=16)      # {"tokens_per_s": …, "tokens_per_cpu_s": …, "first_token_s": {…}, …}

A server is started at its first trial and stays until this process ends, so that trials of several servers can take
turns; while it is not its turn it is suspended, since some servers keep a core busy with waiting. Processor seconds
are those of the server alone; the client's stand beside them as `client_cores`.
"""

from __future__ import annotations

import asyncio
import atexit
from contextlib import ExitStack

from tests.benchmarks.load import closed_loop, mixed_requests
from tests.benchmarks.peers import PEERS, NotHere, Running, started, threads

STACK, RUNNING, MISSING = ExitStack(), {}, {}
atexit.register(STACK.close)


def server(name: str) -> Running:
    """The running server of this name; started, and asked once, at the first call. Raises NotHere."""
    if name in MISSING:
        raise NotHere(MISSING[name])
    for other in RUNNING.values():
        other.suspend(other.name != name)
    if name not in RUNNING:
        try:
            found = STACK.enter_context(started(name))
        except NotHere as error:
            MISSING[name] = str(error)
            raise
        asyncio.run(closed_loop(found.base_url, mixed_requests(1, tokens=(2, 2), seed=99), 1, model=found.model))
        RUNNING[name] = found
    return RUNNING[name]


def trial(name: str, clients: int, tokens: int, *, requests: int | None = None, **options: object) -> dict:
    """One closed loop of `requests`, by default one for each client and at least two; options of `mixed_requests`."""
    try:
        found = server(name)
    except NotHere as error:
        return {"not measured": str(error)}
    asked = mixed_requests(requests or max(2, clients), tokens=(tokens, tokens), seed=clients, **options)
    before = found.cpu_seconds()
    summary = asyncio.run(closed_loop(found.base_url, asked, clients, model=found.model)).summary()
    took = found.cpu_seconds() - before
    return {
        "weights": PEERS[name].weights,
        "threads": threads(),
        **{name: value for name, value in summary.items() if name != "seconds"},  # a sweep's own are the case's
        "cpu_s": round(took, 2),
        "tokens_per_cpu_s": round(summary["tokens"] / took, 2),
        "memory_mb": round(found.memory_mb()),
    }
