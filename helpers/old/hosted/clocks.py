"""Time for a service that is only simulated: seconds that pass without anybody waiting.

    clock = SimulatedClock()
    clock.sleep(600)               # returns at once
    clock.now()                    # 600.0

In asyncio, time jumps to the next sleeper's hour once everybody sleeps, so that sixteen sleeps of one second side by
side take one second. What it does not do: wait for threads, or for a real network.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time

PATIENCE = 25  # turns of the event loop in which nobody came up with an earlier hour


class RealClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SimulatedClock:
    """Seconds that pass only by sleeping, and at once."""

    def __init__(self) -> None:
        self._now, self._order = 0.0, itertools.count()
        self._sleepers: list[tuple[float, int]] = []

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += max(0.0, seconds)

    async def asleep(self, seconds: float) -> None:
        mine = (self._now + max(0.0, seconds), next(self._order))
        heapq.heappush(self._sleepers, mine)
        turns = 0
        try:
            while turns < PATIENCE or self._sleepers[0][0] < mine[0]:  # who wakes at one hour wakes together
                first = self._sleepers[0][0]
                await asyncio.sleep(0)
                turns = turns + 1 if self._sleepers[0][0] == first == mine[0] else 0
            self._now = max(self._now, mine[0])
        finally:
            self._sleepers.remove(mine)
            heapq.heapify(self._sleepers)
