"""What can come of one request to a hosted model, and how it is decided: by a script, or by rates.

    Outcome("answer", text="Hello!")            the reply is this text
    Outcome("cut_off", tokens=20)               the connection breaks behind 20 tokens
    Rates({"rate_limited": 0.10, "timeout": 0.02}, seed=0)

A draw depends on the seed, the request's body and how often this body was sent before; it does not depend on the
order in which requests arrive. So a batch meets the same failures whether it runs one by one or side by side.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# kind: (is the work done and billed?, what happens)
KINDS: Mapping[str, tuple[bool, str]] = {
    "answer": (True, "a reply"),
    "malformed": (True, "status 200, and the body is no JSON"),
    "page": (True, "status 200, and a gateway's page of HTML"),
    "cut_off": (True, "the connection breaks behind `tokens` tokens"),
    "timeout": (True, "the reply is written, and does not arrive before the client gives up"),
    "rate_limited": (False, "429, with Retry-After: `seconds`"),
    "server_error": (False, "500"),
    "overloaded": (False, "503"),
    "unreachable": (False, "nobody answers at this address"),
}


@dataclass(frozen=True)
class Outcome:
    """What comes of one request. kind: one of `KINDS`.

    text: what the model writes, or None for what the service writes by itself; tokens: behind how many it ends;
    seconds: what Retry-After says; reasoning: tokens of hidden reasoning, which are billed and which nobody sees.
    """

    kind: str = "answer"
    text: str | None = None
    tokens: int = 20
    seconds: float = 1.0
    reasoning: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no outcome {self.kind!r}: there are {', '.join(KINDS)}.")

    @property
    def billed(self) -> bool:
        return KINDS[self.kind][0]


Script = Iterable["Outcome | str"] | Callable[[int, dict[str, Any]], "Outcome | str | None"]


class Rates:
    """Failures drawn at given rates, the rest answers. rates: kind → probability; their sum is at most 1."""

    def __init__(self, rates: Mapping[str, float], seed: int = 0) -> None:
        if not 0 <= sum(rates.values()) <= 1 or min(rates.values(), default=0) < 0:
            raise ValueError("Rates are probabilities, and their sum is at most 1.")
        self.rates, self.seed = {Outcome(kind).kind: rate for kind, rate in rates.items()}, seed
        self._sent: Counter[str] = Counter()

    def __call__(self, number: int, body: Mapping[str, Any]) -> Outcome:
        text = json.dumps(body, sort_keys=True)
        self._sent[text] += 1
        drawn = random.Random(f"{self.seed}|{self._sent[text]}|{text}").random()
        for kind, rate in self.rates.items():
            drawn -= rate
            if drawn < 0:
                return Outcome(kind)
        return Outcome()


def outcomes_of(script: Script) -> Callable[[int, dict[str, Any]], Outcome]:
    """A script as a function of a request's number, from 0, and body. Behind the end of a list, all are answers."""
    if callable(script):
        decide = script
    else:
        steps = list(script)

        def decide(number: int, body: dict[str, Any]) -> Outcome | str | None:
            return steps[number] if number < len(steps) else None

    def outcome(number: int, body: dict[str, Any]) -> Outcome:
        found = decide(number, body)
        if isinstance(found, str):
            return Outcome(text=found)
        return found or Outcome()

    return outcome
