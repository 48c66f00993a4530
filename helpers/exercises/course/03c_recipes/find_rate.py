"""find_rate: raise the learning rate at every step, watch the loss, and take the lowest rate that is good enough."""

from __future__ import annotations

import math
from collections.abc import Callable

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property


def find_rate(loss_after: Callable[[float], float], low: float, high: float, steps: int, slack: float = 0.1) -> float:
    """The learning-rate finder: try a higher rate at each step, then say which one to train with.

    loss_after(rate) makes one training step at this rate and returns the loss on the dev text after it. The first rate
    is `low`, the last of `steps` rates (2 or more) is `high`, and each is the same multiple of the one before it. Stop
    early after a loss that is no finite number, or more than 1 nat above the lowest so far.
    Returns the lowest of the tried rates whose loss is at most `slack` nats above the lowest loss.
    """
    tried: dict[float, float] = {}
    for step in range(steps):
        rate = low * (high / low) ** (step / (steps - 1))
        loss = loss_after(rate)
        if not math.isfinite(loss):
            break
        tried[rate] = loss
        if loss > min(tried.values()) + 1:
            break
    return min(rate for rate, loss in tried.items() if loss <= min(tried.values()) + slack)


ANSWER = """
def find_rate(loss_after, low, high, steps, slack=0.1):
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses = [], []
    for step in range(steps):
        rate = low * factor**step
        loss = loss_after(rate)
        if not math.isfinite(loss):
            break
        rates.append(rate)
        losses.append(loss)
        if loss > min(losses) + 1:
            break
    for rate, loss in zip(rates, losses):
        if loss <= min(losses) + slack:
            return rate
"""
FINITE = "        if not math.isfinite(loss):\n            break\n"
RISEN = "        if loss > min(losses) + 1:\n            break\n"
CHOICE = "    for rate, loss in zip(rates, losses):\n        if loss <= min(losses) + slack:\n            return rate\n"
SLIPS = [
    (
        "low * factor**step",
        "low + (high - low) * step / (steps - 1)",
        "the rates grow by the same amount: nearly all of them are then large. Multiply by the same factor.",
    ),
    (
        "** (1 / (steps - 1))",
        "** (1 / steps)",
        "the last rate falls short of `high`: between `steps` rates there are steps − 1 factors.",
    ),
    (
        RISEN,
        "",
        "you go on after the loss has risen by more than 1 nat: a broken model only costs time, and may break the run.",
    ),
    (
        "        if loss > min(losses) + 1:",
        "        if len(losses) > 1 and loss > losses[-2] + 1:",
        "you compare with the last loss: a slow rise is missed that way. Compare with the lowest so far.",
    ),
    (
        "        if loss > min(losses) + 1:",
        "        if loss > min(losses):",
        "you stop at the first rise, and a single noisy batch is enough for that: wait for 1 nat.",
    ),
    (
        "        if loss > min(losses) + 1:",
        "        if loss > losses[0] + 1:",
        "you compare with the first loss: compare with the lowest so far.",
    ),
    (
        CHOICE,
        "    return rates[losses.index(min(losses))]\n",
        "you take the rate of the lowest loss, which is one noisy number: take the lowest rate that is as good within "
        "`slack`.",
    ),
    (
        CHOICE,
        "    return rates[losses.index(min(losses))] / 10\n",
        "a tenth of the rate with the lowest loss is a rule of thumb, and not the rule asked for here: take the lowest "
        "rate within `slack`.",
    ),
    (
        CHOICE,
        "    return max(rate for rate, loss in zip(rates, losses) if loss <= min(losses) + slack)\n",
        "you take the highest rate that is good enough, which is next to the ones that break the run: take the lowest.",
    ),
    (
        [("        if loss <= min(losses) + slack", "        if loss <= losses[0] - slack")],
        "you take the first rate that makes anything better: compare with the lowest loss.",
    ),
    (
        CHOICE,
        "    best, chosen = losses[0], rates[0]\n    for rate, loss in zip(rates, losses):\n"
        "        if loss < best - slack:\n            best, chosen = loss, rate\n    return chosen\n",
        "you compare with the best loss up to that rate: first find the lowest of all, then go over the rates again.",
    ),
    (CHOICE, "    return rates[-1]\n", "you return the last rate, which is the one that broke the run."),
]
REFUSED = [
    (FINITE, "", ""),
    ("            return rate\n", "            rate\n", "yours is None"),
]
RIGHT = [
    """
def find_rate(loss_after, low, high, steps, slack=0.1):
    seen = []
    for k in range(steps):
        rate = math.exp(math.log(low) + k * (math.log(high) - math.log(low)) / (steps - 1))
        loss = loss_after(rate)
        if loss != loss or loss == math.inf:
            break
        seen.append((loss, rate))
        if loss - min(seen)[0] > 1:
            break
    best = min(seen)[0]
    return [rate for loss, rate in seen if loss - best <= slack][0]
""",
]


class Training:
    """A training that has forgotten all but its losses: it falls, levels off, and breaks where the rates are high."""

    def __init__(self, losses: list[float]) -> None:
        self.losses, self.rates = losses, []

    def step(self, rate: float) -> float:
        self.rates.append(round(float(rate), 9))
        if len(self.rates) > len(self.losses):
            raise RuntimeError("This training has broken down: it cannot make another step.")
        return self.losses[len(self.rates) - 1]


def drive(find: Callable, losses: list[float], low: float, high: float, slack: float) -> dict[str, object]:
    """What is chosen for a training with these losses, and the rates at which it made its steps."""
    training = Training(losses)
    chosen = find(training.step, low, high, len(losses), slack)
    return {"chosen": chosen, "steps made": len(training.rates), "rates": training.rates}


def shown(losses: list[float], low: float, high: float, slack: float) -> str:
    return f"find_rate(loss_after, {low:g}, {high:g}, {len(losses)}, {slack:g}), where the losses are {losses}"


def cases(rng: Generator) -> list[tuple]:
    noise = [round(float(x), 2) for x in rng.uniform(-0.03, 0.03, size=9)]
    falling = [4.5, 4.3, 4.0, 3.7, 3.4, 3.32, 3.3, 3.31, 3.3]
    return [
        ([4.5, 4.4, 4.0, 3.5, 3.3, 3.28, 3.4, 3.9, 5.0, 7.0], 1e-5, 1.0, 0.1),  # breaks before the end
        ([4.5, 4.0, 3.6, 3.55, 3.5, 3.6], 1e-4, 1e-1, 0.0),
        ([4.5, 4.2, 3.9, 4.0, 3.7, 3.6, 3.65], 1e-4, 1e-1, 0.05),  # a single rise
        ([4.5, 4.0, 3.5, 3.9, 4.2, 4.4, 4.6, 4.8], 1e-4, 1.0, 0.1),  # a slow rise
        ([4.5, 3.9, 3.4, float("nan"), 3.0], 1e-3, 1e1, 0.1),
        ([4.5, 3.9, 3.4, float("inf"), 3.0], 1e-3, 1e1, 0.2),
        ([round(a + b, 2) for a, b in zip(falling, noise, strict=True)], 1e-5, 1e-1, 0.1),
        ([5.0, 4.0], 0.01, 0.02, 0.1),
        ([3.0, 2.95, 2.88], 1e-3, 1e-1, 0.1),  # a slow descent, each step shorter than the slack
        ([4.0, 4.6, 4.9, 5.2, 5.5], 1e-3, 1.0, 0.1),  # the first one was the best
    ]


def _was_tried(result: dict[str, object], *_: object) -> bool:
    rates = result["rates"]
    return any(abs(float(result["chosen"]) - rate) <= 1e-6 * rate + 1e-9 for rate in rates)  # type: ignore


EXERCISE = Exercise(
    reference=find_rate,
    minutes=7,
    difficulty=2,
    drive=drive,
    shown=shown,
    hints=(
        "Ten rates from 0.001 to 1: by which factor does each differ from the one before it?",
        "Between `steps` rates there are steps − 1 equal factors, whose product is high / low. Keep the rates and "
        "losses that you have seen in two lists; the two reasons to stop only look at these.",
        "In the loop: the rate of this step, its loss, leave if it is no finite number (`math.isfinite`), note both, "
        "leave if the loss exceeds the lowest noted one by more than 1. After the loop, go over the noted pairs from "
        "the lowest rate on, and return the first whose loss is within `slack` of the lowest.",
    ),
    proves="the factor is the same, the search stops in time, and the lowest rate that is good enough is chosen",
    properties=[Property("the choice is one of the rates that were tried", _was_tried)],
)
