"""Three ways to batch the same requests, step by step: which request sits in which row when, and when its reply leaves.

    step = [0.08, 0.09, 0.10, 0.11]                       # seconds of one step with 1, 2, 3, 4 rows, as measured
    bars = schedule("continuous", arrivals=[0, 0, 1.5], new_tokens=[20, 60, 8], step_seconds=step)
    draw_schedules({policy: schedule(policy, …) for policy in POLICIES}, title)           # a Gantt picture

* static: waits until all rows are taken (or nobody else is to come), and answers all when the longest is written;
* dynamic: takes who is there as soon as the last batch is done, and answers all when the longest is written;
* continuous: takes a request whenever a row is free, and answers each as soon as it is written (G.-I. Yu and others,
  Orca, 2022).

What it does not do: read prompts (a step is one token of every row), or model memory. A batch that is under way keeps
its size in the first two: rows that are done are still multiplied, as padding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from helpers.plots.figures import PALETTE, figure

POLICIES = ("static", "dynamic", "continuous")


@dataclass(frozen=True)
class Bar:
    """One request in the picture; times in seconds."""

    request: int
    slot: int  # the row of the batch in which it sat
    arrived: float
    began: float
    written: float  # its last token
    answered: float  # when its reply leaves: the row is taken until then

    @property
    def seconds(self) -> float:
        """What its user waited."""
        return self.answered - self.arrived


def schedule(
    policy: str, *, arrivals: Sequence[float], new_tokens: Sequence[int], step_seconds: Sequence[float]
) -> list[Bar]:
    """When each request runs: n requests  →  n bars, in the order of the requests.

    arrivals: seconds (n,), increasing. new_tokens: (n,), 1 or more each. step_seconds: of one step with 1, 2, … rows;
    there are as many rows as numbers. Raises ValueError for an unknown policy and for numbers that make no sense.
    """
    if policy not in POLICIES:
        raise ValueError(f"A policy is one of {', '.join(POLICIES)}, not {policy!r}.")
    if len(arrivals) != len(new_tokens) or not len(arrivals) or list(arrivals) != sorted(arrivals):
        raise ValueError("A schedule needs requests in the order of their arrival, each with its number of tokens.")
    if min(new_tokens) < 1 or not len(step_seconds) or min(step_seconds) <= 0:
        raise ValueError("Every request writes a token or more, and every step takes a while.")
    if policy == "continuous":
        return _continuous(arrivals, new_tokens, step_seconds)
    return _batches(arrivals, new_tokens, step_seconds, wait=policy == "static")


def _batches(arrivals: Sequence[float], new_tokens: Sequence[int], step: Sequence[float], wait: bool) -> list[Bar]:
    bars, now, first = [], 0.0, 0
    while first < len(arrivals):
        if wait:
            last = min(first + len(step), len(arrivals))
            now = max(now, arrivals[last - 1])
        else:
            now = max(now, arrivals[first])
            here = int(np.searchsorted(arrivals, now, side="right"))
            last = min(first + len(step), here)
        batch = range(first, last)
        seconds = step[len(batch) - 1]
        end = now + seconds * max(new_tokens[i] for i in batch)
        bars += [Bar(i, slot, arrivals[i], now, now + seconds * new_tokens[i], end) for slot, i in enumerate(batch)]
        now, first = end, last
    return bars


def _continuous(arrivals: Sequence[float], new_tokens: Sequence[int], step: Sequence[float]) -> list[Bar]:
    slots: list[int | None] = [None] * len(step)
    left, began = list(new_tokens), [0.0] * len(arrivals)
    bars, now, first = {}, 0.0, 0
    while len(bars) < len(arrivals):
        if first < len(arrivals) and not any(slot is not None for slot in slots):
            now = max(now, arrivals[first])  # idle until somebody comes
        for slot, taken in enumerate(slots):
            if taken is None and first < len(arrivals) and arrivals[first] <= now:
                slots[slot], began[first] = first, now
                first += 1
        running = [i for i in slots if i is not None]
        now += step[len(running) - 1]
        for slot, i in enumerate(slots):
            if i is None:
                continue
            left[i] -= 1
            if not left[i]:
                bars[i] = Bar(i, slot, arrivals[i], began[i], now, now)
                slots[slot] = None
    return [bars[i] for i in range(len(arrivals))]


def busy_share(bars: Sequence[Bar]) -> float:
    """Share of the rows' time, from the first arrival to the last reply, in which they write a token that is wanted."""
    rows = 1 + max(bar.slot for bar in bars)
    span = max(bar.answered for bar in bars) - min(bar.arrived for bar in bars)
    return sum(bar.written - bar.began for bar in bars) / (rows * span)


def draw_schedules(schedules: Mapping[str, Sequence[Bar]], title: str, *, alt: str = "") -> Figure:
    """A Gantt picture of several policies: one line per row of the batch, a number on each request.

    Solid: tokens are written; pale: the row is taken by a reply that is done and waits for the others. All policies get
    as many lines as the one that uses most, so that a row which stays empty is seen.
    """
    rows = dict.fromkeys(schedules, 1 + max(bar.slot for bars in schedules.values() for bar in bars))
    told = [
        f"{policy}, mean wait {np.mean([bar.seconds for bar in bars]):.1f} s, rows busy {busy_share(bars):.0%}"
        for policy, bars in schedules.items()
    ]
    alt = alt or f"Bars of requests, a line per row of the batch: {'; '.join(told)}."
    fig, ax = figure(title, xlabel="seconds", size=(7.0, 1.2 + 0.22 * sum(rows.values())), alt=alt)
    top, ticks, labels, waiting = 0, [], [], None
    for policy, bars in schedules.items():
        for bar in bars:
            color = PALETTE["main"]
            y = top + bar.slot
            writing = ax.barh(y, bar.written - bar.began, left=bar.began, height=0.8, color=color, edgecolor="white")
            if bar.answered > bar.written:
                waiting = ax.barh(y, bar.answered - bar.written, left=bar.written, height=0.8, color=color, alpha=0.25)
            ax.text(bar.began, y, f" {bar.request}", va="center", fontsize=7, color="white")
        mean = np.mean([bar.seconds for bar in bars])
        ticks.append(top + (rows[policy] - 1) / 2)
        labels.append(f"{policy}\nmean wait {mean:.1f} s")
        top += rows[policy] + 1
    if waiting is not None:
        ax.legend([writing, waiting], ["a reply is being written", "written, and waits for the longest"], ncols=2,
                  loc="lower right", bbox_to_anchor=(1, 0.99))  # fmt: skip
    ax.set_yticks(ticks, labels)
    ax.set_xlim(0, 1.03 * max(bar.answered for bars in schedules.values() for bar in bars))
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    return fig
