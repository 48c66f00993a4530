"""A rollout on simulated traffic: an agent corrects what was read wrongly, late, and not on every ticket.

    old = Version("rules", right=0.53, seconds=0.2)                      # a share, or a list: right or wrong per ticket
    new = Version("tickets", right=[True, True, False], seconds=2.0)     # what was recorded for each ticket of a suite
    drill = run_drill(RolloutPlan(pairs=400), new, old, per_hour=40, seed=0)
    print(drill)                                       # promote after 71 hours: …; 512 users had the new version
    drill.hours, drill.e_values, drill.shares          # for a picture

What is simulated: when tickets come, how long replies take, whether and when an agent looks. Where `right` is a list,
what is right is not simulated: each ticket of the traffic is one of those that were recorded, drawn at random.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.old.serving.rollout import ARMS, Decision, Rollout, RolloutPlan

SPREAD = 0.5  # standard deviation of the logarithm of seconds


@dataclass(frozen=True)
class Version:
    """How one version does."""

    name: str
    right: float | Sequence[bool]  # share of tickets that it reads rightly, or for each of many tickets whether
    seconds: float = 2.0  # median of a reply; they vary around it (lognormal)
    errors: float = 0.002  # share of requests that fail
    invalid: float = 0.0  # share of replies without the form that was asked for


@dataclass(frozen=True)
class Agents:
    """When people look at what was read."""

    correction_hours: float = 4.0  # mean time to the correction of a wrong reading (exponential)
    closing_hours: float = 16.0  # mean time until a ticket that was read rightly is closed
    never: float = 0.15  # share of tickets that nobody looks at again


@dataclass(frozen=True)
class Drill:
    """What happened, hour by hour."""

    decision: Decision
    canary_requests: int  # how many got the new version before the decision
    rollout: Rollout
    hours: NDArray  # (H,)
    shares: NDArray  # (H,) of traffic that the canary had
    e_values: NDArray  # (H,) of the test of quality
    guards: dict[str, NDArray]  # (H,) e-values of the guardrails
    right: dict[str, NDArray]  # (H,) share of right answers among those that count so far, NaN before the first

    def __str__(self) -> str:
        done = self.decision
        return (
            f"{done.action} after {done.hour:.0f} hours: {done.reason}; {self.canary_requests} requests on the canary"
        )


def run_drill(
    plan: RolloutPlan,
    new: Version,
    old: Version,
    *,
    per_hour: float = 40.0,
    agents: Agents | None = None,
    most_hours: float = 1000.0,
    users: int | None = None,
    spread: float = 0.25,
    seed: int = 0,
) -> Drill:
    """Runs a rollout until it has decided, or for `most_hours`.

    per_hour: tickets, at random (Poisson); the old version has served them since before the rollout began, so that its
    late outcomes come in from the first hour on. users: how many customers send them again and again; None: each ticket
    comes from another one. spread: standard deviation of what is added, per customer, to both versions' shares of right
    readings, since some write more clearly than others.
    Raises ValueError for a rate that is not positive, for no hours, for lists of right answers of two lengths (both are
    recorded on the same tickets), and for such lists together with `users`.
    """
    lists = [version.right for version in (new, old) if not isinstance(version.right, (int, float))]
    if not per_hour > 0 or most_hours < 1 or len({len(outcomes) for outcomes in lists}) > 1:
        raise ValueError("A drill needs a positive rate, an hour, and two versions recorded on the same tickets.")
    if users is not None and (lists or users < 2):
        raise ValueError("Customers who return are two or more, and each version's right answers are a share then.")
    agents, rng, rollout = agents or Agents(), np.random.default_rng(seed), Rollout(plan)
    clarity = None if users is None else np.random.default_rng((seed, users)).normal(0, spread, users)
    versions = {"canary": new, "control": old}
    pending: list[tuple[float, str, bool]] = []  # heap of outcomes: hour, request, right
    rows, tickets, on_canary = [], 0, 0
    decision = Decision("go on", "no hour has passed", 0.0)
    for hour in np.arange(-np.ceil(plan.window_hours), most_hours):
        if hour == 0:
            rollout.start()
        for moment in np.sort(hour + rng.random(rng.poisson(per_hour))):
            tickets += 1
            request = f"ticket {tickets}"
            number = None if users is None else int(rng.integers(users))
            user = request if number is None else f"customer {number} of run {seed}"
            arm = rollout.arm(user)
            version = versions[arm]
            failed = rng.random() < version.errors
            seconds = version.seconds * np.exp(SPREAD * rng.standard_normal())
            valid = version.invalid == 0 or rng.random() >= version.invalid
            rollout.served(request, arm, moment, user=user, seconds=seconds, failed=failed, valid=valid)
            on_canary += arm == "canary"
            right = _right(version, rng) if number is None else bool(rng.random() < version.right + clarity[number])
            after = rng.exponential(agents.closing_hours if right else agents.correction_hours)
            if not failed and rng.random() >= agents.never:
                heapq.heappush(pending, (moment + after, request, right))
        while pending and pending[0][0] <= hour + 1:
            then, request, right = heapq.heappop(pending)
            rollout.outcome(request, right=right, hour=then)
        if hour >= 0:
            share = rollout.share
            decision = rollout.decide(hour + 1)
            rows.append(_row(rollout, hour + 1, share))
        if decision.final:
            break
    hours, shares, e_values, guards, right = zip(*rows, strict=True)
    return Drill(
        decision,
        on_canary,
        rollout,
        np.array(hours),
        np.array(shares),
        np.array(e_values),
        {name: np.array([row[name] for row in guards]) for name in guards[0]},
        {arm: np.array([row[arm] for row in right]) for arm in ARMS},
    )


def _right(version: Version, rng: np.random.Generator) -> bool:
    if isinstance(version.right, (int, float)):
        return bool(rng.random() < version.right)
    return bool(version.right[rng.integers(len(version.right))])


def _row(rollout: Rollout, hour: float, share: float) -> tuple:
    guards = {name: rail.e_value for name, rail in rollout.guardrails.items()}
    right = {arm: n_right / n if n else np.nan for arm, (n, n_right) in rollout.known.items()}
    return hour, share, rollout.test.e_value, guards, right
