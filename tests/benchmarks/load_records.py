"""What a load generator sends and what it keeps: requests, replies with their times, and their percentiles.

    requests = mixed_requests(32, tokens=(8, 48), shared=0.5, system_tokens=400)
    load.summary()                             # of a `Load`, which `tests.benchmarks.load` measures

What it does not do: send anything.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from helpers.velunda.handbook import load_handbook

PERCENTILES = (50, 95, 99)
CHARACTERS_PER_TOKEN = 4.5  # of the handbook, in the chat model's tokens
THINGS = ("a clockmaker", "a lighthouse", "two rivers", "an old bridge", "a night train", "the last apple tree")


@dataclass(frozen=True)
class Request:
    """What one user sends."""

    messages: tuple[Mapping[str, str], ...]
    max_tokens: int = 32
    nonce: str | None = None  # a text that the reply has to hold, and no other reply may hold
    leave_after: int | None = None  # the client hangs up after that many pieces of text
    patience: float | None = None  # the client hangs up after that many seconds, whatever has come
    extra: Mapping[str, object] = field(default_factory=dict)  # further fields of the body


@dataclass
class Reply:
    """What became of one request; times in seconds of `time.perf_counter`."""

    request: Request
    due: float  # when its user wanted it to be sent
    sent: float = 0.0
    arrivals: list[float] = field(default_factory=list)  # of pieces of text
    end: float = 0.0
    text: str = ""
    tokens: int | None = None  # as the server counts them; None: it does not say
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    finish: str | None = None
    error: str | None = None  # its kind: "HTTP 503", "ConnectError", "cut off", "wrong nonce" …
    retry_after: float | None = None  # seconds that a refusal asks to wait
    left: bool = False  # the client hung up, as it was meant to

    @property
    def ok(self) -> bool:
        return self.error is None and not self.left

    @property
    def n_tokens(self) -> int:
        """Tokens as the server counts them, otherwise pieces of text, of which most servers send one per token."""
        return len(self.arrivals) if self.tokens is None else self.tokens


@dataclass(frozen=True)
class Load:
    """All replies of one run."""

    replies: tuple[Reply, ...]
    client_seconds: float  # processor seconds that this process took meanwhile

    @property
    def seconds(self) -> float:
        """From the first request sent to the last one ended."""
        return max(reply.end for reply in self.replies) - min(reply.sent for reply in self.replies)

    @property
    def errors(self) -> Counter[str]:
        return Counter(reply.error for reply in self.replies if reply.error)

    def first_token(self) -> list[float]:
        """Seconds from due to the first piece of text, one per reply that has text."""
        return [reply.arrivals[0] - reply.due for reply in self.replies if reply.ok and reply.arrivals]

    def gaps(self) -> list[float]:
        """Seconds between one piece of text and the next, of all replies together (inter-token latency)."""
        return [after - before for reply in self.replies if reply.ok for before, after in pairwise(reply.arrivals)]

    def end_to_end(self) -> list[float]:
        """Seconds from due to the end of the reply."""
        return [reply.end - reply.due for reply in self.replies if reply.ok]

    def summary(self) -> dict[str, object]:
        """Counts, rates per second, and percentiles in seconds; None where nothing was measured.

        Below 100 values the 99th percentile is hardly anything but the largest value: read it beside `requests`.
        """
        good = [reply for reply in self.replies if reply.ok]
        tokens = sum(reply.n_tokens for reply in good)
        cached = [reply.cached_tokens for reply in good if reply.cached_tokens is not None]
        return {
            "requests": len(self.replies),
            "answered": len(good),
            "left": sum(reply.left for reply in self.replies),
            "errors": dict(self.errors),
            "tokens": tokens,
            "counted_by": "server" if good and all(r.tokens is not None for r in good) else "pieces of text",
            "prompt_tokens": sum(reply.prompt_tokens or 0 for reply in good),
            "cached_tokens": sum(cached) if cached else None,
            "seconds": round(self.seconds, 3),
            "tokens_per_s": round(tokens / self.seconds, 2),
            "requests_per_s": round(len(good) / self.seconds, 3),
            "client_cores": round(self.client_seconds / self.seconds, 3),
            "sent_late_s": round(max(reply.sent - reply.due for reply in self.replies), 3),
            "first_token_s": percentiles(self.first_token()),
            "gap_s": percentiles(self.gaps()),
            "end_to_end_s": percentiles(self.end_to_end()),
        }

    def __str__(self) -> str:
        found = self.summary()
        lines = [
            f"{found['answered']} of {found['requests']} answered in {found['seconds']:.1f} s: "
            f"{found['tokens_per_s']:.1f} tokens per second; the client took {found['client_cores']:.2f} cores"
        ]
        for name, label in (("first_token_s", "first token"), ("gap_s", "next token"), ("end_to_end_s", "whole reply")):
            if found[name]:
                lines.append(f"  {label:12}" + "   ".join(f"{p} {s:8.3f} s" for p, s in found[name].items()))
        if found["errors"]:
            lines.append("  errors: " + ", ".join(f"{kind} × {n}" for kind, n in found["errors"].items()))
        return "\n".join(lines)


def percentiles(values: Sequence[float]) -> dict[str, float] | None:
    """{"p50": …, "p95": …, "p99": …} of some seconds, interpolated linearly; None of no values."""
    if not len(values):
        return None
    return {f"p{p}": round(float(x), 4) for p, x in zip(PERCENTILES, np.percentile(values, PERCENTILES), strict=True)}


# What is asked --------------------------------------------------------------------------------------------------------


def mixed_requests(
    n: int,
    *,
    tokens: tuple[int, int] = (24, 24),
    shared: float = 0.0,
    system_tokens: int = 0,
    pasted: float = 0.0,
    nonces: bool = False,
    seed: int = 0,
) -> list[Request]:
    """`n` requests for stories, which do not end by themselves before some 60 tokens.

    tokens: fewest and most tokens to write, drawn uniformly. system_tokens: about how long the system prompt is, an
    excerpt of the handbook; a share `shared` of the requests has the same one (a prefix that a server may keep), each
    other one has its own. pasted: share of the requests whose user pastes 300 tokens of the handbook into the question.
    nonces: the reply has to be JSON with a number that no other request asks for (`response_format`), so that a reply
    which goes to the wrong client is found; give such requests 32 tokens or more.
    Raises ValueError for no requests, shares outside [0, 1] and an impossible range of tokens.
    """
    if n < 1 or not 1 <= tokens[0] <= tokens[1]:
        raise ValueError(f"A load needs at least one request of one token, not n={n} and tokens={tokens}.")
    if not (0 <= shared <= 1 and 0 <= pasted <= 1):
        raise ValueError(f"shared and pasted are shares between 0 and 1, not {shared} and {pasted}.")
    rng = random.Random(seed)
    handbook = "\n\n".join(document.text for document in load_handbook().values())
    requests = []
    for i in range(n):
        messages = []
        if system_tokens:
            start = 0 if rng.random() < shared else (1 + i) * 1_000
            messages.append({"role": "system", "content": _excerpt(handbook, start, system_tokens)})
        question = f"Story {i}: tell me a very long story about {rng.choice(THINGS)} and {rng.choice(THINGS)}."
        if rng.random() < pasted:
            question = _excerpt(handbook, rng.randrange(len(handbook)), 300) + "\n\n" + question
        nonce = f"{rng.randrange(16**12):012x}" if nonces else None
        extra = {"response_format": _only(nonce)} if nonce else {}
        messages.append({"role": "user", "content": question})
        requests.append(Request(tuple(messages), rng.randint(*tokens), nonce, extra=extra))
    return requests


def _only(nonce: str) -> dict[str, object]:
    """A response format that leaves the model no choice but the nonce."""
    schema = {
        "type": "object",
        "properties": {"nonce": {"const": nonce}},
        "required": ["nonce"],
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "nonce", "schema": schema, "strict": True}}


def _excerpt(text: str, start: int, tokens: int) -> str:
    length = int(tokens * CHARACTERS_PER_TOKEN)
    start %= max(1, len(text) - length)
    return text[start : start + length].strip()
