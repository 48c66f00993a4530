"""How long to wait after a failure: exponential backoff with full jitter, never earlier than the server allows.

After failure number n, the wait is drawn evenly from 0 to `base · 2ⁿ⁻¹` seconds, but at most `cap` ("full jitter": the
whole wait is random, so that clients who failed together do not return together). If the server named a time
(`Retry-After`), the drawn wait comes on top of it: all clients were told the same time, and would meet again there.

Nothing here sleeps, reads a clock or draws a number: what is random and what time it is are arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime


def wait_after(
    failures: int, draw: float, retry_after: float | None = None, base: float = 0.5, cap: float = 8.0
) -> float:
    """Seconds to wait after failure number `failures` (the first is 1).

    draw: an even random number from 0 to 1. retry_after: seconds that the server asked for, None where it asked for
    none; `cap` bounds our own draw, never the server's wish.
    """
    if failures < 1:
        raise ValueError(f"There were {failures} failures, so there is nothing to wait for; the first failure is 1.")
    ceiling = min(cap, base * 2.0 ** min(failures - 1, 100))
    return (retry_after or 0.0) + draw * ceiling


def backoff_schedule(
    retry_after: Sequence[float | None],
    draws: Sequence[float],
    base: float = 0.5,
    cap: float = 8.0,
    deadline: float = 60.0,
) -> list[float]:
    """The waits (seconds) of a request that fails len(retry_after) times, until it is given up.

    retry_after, draws: per failure, as in `wait_after`. A wait that would make the sum of all waits larger than
    `deadline` is not begun: the list ends before it.
    """
    waits: list[float] = []
    for number, (asked, draw) in enumerate(zip(retry_after, draws, strict=True), start=1):
        wait = wait_after(number, draw, asked, base, cap)
        if sum(waits) + wait > deadline:
            break
        waits.append(wait)
    return waits


def retry_after_seconds(headers: Mapping[str, str], now: float) -> float | None:
    """What a reply's headers ask for, in seconds from `now` (seconds since 1970); None where they ask for nothing.

    `retry-after-ms` goes before `retry-after`, which holds seconds or a date. What cannot be read, or is below zero,
    asks for nothing; a date that is over asks for 0 seconds.
    """
    lowered = {name.lower(): value.strip() for name, value in headers.items()}
    for name, per_second in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(lowered.get(name, "")) / per_second
        except ValueError:
            continue
        if seconds >= 0:  # NaN is not; infinity is, and no deadline allows it
            return seconds
    try:
        return max(0.0, parsedate_to_datetime(lowered.get("retry-after", "")).timestamp() - now)
    except (ValueError, TypeError):
        return None
