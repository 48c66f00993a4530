"""What a scripted service writes, before it is put into the API's form: pieces of text, and how many there are.

A token here is a word's piece of up to six letters, with the space before it, or a single other sign. Real tokenizers
cut differently; a scripted service only has to count the same way each time.
"""

from __future__ import annotations

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


def prompt_pieces(body: Mapping[str, Any]) -> list[str]:
    """The tokens of a request: tools first, then the turns."""
    found = pieces(str(body["tools"])) if body.get("tools") else []
    for turn in body["messages"]:
        found += ["<turn>"] * PER_MESSAGE + pieces(f"{turn['role']} {turn['content']}")
    return found


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
    """One reply. shown: its pieces; finish: "stop" or "length"; prompt, cached, reasoning: tokens."""

    shown: tuple[str, ...]
    finish: str
    prompt: int = 0
    cached: int = 0
    reasoning: int = 0

    @property
    def text(self) -> str:
        return "".join(self.shown)

    @property
    def completion(self) -> int:
        """Tokens that are billed as output: what is shown, and what was only thought."""
        return self.reasoning + len(self.shown)


def write(outcome: Outcome, text: str, limit: int | None, prompt: int, cached: int) -> Written:
    """What is written for an outcome, within a limit of tokens that hidden reasoning uses up first."""
    room = 10**9 if limit is None else limit
    reasoning = min(outcome.reasoning, room)
    shown, finish = pieces(text), "stop"
    left = room - reasoning
    if len(shown) > left or (not shown and left <= 0):
        shown, finish = shown[:left], "length"
    return Written(tuple(shown), finish, prompt, cached, reasoning)
