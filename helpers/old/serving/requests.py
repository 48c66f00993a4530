"""What a server's parts say to each other: a request to write text, and what it gets at each step.

    ask = Ask(prompt=tuple(ids), max_new_tokens=64, stop=("\\n\\n",))
    request = engine.submit(ask)               # helpers.old.serving.engine
    engine.step()[request]                     # Piece(text=" Paris", tokens=(7042,), …)

The engine speaks in tokens and settled text; HTTP, JSON and chat templates are the server's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from helpers.old.generation.token_grammar import TokenGrammar

Finish = Literal["stop", "length", "cancelled", "error"]
MOST_LOGPROBS = 20  # alternatives per token, as OpenAI's API has it


class Full(Exception):
    """The queue of waiting requests is full: ask again later."""


@dataclass(frozen=True)
class Ask:
    """One request: continue `prompt`. Raises ValueError, in one sentence, for settings that make no sense.

    Whether the prompt fits the model, and whether the adapter exists, is checked by the engine's `submit`.
    """

    prompt: tuple[int, ...]  # token ids, chat template applied
    max_new_tokens: int = 128
    temperature: float = 0.0  # 0: the likeliest token each time
    top_p: float = 1.0
    seed: int | None = None  # the same seed draws the same tokens, whoever else is being served
    stop: tuple[str, ...] = ()
    adapter: str | None = None  # a name that the engine was given; None: the model itself
    grammar: TokenGrammar | None = None  # the reply cannot leave it, and ends within max_new_tokens
    logprobs: int | None = None  # alternatives to give for each token, 0 to 20; None: no log-probabilities

    def __post_init__(self) -> None:
        if not self.prompt or not all(_is_whole(token) for token in self.prompt):
            raise ValueError("A prompt is a tuple of at least one token id.")
        if not _is_whole(self.max_new_tokens) or self.max_new_tokens < 1:
            raise ValueError(f"max_new_tokens is a whole number from 1, not {self.max_new_tokens}.")
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(f"A temperature is a number from 0, not {self.temperature}.")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is a probability above 0 and at most 1, not {self.top_p}.")
        if isinstance(self.stop, str) or not all(isinstance(word, str) and word for word in self.stop):
            raise ValueError("stop is a tuple of strings that are not empty.")
        if self.seed is not None and not (_is_whole(self.seed) and -(2**63) <= self.seed < 2**63):
            raise ValueError(f"A seed is a whole number of at most 64 bits, not {self.seed}.")
        if self.logprobs is not None and not (_is_whole(self.logprobs) and 0 <= self.logprobs <= MOST_LOGPROBS):
            raise ValueError(f"logprobs is a whole number from 0 to {MOST_LOGPROBS}, not {self.logprobs}.")


@dataclass(frozen=True)
class TokenLogprobs:
    """How likely a written token was, in nats (natural logarithm), by the model's own distribution.

    That is the distribution before temperature, top_p and grammar change it.
    """

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...] = ()  # the likeliest tokens and their log-probabilities, falling


@dataclass(frozen=True)
class Usage:
    """What a request cost, in tokens."""

    prompt_tokens: int
    cached_tokens: int  # of the prompt, found in the prefix cache and so not read again
    completion_tokens: int  # written, the token that ends a reply included


@dataclass(frozen=True)
class Piece:
    """What one request gets at one step."""

    text: str  # settled text since the last piece, may be ""
    tokens: tuple[int, ...]  # new token ids
    logprobs: tuple[TokenLogprobs, ...] = ()  # one per new token, where they were asked for
    finish: Finish | None = None  # with the last piece; "stop": an end token or a stop string
    usage: Usage | None = None  # with finish
    error: str | None = None  # one sentence, with finish="error"


@dataclass(frozen=True)
class EngineStats:
    """What an engine is doing now, and what it has done since it was made."""

    running: int  # requests that own pages
    waiting: int  # requests in the queue
    pages_used: int  # by running requests, shared pages counted once
    pages_free: int  # free at once, or held by the prefix cache and given up when needed
    pages_cached: int  # of the free ones, those that the prefix cache holds
    tokens_read: int  # prompt tokens that went through the model
    tokens_written: int
    prefix_tokens_hit: int  # prompt tokens that the prefix cache spared


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)
