"""How many replicas do N users need, and what do they cost? A queueing model, to be checked by
`helpers.old.serving.fleet`.

    curve = Curve.measured(clients=[1, 4, 8, 16], requests_per_s=[0.4, 1.2, 1.9, 2.4])   # one replica, closed loop
    queue = open_queue(rate=1.5, curve=curve)                          # requests arrive at random (Poisson)
    queue = closed_queue(users=60, think_seconds=30, curve=curve)      # people read and think between requests
    queue.mean_seconds, queue.wait_percentile(95), queue.utilization
    replicas_for(users=500, think_seconds=30, curve=curve, wait_seconds=1)     # the fewest that keep the promise

A server with continuous batching is not a row of independent clerks: with k requests under way it completes more per
second than with one, yet each of them goes slower. The model is a birth–death process: with n requests in the system,
of which at most `max_running` run, requests end at the rate that was measured with that many under way. M/M/c, for
which A. K. Erlang (1917) found the formulas, is the special case `Curve.clerks(c, rate)`, in which requests do not slow
one another down.

What it assumes: arrivals do not depend on one another, and lengths of replies are exponential (replies of one length
wait less; the simulation says how much). What it does not do: see bursts, or the time to read the prompt by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import poisson

NEGLIGIBLE = 1e-14  # probability of all longer queues together, from where on they are left out


def erlang_b(offered: float, servers: int) -> float:
    """Chance that all servers are busy where nobody waits (M/M/c/c): share of requests that are refused.

    offered: arrival rate times mean seconds of service, in erlangs. Computed by recursion over the servers, which never
    overflows. Raises ValueError for a negative load or no servers. A. K. Erlang (1917).
    """
    if offered < 0 or servers < 1:
        raise ValueError(f"A queue has a load of 0 or more and at least one server, not {offered} and {servers}.")
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = offered * blocked / (busy + offered * blocked)
    return blocked


def erlang_c(offered: float, servers: int) -> float:
    """Chance that a request has to wait in M/M/c; 1 where the load is not below the number of servers.

    As `erlang_b`. The mean wait is erlang_c / (servers · service rate − arrival rate). A. K. Erlang (1917).
    """
    blocked = erlang_b(offered, servers)
    return 1.0 if offered >= servers else servers * blocked / (servers - offered * (1 - blocked))


@dataclass(frozen=True)
class Curve:
    """Requests that one replica completes per second with 1, 2, …, max_running of them under way."""

    rates: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.rates or not all(0 < rate < np.inf for rate in self.rates):
            raise ValueError("A curve is at least one positive number of requests per second.")

    @property
    def max_running(self) -> int:
        return len(self.rates)

    @property
    def most(self) -> float:
        """Completions per second while more requests wait than can run."""
        return self.rates[-1]

    def rate(self, n: NDArray | int) -> NDArray:
        """Completions per second with n ≥ 0 requests in the system."""
        return np.array((0.0, *self.rates))[np.minimum(n, self.max_running)]

    @classmethod
    def measured(cls, clients: Sequence[int], requests_per_s: Sequence[float], max_running: int | None = None) -> Curve:
        """Straight lines between the points of a closed loop (`tests.benchmarks.load`), the first one through 0.

        max_running: how many the server runs at once, by default the largest number of clients that was measured.
        Raises ValueError for clients that do not increase, and for more running than were measured: nobody knows.
        """
        if len(clients) != len(requests_per_s) or list(clients) != sorted(set(clients)) or not len(clients):
            raise ValueError("A measured curve needs increasing numbers of clients with one rate for each.")
        top = max_running or clients[-1]
        if top > clients[-1]:
            raise ValueError(f"At most {clients[-1]} clients were measured, so {top} at once is a guess.")
        rates = np.interp(np.arange(1, top + 1), (0, *clients), (0.0, *requests_per_s))
        return cls(tuple(float(rate) for rate in rates))

    @classmethod
    def clerks(cls, servers: int, rate: float) -> Curve:
        """M/M/c: each of `servers` completes `rate` requests per second, however many others are busy."""
        return cls(tuple(rate * busy for busy in range(1, servers + 1)))


@dataclass(frozen=True)
class Queue:
    """One replica after a long time: how many requests it holds, and what a request meets."""

    curve: Curve
    probabilities: NDArray  # (N + 1,): chance that 0, 1, …, N requests are in the system
    seen: NDArray  # (N,): the same as an accepted request sees it on arrival, without itself
    throughput: float  # requests completed per second
    refused: float  # share of requests that find the queue full

    @property
    def mean_requests(self) -> float:
        """Requests in the system, running and waiting, on average."""
        return float(self.probabilities @ np.arange(len(self.probabilities)))

    @property
    def mean_seconds(self) -> float:
        """Seconds from arrival to the end of the reply, on average: mean_requests / throughput (J. Little, 1961)."""
        return self.mean_requests / self.throughput

    @property
    def mean_wait(self) -> float:
        """Seconds from arrival until the request begins to run, on average."""
        waiting = np.maximum(np.arange(len(self.probabilities)) - self.curve.max_running, 0)
        return float(self.probabilities @ waiting) / self.throughput

    @property
    def utilization(self) -> float:
        """Throughput as a share of the most that the replica completes."""
        return self.throughput / self.curve.most

    def waits_longer(self, seconds: float) -> float:
        """Chance that an accepted request waits longer than that before it runs.

        A request that finds max_running + j others waits for j + 1 completions, which come at a constant rate then:
        it still waits after t if at most j of them have come, a Poisson probability.
        """
        ahead = np.arange(len(self.seen)) - self.curve.max_running
        late = np.where(ahead >= 0, poisson.cdf(np.maximum(ahead, 0), self.curve.most * seconds), 0.0)
        return float(self.seen @ late)

    def wait_percentile(self, percent: float) -> float:
        """Seconds that `percent` of the requests do not wait longer than; 0 where so many do not wait at all."""
        late = 1 - percent / 100
        if not 0 < late < 1:
            raise ValueError(f"A percentile lies between 0 and 100, not {percent}.")
        if self.waits_longer(0) <= late:
            return 0.0
        high = 1 / self.curve.most
        while self.waits_longer(high) > late:
            high *= 2
        return float(brentq(lambda t: self.waits_longer(t) - late, 0, high))


def open_queue(rate: float, curve: Curve, *, max_waiting: int | None = None) -> Queue:
    """Requests arrive at random, `rate` per second, whatever the server does.

    max_waiting: how many may wait before others are refused (503). Raises ValueError for a rate that is not positive,
    and, where the queue is not bounded, for one that the replica cannot keep up with: its queue would grow for ever.
    """
    if not rate > 0 or (max_waiting is not None and max_waiting < 0):
        raise ValueError(f"A queue needs a positive rate and no negative room, not {rate} and {max_waiting}.")
    load = rate / curve.most
    if max_waiting is None and load >= 1:
        raise ValueError(f"{rate:g} requests per second are more than the {curve.most:g} that one replica completes.")
    room = int(np.log(NEGLIGIBLE) / np.log(load)) + 1 if max_waiting is None else max_waiting
    states = curve.max_running + room
    probabilities = _stationary(np.full(states, rate), curve.rate(np.arange(1, states + 1)))
    refused = 0.0 if max_waiting is None else float(probabilities[-1])  # arrivals see averages (R. Wolff, 1982)
    seen = probabilities[:-1] / probabilities[:-1].sum()
    return Queue(curve, probabilities, seen, rate * (1 - refused), refused)


def _stationary(births: NDArray, deaths: NDArray) -> NDArray:
    """Probabilities (N + 1,) of 0 … N in a birth–death process: births[n] leads from n to n + 1, deaths[n] back."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(births) - np.log(deaths))])  # products would overflow
    weights = np.exp(logs - logs.max())
    return weights / weights.sum()


# Cost -----------------------------------------------------------------------------------------------------------------


def cost_per_million(price_per_hour: float, tokens_per_s: float, utilization: float = 1.0) -> float:
    """What a million written tokens cost on a machine of one's own, in the currency of the price.

    tokens_per_s: the most that it writes; utilization: which share of that is asked for, over day and night.
    Raises ValueError for a price or rate that is not positive and a utilization outside (0, 1].
    """
    if not (price_per_hour > 0 and tokens_per_s > 0 and 0 < utilization <= 1):
        raise ValueError("A cost needs a positive price and rate, and a utilization above 0 and at most 1.")
    return price_per_hour / (tokens_per_s * utilization * 3600) * 1e6


def break_even(price_per_hour: float, tokens_per_s: float, hosted_per_million: float) -> float:
    """The utilization above which a machine of your own is cheaper than a hosted model; above 1, it never is.

    hosted_per_million: the hosted price of a million written tokens, in the same currency. The hours of the people who
    look after the machine are not in it: add them to price_per_hour.
    """
    if not hosted_per_million > 0:
        raise ValueError(f"A hosted price is positive, not {hosted_per_million}.")
    return cost_per_million(price_per_hour, tokens_per_s) / hosted_per_million
