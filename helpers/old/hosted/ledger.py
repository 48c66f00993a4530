"""Tokens and money, call by call, and a budget that stops before the call that would break it.

    ledger = CostLedger(budget=0.05)
    hold = ledger.reserve("nimbus-2", prompt=210, max_tokens=60)  # the worst case is set aside; OverBudget if too much
    ledger.settle(hold, Tokens(prompt=212, completion=38))       # what it was; the rest is free again
    ledger.release(hold)                                         # or: refused, nothing was done
    ledger.doubt(hold)                                           # or: nothing came back, so count the worst case
    ledger.spent, ledger.doubtful, ledger.held, ledger.left

The reply's length is known only afterwards. So a budget that looks at what was spent lets the last call go over, or
with sixteen at a time the last sixteen. This one reserves first: spent + doubtful + held never passes the budget.

A call whose reply never came may have been billed. It stays in `doubtful` at its worst case, until its key is settled.
What the ledger does not do: know of calls that somebody else makes with the same key.
"""

from __future__ import annotations

import math
import threading
import uuid
from collections import defaultdict
from dataclasses import dataclass, field

from helpers.old.hosted.journal import DONE, INTENT, UNSURE, State
from helpers.old.hosted.prices import Tokens, price_of

ROUNDING = 1e-12  # US dollars


class OverBudget(RuntimeError):
    """The next call might cost more than is left; it was not sent."""


@dataclass(frozen=True)
class Hold:
    """Money set aside for one call: US dollars."""

    key: str
    model: str
    worst: float
    batch: bool


@dataclass
class Totals:
    """Of one model: calls that were settled, their tokens, and US dollars."""

    calls: int = 0
    prompt: int = 0
    cached: int = 0
    completion: int = 0
    money: float = 0.0


@dataclass
class CostLedger:
    """What calls cost, in US dollars. Safe among threads; asyncio's tasks share one thread.

    budget: None for no limit. batch: at the price of a job that may take a day. by_model: what was settled.
    """

    budget: float | None = None
    batch: bool = False
    by_model: dict[str, Totals] = field(default_factory=lambda: defaultdict(Totals))
    _holds: set[Hold] = field(default_factory=set, repr=False)
    _doubts: dict[str, float] = field(default_factory=dict, repr=False)  # key → worst case
    _settled: set[str] = field(default_factory=set, repr=False)  # keys
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        if self.budget is not None and not (self.budget >= 0 and math.isfinite(self.budget)):
            raise ValueError(f"A budget is a number of dollars from 0, or None, not {self.budget}.")

    @property
    def spent(self) -> float:
        """Settled calls."""
        with self._lock:
            return sum(totals.money for totals in self.by_model.values())

    @property
    def doubtful(self) -> float:
        """Calls whose reply never came, at their worst case."""
        with self._lock:
            return sum(self._doubts.values())

    @property
    def held(self) -> float:
        """Set aside for calls under way."""
        with self._lock:
            return sum(hold.worst for hold in self._holds)

    @property
    def left(self) -> float:
        """What may still be reserved; infinite without a budget."""
        with self._lock:
            return math.inf if self.budget is None else self.budget - self.spent - self.doubtful - self.held

    def reserve(self, model: str, prompt: int, max_tokens: int, key: str | None = None) -> Hold:
        """Set aside what this call costs at most. Raises OverBudget, and UnknownModel for a model without a price.

        key: the request's idempotency key; calls with one key are billed once. None: a key that no other call has.
        """
        worst = price_of(model).worst(prompt, max_tokens, self.batch)
        with self._lock:
            if worst > self.left + ROUNDING:
                raise OverBudget(
                    f"This call may cost ${worst:.6f}, and ${max(0.0, self.left):.6f} of ${self.budget:.6f} are left: "
                    "it was not sent."
                )
            hold = Hold(key or uuid.uuid4().hex, model, worst, self.batch)
            if hold in self._holds:
                raise ValueError(f"A call with the key {key!r} is under way: wait for it.")
            self._holds.add(hold)
            return hold

    def settle(self, hold: Hold, tokens: Tokens) -> float:
        """The call is over and took these tokens; returns its US dollars. A doubt about its key is over, too."""
        money = self.price(hold, tokens)
        with self._lock:
            self._take(hold)
            self._doubts.pop(hold.key, None)
            self._settled.add(hold.key)
            self._add(hold.model, tokens, money)
        return money

    def price(self, hold: Hold, tokens: Tokens) -> float:
        """US dollars of a call that took these tokens."""
        return price_of(hold.model).cost(tokens, hold.batch)

    def release(self, hold: Hold) -> None:
        """The call was refused before any work was done: it costs nothing."""
        with self._lock:
            self._take(hold)

    def doubt(self, hold: Hold) -> None:
        """Nothing came back, so it may have been billed: its worst case counts as used."""
        with self._lock:
            self._take(hold)
            self._doubts[hold.key] = max(hold.worst, self._doubts.get(hold.key, 0.0))

    def replay(self, state: State) -> None:
        """Count what a journal says was spent, and the keys in doubt at their worst case; nothing is counted twice."""
        intents: dict[tuple[str, int], dict] = {}
        with self._lock:
            for event in state.events:
                place, status = (event["item"], event["attempt"]), event.get("status")
                if event["event"] == INTENT:
                    intents[place] = event
                elif status == DONE:
                    key = intents.pop(place)["key"]
                    if key not in self._settled:
                        self._settled.add(key)
                        self._add(event["model"], Tokens(*event["tokens"]), event["money"])
                    intents = {other: intent for other, intent in intents.items() if intent["key"] != key}
                elif status != UNSURE:
                    intents.pop(place, None)
            for intent in intents.values():
                self._doubts[intent["key"]] = intent["worst"]

    def _take(self, hold: Hold) -> None:
        if hold not in self._holds:
            raise ValueError(f"The call {hold.key!r} is not under way: each is settled once.")
        self._holds.remove(hold)

    def _add(self, model: str, tokens: Tokens, money: float) -> None:
        totals = self.by_model[model]
        totals.calls += 1
        totals.prompt += tokens.prompt
        totals.cached += tokens.cached
        totals.completion += tokens.completion
        totals.money += money
