"""Replicas behind a balancer, simulated request by request: the check of `capacity`, and the ground of `autoscaling`.

    found = simulate_queue(curve, rate=1.5, requests=50_000)                       # one replica, Poisson arrivals
    found = simulate_queue(curve, users=500, think_seconds=30, replicas=6)         # people who think between requests
    found.mean_wait, found.standard_error                                    # to be compared with `Queue.mean_wait`
    found = simulate_queue(curve, rate=6, replicas=4, routing="shortest", sizes="fixed")   # beyond the formulas

Requests that run share a replica: with k under way each gets 1/k of what the curve says it completes then. A clock per
replica counts the work that each running request has had; who was admitted at clock v with work w ends at clock v + w.

What it does not do: simulate tokens or pages; `helpers.old.serving.engine` has those for real.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from helpers.old.serving.capacity import Curve

ROUTINGS = ("random", "shortest", "in turn")
SIZES: dict[str, Callable[[np.random.Generator, int], NDArray]] = {  # work of each request, 1 on average
    "exponential": lambda rng, n: rng.exponential(1.0, n),
    "fixed": lambda rng, n: np.ones(n),
    "mixed": lambda rng, n: rng.lognormal(-0.5, 1.0, n),  # many short replies, few very long ones
}
BATCHES, WARM_UP = 40, 0.1


class Replica:
    """One server in simulated time: requests that run, requests that wait."""

    def __init__(self, curve: Curve, now: float) -> None:
        self.curve, self.now, self.clock = curve, now, 0.0
        self.speeds = [0.0, *(rate / k for k, rate in enumerate(curve.rates, start=1))]  # work per second of each
        self.running: list[tuple[float, int]] = []  # heap of (clock at which it ends, request)
        self.waiting: deque[tuple[int, float]] = deque()
        self.leaving = False  # takes no new requests

    def __len__(self) -> int:
        return len(self.running) + len(self.waiting)

    @property
    def next_end(self) -> float:
        """When the next request ends if none arrives before; infinity where none runs."""
        if not self.running:
            return np.inf
        return self.now + (self.running[0][0] - self.clock) / self.speeds[len(self.running)]

    def advance(self, now: float) -> None:
        self.clock += (now - self.now) * self.speeds[len(self.running)]
        self.now = now

    def admit(self) -> list[int]:
        """Lets waiting requests run while there is room; their numbers."""
        admitted = []
        while self.waiting and len(self.running) < self.curve.max_running:
            request, work = self.waiting.popleft()
            heapq.heappush(self.running, (self.clock + work, request))
            admitted.append(request)
        return admitted


class Fleet:
    """Replicas and the balancer that deals out requests; keeps when each request began to run and when it ended."""

    def __init__(
        self, curve: Curve, replicas: int, *, routing: str = "random", max_waiting: int | None = None, seed: int = 0
    ) -> None:
        if routing not in ROUTINGS:
            raise ValueError(f"A balancer chooses {', '.join(ROUTINGS)}, not {routing!r}.")
        self.curve, self.routing, self.max_waiting = curve, routing, max_waiting
        self.rng, self.turn = np.random.default_rng(seed), count()
        self.replicas = [Replica(curve, 0.0) for _ in range(replicas)]
        self.began: dict[int, float] = {}
        self.ended: dict[int, float] = {}

    def arrive(self, now: float, request: int, work: float) -> bool:
        """Gives a request to a replica; False where its queue is full."""
        open_ones = [replica for replica in self.replicas if not replica.leaving]
        if self.routing == "random":
            chosen = open_ones[self.rng.integers(len(open_ones))]
        elif self.routing == "shortest":
            chosen = min(open_ones, key=len)
        else:
            chosen = open_ones[next(self.turn) % len(open_ones)]
        if self.max_waiting is not None and len(chosen) >= self.curve.max_running + self.max_waiting:
            return False
        chosen.advance(now)
        chosen.waiting.append((request, work))
        self.began.update(dict.fromkeys(chosen.admit(), now))
        return True

    def next_end(self) -> tuple[float, Replica]:
        """When the next request ends, and where."""
        chosen = min(self.replicas, key=_next_end)
        return chosen.next_end, chosen

    def finish(self, replica: Replica, now: float) -> int:
        """Ends the request of this replica that is due; its number."""
        replica.advance(now)
        _, request = heapq.heappop(replica.running)
        self.ended[request] = now
        self.began.update(dict.fromkeys(replica.admit(), now))
        return request


def _next_end(replica: Replica) -> float:
    return replica.next_end


@dataclass(frozen=True)
class Simulation:
    """What each accepted request met, in the order of arrival, without those of the warm-up; times in seconds."""

    arrivals: NDArray  # (n,)
    waits: NDArray  # (n,): from arrival until it ran
    seconds: NDArray  # (n,): from arrival until it ended
    refused: float  # share of all requests

    @property
    def mean_wait(self) -> float:
        return float(self.waits.mean())

    @property
    def standard_error(self) -> float:
        """Of the mean wait, from the means of 40 stretches of time: neighbors wait alike, so they count as one."""
        means = [stretch.mean() for stretch in np.array_split(self.waits, BATCHES)]
        return float(np.std(means, ddof=1) / np.sqrt(BATCHES))

    def wait_percentile(self, percent: float) -> float:
        return float(np.percentile(self.waits, percent))


def simulate_queue(
    curve: Curve,
    *,
    rate: float | None = None,
    users: int | None = None,
    think_seconds: float = 0.0,
    requests: int = 20_000,
    replicas: int = 1,
    routing: str = "random",
    sizes: str = "exponential",
    max_waiting: int | None = None,
    seed: int = 0,
) -> Simulation:
    """Runs `requests` requests, either `rate` per second at random or from `users` who think between them.

    routing: "random", "shortest" (fewest requests under way) or "in turn". sizes: lengths of replies, "exponential" as
    in the formulas, "fixed" or "mixed". The first tenth is warm-up and left out.
    Raises ValueError unless exactly one of rate and users is given, and for numbers that are not positive.
    """
    if (rate is None) == (users is None):
        raise ValueError("Say either a rate (open) or a number of users (closed).")
    if requests < BATCHES or replicas < 1 or (rate is not None and not rate > 0):
        raise ValueError(f"A simulation needs {BATCHES} requests or more, a replica, and a positive rate.")
    if users is not None and (users < 1 or not think_seconds > 0):
        raise ValueError("A closed simulation needs a user who thinks for a while.")
    if sizes not in SIZES:
        raise ValueError(f"Sizes are {', '.join(SIZES)}, not {sizes!r}.")
    rng = np.random.default_rng(seed)
    work = SIZES[sizes](rng, requests)
    fleet = Fleet(curve, replicas, routing=routing, max_waiting=max_waiting, seed=seed + 1)

    pending = list(rng.exponential(1 / rate, requests).cumsum() if rate else rng.exponential(think_seconds, users))
    heapq.heapify(pending)  # moments at which a request arrives
    arrived = np.full(requests, np.nan)
    number, refused = 0, []
    while pending or any(len(replica) for replica in fleet.replicas):
        end, replica = fleet.next_end()
        if pending and pending[0] <= end:
            now = heapq.heappop(pending)
            if number == requests:
                continue  # users who would ask once more after the last request
            arrived[number] = now
            if not fleet.arrive(now, number, work[number]):
                refused.append(number)
                if users:
                    heapq.heappush(pending, now + rng.exponential(think_seconds))
            number += 1
        else:
            fleet.finish(replica, end)
            if users:
                heapq.heappush(pending, end + rng.exponential(think_seconds))
    return _kept(arrived, fleet, refused)


def _kept(arrived: NDArray, fleet: Fleet, refused: list[int]) -> Simulation:
    first = int(len(arrived) * WARM_UP)
    numbers = [number for number in range(first, len(arrived)) if number in fleet.ended]
    starts = arrived[numbers]
    began = np.array([fleet.began[number] for number in numbers])
    ended = np.array([fleet.ended[number] for number in numbers])
    late = sum(number >= first for number in refused)
    return Simulation(starts, began - starts, ended - starts, late / (len(arrived) - first))
