"""A load generator for servers with OpenAI's interface: what does each request wait, and what does the server write?

    python -m tests.benchmarks.load --base-url http://127.0.0.1:8000/v1 --clients 1 4 8 16     closed loop
    python -m tests.benchmarks.load --base-url http://127.0.0.1:8000/v1 --rate 0.5             open loop

    requests = mixed_requests(32, tokens=(8, 48), shared=0.5)
    load = await closed_loop("http://127.0.0.1:8000/v1", requests, clients=16)
    load = await open_loop("http://127.0.0.1:8000/v1", requests, rate=0.5)
    print(load)                                # tokens per second, percentiles of latency, errors by kind
    load.summary()                             # the same as a dictionary

In a closed loop each of N clients sends its next request when its last one is answered: the server sets the pace, and
never more than N requests are under way. In an open loop requests arrive whenever users happen to send them (Poisson),
however slow the server is; a request that had to be sent late is timed from the moment at which it was due, since its
user waits from then on (G. Tene calls the mistake of not doing so coordinated omission).

The generator works on the same cores as a local server and so slows it down: `client_cores` says how much it took.

What it does not do: judge what is written, or spread itself over several machines.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence

import httpx2
import numpy as np

from tests.benchmarks.load_records import Load, Reply, Request, mixed_requests

__all__ = ["Load", "Reply", "Request", "Target", "closed_loop", "mixed_requests", "open_loop"]


class Target:
    """A server under load: an address, a model, and the connections to it.

    base_url: ends in /v1; model: a name, by default the first one that the server offers.
    """

    def __init__(self, base_url: str, model: str | None = None, *, api_key: str = "none", timeout: float = 600) -> None:
        self.base_url, self.model = base_url.rstrip("/"), model
        self.client = httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=timeout,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),
            trust_env=False,  # a proxy for the web is none for a server of one's own
        )

    async def __aenter__(self) -> Target:
        if self.model is None:
            listed = (await self.client.get(f"{self.base_url}/models")).raise_for_status().json()
            self.model = listed["data"][0]["id"]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def ask(self, request: Request, due: float | None = None) -> Reply:
        """Sends one request and reads its stream to the end. Never raises for what a server does: see `Reply.error`."""
        now = time.perf_counter()
        reply = Reply(request, now if due is None else due, sent=now)
        body = {
            "model": self.model,
            "messages": list(request.messages),
            "max_tokens": request.max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
            **request.extra,
        }
        address = f"{self.base_url}/chat/completions"
        try:
            async with asyncio.timeout(request.patience), self.client.stream("POST", address, json=body) as response:
                if response.status_code != 200:
                    reply.error = f"HTTP {response.status_code}"
                    asked = response.headers.get("retry-after", "")
                    reply.retry_after = float(asked) if asked.isdecimal() else None
                else:
                    await self._read(response, reply)
        except TimeoutError:
            reply.left = True
        except httpx2.HTTPError as error:
            reply.error = type(error).__name__
        reply.end = time.perf_counter()
        if reply.ok and request.nonce and request.nonce not in reply.text:
            reply.error = "wrong nonce"
        return reply

    async def _read(self, response: httpx2.Response, reply: Reply) -> None:
        """Reads server-sent events into the reply."""
        async for line in response.aiter_lines():
            if not line.startswith("data:"):
                continue
            data = line[5:].strip()
            if data == "[DONE]":
                break
            try:
                event = json.loads(data)
            except ValueError:
                reply.error = "broken event"
                return
            if event.get("error"):
                reply.error = "error in the stream"
                return
            take_usage(reply, event.get("usage"))
            for choice in event.get("choices") or ():
                piece = (choice.get("delta") or {}).get("content")
                if piece:
                    reply.arrivals.append(time.perf_counter())
                    reply.text += piece
                reply.finish = choice.get("finish_reason") or reply.finish
            if reply.request.leave_after is not None and len(reply.arrivals) >= reply.request.leave_after:
                reply.left = True
                return
        if reply.finish is None:
            reply.error = "cut off"


def take_usage(reply: Reply, usage: Mapping[str, object] | None) -> None:
    """Keeps what an event says about the tokens of its request."""
    if usage:
        reply.tokens, reply.prompt_tokens = usage.get("completion_tokens"), usage.get("prompt_tokens")
        reply.cached_tokens = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")


async def closed_loop(
    base_url: str, requests: Sequence[Request], clients: int, *, model: str | None = None, **target: object
) -> Load:
    """`clients` users, each of whom sends the next of the requests once the last one is answered.

    Raises ValueError for no clients, and httpx2.HTTPError if no model is named and the server cannot be reached.
    """
    if clients < 1 or not requests:
        raise ValueError(f"A closed loop needs a client and a request, not {clients} and {len(requests)}.")
    waiting, replies = iter(requests), []

    async def user(server: Target) -> None:
        for request in waiting:  # shared: whoever is free takes the next
            replies.append(await server.ask(request))

    async with Target(base_url, model, **target) as server:
        start = time.process_time()
        await asyncio.gather(*(user(server) for _ in range(clients)))
        return Load(tuple(replies), time.process_time() - start)


async def open_loop(
    base_url: str,
    requests: Sequence[Request],
    rate: float,
    *,
    seed: int = 0,
    model: str | None = None,
    **target: object,
) -> Load:
    """Requests at moments drawn from a Poisson process of `rate` requests per second, whatever the server does.

    Raises ValueError for a rate that is not positive and no requests, and like `closed_loop`.
    """
    if not rate > 0 or not requests:
        raise ValueError(f"An open loop needs a positive rate and a request, not {rate} and {len(requests)}.")
    waits = np.random.default_rng(seed).exponential(1 / rate, len(requests))

    async def user(server: Target, request: Request, due: float) -> Reply:
        await asyncio.sleep(due - time.perf_counter())
        return await server.ask(request, due)

    async with Target(base_url, model, **target) as server:
        start = time.process_time()
        due = time.perf_counter() + np.cumsum(waits) - waits[0]
        replies = await asyncio.gather(*(user(server, r, float(t)) for r, t in zip(requests, due, strict=True)))
        return Load(tuple(replies), time.process_time() - start)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.load", description="Put a server under load.")
    parser.add_argument("--base-url", required=True, help="address that ends in /v1")
    parser.add_argument("--model", help="name of the model (default: the first that the server lists)")
    parser.add_argument("--api-key", default="none")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--clients", type=int, nargs="+", default=[1, 4, 8, 16], help="closed loop, one run for each")
    how.add_argument("--rate", type=float, help="open loop: requests per second")
    parser.add_argument("--requests", type=int, help="how many (default: two for each client; 32 in an open loop)")
    parser.add_argument("--tokens", type=int, nargs=2, default=(24, 24), metavar=("FEWEST", "MOST"))
    parser.add_argument("--system-tokens", type=int, default=0, help="about how long the system prompt is")
    parser.add_argument("--shared", type=float, default=1.0, help="share of requests with the same system prompt")
    parser.add_argument("--pasted", type=float, default=0.0, help="share of requests with a long pasted text")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print summaries as JSON, one line per run")
    options = parser.parse_args(arguments)
    levels = [None] if options.rate else options.clients
    for clients in levels:
        try:
            requests = mixed_requests(
                options.requests or (2 * clients if clients else 32),
                tokens=tuple(options.tokens),
                shared=options.shared,
                system_tokens=options.system_tokens,
                pasted=options.pasted,
                seed=options.seed,
            )
            common = {"model": options.model, "api_key": options.api_key}
            if clients:
                load = asyncio.run(closed_loop(options.base_url, requests, clients, **common))
            else:
                load = asyncio.run(open_loop(options.base_url, requests, options.rate, seed=options.seed, **common))
        except (ValueError, httpx2.HTTPError) as error:
            print(
                f"No load on {options.base_url}: {(str(error) or type(error).__name__).splitlines()[0]}",
                file=sys.stderr,
            )
            return 1
        level = {"clients": clients} if clients else {"rate": options.rate}
        print(json.dumps({**level, **load.summary()}) if options.json else f"{level}: {load}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
