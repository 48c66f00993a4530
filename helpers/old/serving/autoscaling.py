"""Replicas that follow the load, simulated: what does a quieter night save, and what does a busy morning wait?

    arrivals = day_of_traffic(quiet=0.2, busy=4.0, spike=3.0, seed=0)        # seconds at which requests come
    autoscale(arrivals, curve, Fixed(6))                                     # as many as the busiest hour needs
    autoscale(arrivals, curve, Scheduled(((0, 2), (7, 6), (20, 2))))         # by the clock: hours and replicas
    outcome = autoscale(arrivals, curve, Reactive(target=8, startup_seconds=60))
    print(outcome)                                     # replica-hours paid, waits, refusals
    outcome.times, outcome.ready                       # for a picture

`Reactive` counts as Kubernetes' horizontal autoscaler does: desired = ⌈replicas · requests under way per replica /
target⌉, at every interval, no change within 10 %, and down only to the largest number desired within the last minutes.
A replica that starts is paid from the first second and serves after `startup_seconds` (a model has to be loaded). One
that is let go gets no new requests, and is paid until its last one has ended.

What it does not do: foresee. That is its weakness: it starts replicas when users already wait.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from helpers.old.serving.capacity import Curve
from helpers.old.serving.fleet import SIZES, Fleet, Replica

HOUR = 3600.0
TOLERANCE = 0.1  # Kubernetes' default


class Policy(Protocol):
    """Decides at every interval how many replicas there should be."""

    interval: float  # seconds between two decisions
    startup_seconds: float

    def begin(self) -> int:
        """Replicas at the start, all of them ready."""
        ...

    def desired(self, now: float, replicas: int, under_way: int) -> int:
        """Replicas from now on; `replicas` counts those that are starting, `under_way` all requests in the system."""
        ...


@dataclass
class Fixed:
    """Always the same number."""

    replicas: int
    interval: float = HOUR
    startup_seconds: float = 0.0

    def begin(self) -> int:
        return self.replicas

    def desired(self, now: float, replicas: int, under_way: int) -> int:
        return self.replicas


@dataclass
class Scheduled:
    """By the clock: from each of these hours of the day on, that many replicas. Needs to know what days look like."""

    table: Sequence[tuple[float, int]]  # (hour, replicas), the first one from hour 0 on
    interval: float = 60.0
    startup_seconds: float = 60.0

    def __post_init__(self) -> None:
        hours = [hour for hour, _ in self.table]
        if not hours or hours[0] != 0 or hours != sorted(set(hours)) or min(n for _, n in self.table) < 1:
            raise ValueError("A schedule has increasing hours that begin with 0, each with one replica or more.")

    def begin(self) -> int:
        return self.table[0][1]

    def desired(self, now: float, replicas: int, under_way: int) -> int:
        soon = (now + self.startup_seconds) / HOUR % 24  # starts early enough to be ready by the hour
        return [n for hour, n in self.table if hour <= soon][-1]


@dataclass
class Reactive:
    """As many as the requests under way need now."""

    target: float  # requests under way per replica
    fewest: int = 1
    most: int = 100
    interval: float = 15.0
    startup_seconds: float = 60.0
    hold_seconds: float = 300.0  # before replicas are let go
    wished: list[tuple[float, int]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        if not (self.target > 0 and 1 <= self.fewest <= self.most and self.interval > 0):
            raise ValueError("Reactive scaling needs a positive target and interval, and 1 ≤ fewest ≤ most.")

    def begin(self) -> int:
        self.wished.clear()
        return self.fewest

    def desired(self, now: float, replicas: int, under_way: int) -> int:
        ratio = under_way / replicas / self.target
        wish = replicas if abs(ratio - 1) <= TOLERANCE else math.ceil(replicas * ratio)
        wish = min(self.most, max(self.fewest, wish))
        self.wished = [(t, n) for t, n in self.wished if t > now - self.hold_seconds] + [(now, wish)]
        if wish < replicas:
            return min(replicas, max(n for _, n in self.wished))
        return wish


@dataclass(frozen=True)
class Outcome:
    """What a policy cost and what its users met."""

    policy: str
    replica_hours: float  # paid, starting and draining included
    waits: NDArray  # (n,) seconds until each accepted request ran, in the order of arrival
    seconds: NDArray  # (n,) seconds until it ended
    arrivals: NDArray  # (n,) when it came
    refused: float  # share of all requests
    times: NDArray  # (ticks,) seconds at which the policy decided
    ready: NDArray  # (ticks,) replicas that serve
    paid: NDArray  # (ticks,) replicas that cost: ready, starting or draining
    under_way: NDArray  # (ticks,) requests in the system

    def wait_percentile(self, percent: float) -> float:
        return float(np.percentile(self.waits, percent))

    def __str__(self) -> str:
        p50, p95, p99 = np.percentile(self.seconds, (50, 95, 99))
        return (
            f"{self.policy}: {self.replica_hours:.1f} replica-hours; waits p95 {self.wait_percentile(95):.1f} s, "
            f"p99 {self.wait_percentile(99):.1f} s; replies p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} s; "
            f"refused {self.refused:.1%}"
        )


def day_of_traffic(
    *,
    quiet: float,
    busy: float,
    spike: float = 1.0,
    spike_hour: float = 14.0,
    spike_minutes: float = 20.0,
    hours: float = 24.0,
    seed: int = 0,
) -> NDArray:
    """Seconds (n,) at which requests come on one day: `quiet` per second at 2 o'clock, `busy` at 14 o'clock.

    The rate is a cosine between them; from spike_hour on it is `spike` times as high for spike_minutes (a newsletter).
    Arrivals are a Poisson process of that rate, drawn by thinning (P. Lewis and G. Shedler, 1979).
    Raises ValueError for rates that are not positive and a spike below 1.
    """
    if not (0 < quiet <= busy and spike >= 1 and hours > 0):
        raise ValueError("A day needs 0 < quiet ≤ busy, a spike of 1 or more, and some hours.")
    rng = np.random.default_rng(seed)
    most, end = busy * spike, hours * HOUR
    n = rng.poisson(most * end)
    times = np.sort(rng.uniform(0, end, n))
    rate = quiet + (busy - quiet) * (1 - np.cos(2 * np.pi * (times / HOUR - 2) / 24)) / 2
    since = times / HOUR - spike_hour
    rate = np.where((since >= 0) & (since < spike_minutes / 60), rate * spike, rate)
    return times[rng.random(n) * most < rate]


def autoscale(
    arrivals: NDArray,
    curve: Curve,
    policy: Policy,
    *,
    sizes: str = "exponential",
    max_waiting: int | None = 64,
) -> Outcome:
    """Runs the requests through replicas that the policy starts and lets go; the balancer picks the shortest queue.

    arrivals: (n,) seconds in increasing order. max_waiting: per replica, above it a request is refused.
    Raises ValueError for no arrivals.
    """
    if not len(arrivals):
        raise ValueError("There is nothing to scale for: no request arrives.")
    work = SIZES[sizes](np.random.default_rng(0), len(arrivals))
    run = _Run(curve, policy, max_waiting)
    for number, now in enumerate(arrivals):
        run.until(float(now))
        run.accepted.append(run.fleet.arrive(float(now), number, float(work[number])))
    run.until(run.last_end())

    kept = np.flatnonzero(run.accepted)
    began = np.array([run.fleet.began[i] for i in kept])
    ended = np.array([run.fleet.ended[i] for i in kept])
    ticks = np.array(run.ticks)
    return Outcome(
        repr(policy),
        run.paid_seconds / HOUR,
        began - arrivals[kept],
        ended - arrivals[kept],
        arrivals[kept],
        1 - len(kept) / len(arrivals),
        *ticks.T,
    )


class _Run:
    """Time goes on from event to event: requests end, replicas get ready, the policy decides."""

    def __init__(self, curve: Curve, policy: Policy, max_waiting: int | None) -> None:
        self.curve, self.policy = curve, policy
        self.fleet = Fleet(curve, policy.begin(), routing="shortest", max_waiting=max_waiting)
        self.starting: list[float] = []  # when each of them is ready
        self.accepted: list[bool] = []
        self.ticks: list[tuple[float, int, int, int]] = []
        self.now, self.next_tick, self.paid_seconds = 0.0, 0.0, 0.0

    @property
    def staying(self) -> list[Replica]:
        return [replica for replica in self.fleet.replicas if not replica.leaving]

    def until(self, end: float) -> None:
        """Lets everything happen that is due by then."""
        while True:
            finish, replica = self.fleet.next_end()
            ready = min(self.starting, default=math.inf)
            now = min(finish, ready, self.next_tick)
            if now > end:
                break
            self.pay(now)
            if now == finish:
                self.fleet.finish(replica, now)
                self.fleet.replicas = [r for r in self.fleet.replicas if not r.leaving or len(r)]
            elif now == ready:
                self.starting.remove(ready)
                self.fleet.replicas.append(Replica(self.curve, now))
            else:
                self.decide(now)
        self.pay(end)

    def pay(self, now: float) -> None:
        self.paid_seconds += (now - self.now) * (len(self.fleet.replicas) + len(self.starting))
        self.now = now

    def decide(self, now: float) -> None:
        self.next_tick = now + self.policy.interval
        under_way = sum(map(len, self.fleet.replicas))
        have = len(self.staying) + len(self.starting)
        change = self.policy.desired(now, have, under_way) - have
        self.starting += [now + self.policy.startup_seconds] * max(0, change)
        for _ in range(-change):
            if self.starting:
                self.starting.pop()
            elif len(self.staying) > 1:
                min(self.staying, key=len).leaving = True
        self.fleet.replicas = [r for r in self.fleet.replicas if not r.leaving or len(r)]
        self.ticks.append((now, len(self.staying), len(self.fleet.replicas) + len(self.starting), under_way))

    def last_end(self) -> float:
        """When the last request ends if no replica is added."""
        last = self.now
        while any(map(len, self.fleet.replicas)):
            last, replica = self.fleet.next_end()
            self.until(last)
        return last
