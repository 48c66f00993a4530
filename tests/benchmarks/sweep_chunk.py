"""A long prompt arrives while others are being answered: six clients whose replies are cut at 40 tokens; once all of
them are being written, a seventh sends a prompt of about 1,500 tokens, whose reply is cut at 4. The server reads at most
16, 64 or 2,048 tokens of a prompt per step. Int8 weights, one round per case. Other programs ran on the same two cores,
so seconds are long: compare the pauses with one another."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from statistics import median

from openai import AsyncOpenAI

from helpers.serving import start_server

NAME = "18_chunk"
CASES = [{"chunk": chunk} for chunk in (16, 64, 2048)]
OTHERS = 6
WORDS = "the desk noted that a wheel was late and a battery went back with its box".split()


def run(case: dict) -> dict:
    with start_server(bits=8, embedder=False, chunk=case["chunk"]) as server:
        return asyncio.run(one_round(AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0)))


async def one_round(client: AsyncOpenAI) -> dict[str, float]:
    """Seconds: the longest pause and the median one between two tokens of the others, and the long one's first token."""
    moments: list[list[float]] = [[] for _ in range(OTHERS)]
    others = [
        asyncio.create_task(ask(client, f"Client {i}: write ten polite emails about a late bicycle.", 40, came))
        for i, came in enumerate(moments)
    ]
    while min(map(len, moments)) < 8 and not any(task.done() for task in others):
        await asyncio.sleep(0.02)
    long: list[float] = []
    sent = time.perf_counter()
    pasted = " ".join(f"{word} {i}" for i, word in enumerate(WORDS * 21))
    read, *_ = await asyncio.gather(ask(client, f"Sum this up: {pasted}", 4, long), *others)
    gaps = [after - before for came in moments for before, after in pairwise(came)]
    return {
        "longest_gap_s": round(max(gaps), 3),
        "median_gap_s": round(median(gaps), 3),
        "first_token_of_the_long_one_s": round(long[0] - sent, 3),
        "prompt_tokens": read,
        "pauses": len(gaps),
    }


async def ask(client: AsyncOpenAI, text: str, tokens: int, moments: list[float]) -> int:
    """Streams one reply, and keeps when each piece of text came; the tokens of its prompt."""
    stream = await client.chat.completions.create(
        model="chat",
        messages=[{"role": "user", "content": text}],
        max_tokens=tokens,
        stream=True,
        stream_options={"include_usage": True},
    )
    read = 0
    async for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            moments.append(time.perf_counter())
        read = chunk.usage.prompt_tokens if chunk.usage else read
    return read
