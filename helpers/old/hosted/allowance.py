"""Spends no more than it may: works out the worst case of each request before it is sent.

    allowance = Allowance(0.02, price_of)
    httpx2.Client(event_hooks={"request": [allowance.reserve]})

A token of a prompt is at least one byte of the request's body, and a reply has at most `max_completion_tokens`. So the
worst case of a request is known before it is sent. It is reserved and never given back: a bound that holds is worth
more here than a good guess. What a request has left unused, `CostLedger` knows.

What it does not do: count tokens well. A body of 400 bytes is reserved as 400 tokens, where 100 are likely.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import httpx2
import openai

LIMITS = ("max_completion_tokens", "max_tokens")


class NotAllowed(openai.OpenAIError):
    """This request was not sent: it could cost more than was allowed. The client does not try it again."""


class Allowance:
    """dollars: what may be spent in all; price: model → an object with `worst(prompt, max_tokens)`, in dollars.

    left: what is not reserved yet.
    """

    def __init__(self, dollars: float, price: Callable[[str], Any]) -> None:
        self.dollars, self.left, self.price = dollars, dollars, price
        self._lock = threading.Lock()

    def reserve(self, request: httpx2.Request) -> None:
        """Take the worst case of a request from what is left. Raises NotAllowed."""
        if request.method != "POST":
            return  # looking something up costs nothing
        body = json.loads(request.content)
        most = self._most(body)
        with self._lock:
            worst = self.price(body["model"]).worst(len(request.content), most)
            if worst > self.left:
                raise NotAllowed(f"Not sent: it could cost ${worst:.5f}, and ${self.left:.5f} are left.")
            self.left -= worst

    async def areserve(self, request: httpx2.Request) -> None:
        """The same for an asynchronous client."""
        self.reserve(request)

    def _most(self, body: dict[str, Any]) -> int:
        """The most tokens that a request's replies can have. Raises NotAllowed where there is no bound."""
        most = next((body[name] for name in LIMITS if body.get(name)), None)
        if most is None:
            raise NotAllowed("Not sent: without a limit, such as max_completion_tokens, nobody knows what it may cost.")
        return most * (body.get("n") or 1)
