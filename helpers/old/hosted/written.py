"""What a scripted service writes, before it is put into one of the two APIs: pieces of text, and how many there are.

A token here is a word's piece of up to six letters, with the space before it, or a single other sign. Real tokenizers
cut differently; a scripted service only has to count the same way each time.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from helpers.old.hosted.outcomes import Outcome

PIECE = re.compile(r"\s*(?:[^\W_]{1,6}|[^\w\s]|_)|\s+$")
PER_MESSAGE = 3  # tokens that mark the beginning and end of a turn
CACHE_BLOCK, CACHE_FROM = 128, 1024  # tokens: a prompt that begins as an earlier one is cheaper, from 1,024 on


def pieces(text: str) -> list[str]:
    """The tokens of a text; joined, they are the text."""
    return PIECE.findall(text)


def prompt_pieces(body: Mapping[str, Any], earlier: list[dict[str, Any]]) -> list[str]:
    """The tokens of a request: tools first, then the earlier turns and the new ones."""
    found = pieces(str(body["tools"])) if body.get("tools") else []
    for turn in earlier + turns_of(body):
        found += ["<turn>"] * PER_MESSAGE + pieces(f"{turn.get('role', '')} {text_of(turn)}")
    return found


def turns_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The new turns of a request to either API, as a list of messages or items."""
    if "messages" in body:
        return list(body["messages"])
    given = body.get("input", "")
    turns = [{"role": "user", "content": given}] if isinstance(given, str) else list(given)
    return ([{"role": "system", "content": body["instructions"]}] if body.get("instructions") else []) + turns


def text_of(turn: Mapping[str, Any]) -> str:
    """All that a turn says, calls of tools and their results included."""
    content = turn.get("content") or turn.get("output") or ""
    if not isinstance(content, str):
        content = "".join(part.get("text") or part.get("refusal") or "" for part in content)
    return content + "".join(str(turn[key]) for key in ("tool_calls", "name", "arguments") if turn.get(key))


class PrefixCache:
    """Which beginnings of prompts were read before, in blocks of 128 tokens from 1,024 on."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def cached(self, prompt: list[str]) -> int:
        """Tokens at the prompt's beginning that an earlier prompt began with; remembers this one."""
        ends = range(CACHE_FROM, len(prompt) + 1, CACHE_BLOCK)
        keys = {end: hash(tuple(prompt[:end])) for end in ends}
        found = max((end for end, key in keys.items() if key in self._seen), default=0)
        self._seen |= set(keys.values())
        return found


@dataclass(frozen=True)
class Written:
    """One reply. shown: its pieces; finish: "stop", "length", "content_filter" or "tool_calls".

    aside: pieces of commentary before the answer; refused: whether the words are a refusal; prompt, cached,
    reasoning: tokens.
    """

    shown: tuple[str, ...]
    finish: str
    aside: tuple[str, ...] = ()
    refused: bool = False
    calls: tuple[tuple[str, str], ...] = ()
    prompt: int = 0
    cached: int = 0
    reasoning: int = 0

    @property
    def text(self) -> str:
        return "".join(self.shown)

    @property
    def completion(self) -> int:
        """Tokens that are billed as output: what is shown, and what was only thought."""
        called = sum(len(pieces(name + arguments)) for name, arguments in self.calls)
        return self.reasoning + len(self.aside) + len(self.shown) + called


def write(outcome: Outcome, text: str, limit: int | None, prompt: int, cached: int) -> Written:
    """What is written for an outcome, within a limit of tokens that hidden reasoning uses up first."""
    room = 10**9 if limit is None else limit
    reasoning = min(outcome.reasoning, room)
    aside = pieces(outcome.aside)[: room - reasoning] if outcome.kind == "commentary" else []
    shown, finish = pieces(text), "stop"
    if outcome.kind == "content_filter":
        shown, finish = shown[: outcome.tokens], "content_filter"
    calls = outcome.calls if outcome.kind == "tool_calls" else ()
    if calls:
        shown, finish = [], "tool_calls"
    left = room - reasoning - len(aside)
    if len(shown) > left or (not shown and not calls and left <= 0):
        shown, finish = shown[:left], "length"
    refused = outcome.kind == "refusal"
    return Written(tuple(shown), finish, tuple(aside), refused, calls, prompt, cached, reasoning)


def vector(text: str, size: int = 64) -> list[float]:
    """A vector of length 1 that depends on a text's words only: texts that share words point the same way."""
    found = [0.0] * size
    for word in text.lower().split():
        place = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
        found[place % size] += 1.0 if place >> 8 & 1 else -1.0
    length = math.sqrt(sum(value * value for value in found)) or 1.0
    return [value / length for value in found]
