"""Tokens and money, call by call, and a budget that stops before the call that would break it.

    ledger = CostLedger(budget=0.05)
    hold = ledger.reserve("nimbus-2", prompt=210, max_tokens=60)   # the worst case is set aside; OverBudget if too much
    ledger.settle(hold, Tokens(prompt=212, completion=38))       # what it was; the rest is free again
    ledger.release(hold)                                         # or: refused, nothing was done
    ledger.doubt(hold)                                           # or: nothing came back, so count the worst case
    ledger.spent, ledger.doubtful, ledger.held, ledger.left

The reply's length is known only afterwards. So a budget that looks at what was spent lets the last call, or with sixteen
at a time the last sixteen, go over. This one reserves before it sends: spent + doubtful + held never passes the budget.

A call whose reply never came may have been billed. It stays in `doubtful` at its worst case until an invoice settles it.
What the ledger does not do: know of calls that somebody else makes with the same key.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from dataclasses import dataclass, field

from helpers.hosted.journal import DONE, INTENT, UNSURE, State
from helpers.hosted.prices import Tokens, price_of


class OverBudget(RuntimeError):
    """The next call might cost more than is left; it was not sent."""


@dataclass(frozen=True)
class Hold:
    """Money set aside for one call: US dollars."""

    number: int
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

    budget: None for no limit. batch: at the price of a job that may take a day.
    """

    budget: float | None = None
    batch: bool = False
    spent: float = 0.0
    doubtful: float = 0.0
    by_model: dict[str, Totals] = field(default_factory=lambda: defaultdict(Totals))
    _holds: dict[int, Hold] = field(default_factory=dict, repr=False)
    _count: int = field(default=0, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        if self.budget is not None and not (self.budget >= 0 and math.isfinite(self.budget)):
            raise ValueError(f"A budget is a number of dollars from 0, or None, not {self.budget}.")

    @property
    def held(self) -> float:
        """Set aside for calls under way."""
        with self._lock:
            return self._held()

    @property
    def left(self) -> float:
        """What may still be reserved; infinite without a budget."""
        with self._lock:
            return math.inf if self.budget is None else self.budget - self._used()

    def reserve(self, model: str, prompt: int, max_tokens: int) -> Hold:
        """Set aside what this call costs at most. Raises OverBudget, and UnknownModel for a model without a price."""
        worst = price_of(model).worst(prompt, max_tokens, self.batch)
        with self._lock:
            if self.budget is not None and self._used() + worst > self.budget + 1e-12:
                raise OverBudget(
                    f"This call may cost ${worst:.6f}, and ${max(0.0, self.budget - self._used()):.6f} of "
                    f"${self.budget:.6f} are left: it was not sent."
                )
            self._count += 1
            hold = Hold(self._count, model, worst, self.batch)
            self._holds[hold.number] = hold
            return hold

    def settle(self, hold: Hold, tokens: Tokens) -> float:
        """The call is over and took these tokens; returns its US dollars."""
        money = price_of(hold.model).cost(tokens, hold.batch)
        with self._lock:
            self._take(hold)
            self._add(hold.model, tokens, money)
        return money

    def release(self, hold: Hold) -> None:
        """The call was refused before any work was done: it costs nothing."""
        with self._lock:
            self._take(hold)

    def doubt(self, hold: Hold) -> None:
        """Nothing came back, so it may have been billed: its worst case counts as used."""
        with self._lock:
            self.doubtful += self._take(hold).worst

    def replay(self, state: State) -> None:
        """Count what a journal says was spent, and its requests in doubt at their worst case.

        A request in doubt whose item was answered later stays in doubt only if the answer's key was another one: with
        one key, one bill.
        """
        in_doubt: dict[tuple[str, int], dict] = {}
        for event in state.events:
            place = event["item"], event["attempt"]
            if event["event"] == INTENT:
                in_doubt[place] = event
            elif event["status"] != UNSURE:
                in_doubt.pop(place, None)
            if event.get("status") == DONE:
                self._add(event["model"], Tokens(*event["tokens"]), event["money"])
        self.doubtful += sum(event.get("worst", 0.0) for event in in_doubt.values())

    def _held(self) -> float:
        return sum(hold.worst for hold in self._holds.values())

    def _used(self) -> float:
        return self.spent + self.doubtful + self._held()

    def _take(self, hold: Hold) -> Hold:
        if self._holds.pop(hold.number, None) is None:
            raise ValueError(f"The hold {hold.number} was settled before: every call is settled once.")
        return hold

    def _add(self, model: str, tokens: Tokens, money: float) -> None:
        totals = self.by_model[model]
        totals.calls += 1
        totals.prompt += tokens.prompt
        totals.cached += tokens.cached
        totals.completion += tokens.completion
        totals.money += money
        self.spent += money
