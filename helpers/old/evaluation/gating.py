"""May the new model replace the old one? Their paired difference on a suite, against a margin that was fixed before.

    verdict = gate(new_run, old_run, margin=0.05)
    verdict.status, verdict.sentence               # 0 "passed: …", 1 "failed: …", 2 "cannot be judged: …"
    verdict.overall, verdict.slices["unanswerable"], verdict.regressions

The question is not "is the new one better?" but "can a loss that matters be excluded?" (a test of non-inferiority). So
the gate passes where the lower end of the 95 % interval of the difference lies above −margin. The margin is the largest
loss that nobody would mind, and it is fixed before anybody has seen a result: a margin that is chosen afterwards can
always be chosen so that the result passes. 0.05 is one question in twenty.

The gate fails where a loss is shown that may reach the margin: the whole interval lies below 0, and its lower end at
−margin or below. (An interval between −margin and 0 shows a loss that is too small to matter: that passes.) Where it
holds 0 and −margin, the items show no loss and exclude none: the gate then cannot judge, and the sentence says how
many items it would take. Two versions that are equally good fail in at most about 2.5 % of comparisons, slices aside,
and a version that is worse by exactly the margin passes about as seldom.

A good mean can hide a slice that broke. A slice fails by the same rule, at a level that is shared among the slices
(Bonferroni), so that twenty slices raise no more false alarms than one. So the burden of proof differs: the mean has to
exclude a loss, a slice has to show one. What the gate does not do: notice a loss in a slice of a few items, which no
interval could show. The intervals are computed, not resampled: the same answers give the same verdict on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from helpers.old.evaluation.harness import Run, by_group
from helpers.stats.intervals import gain_interval, wilson

PASS, FAIL, CANNOT_JUDGE = 0, 1, 2
WORDS = {PASS: "passed", FAIL: "failed", CANNOT_JUDGE: "cannot be judged"}


class GateError(ValueError):
    """The two runs cannot be compared; the message is one sentence."""


@dataclass(frozen=True)
class Difference:
    """mean(new − old) over n items in so many groups, with its interval; better, worse: items whose value changed."""

    difference: float
    low: float
    high: float
    n: int
    groups: int
    better: int
    worse: int

    def __str__(self) -> str:
        points = [f"{100 * value:+.1f}".replace("-", "−") for value in (self.difference, self.low, self.high)]
        changed = f"{self.better} better and {self.worse} worse of {self.n}"
        return f"{points[0]} points ({points[1]} to {points[2]}), {changed}"


@dataclass(frozen=True)
class Verdict:
    """What the gate says. status: 0 passed, 1 failed, 2 cannot be judged. regressions: the items that got worse."""

    status: int
    reason: str
    margin: float
    overall: Difference
    slices: Mapping[str, Difference]
    regressions: tuple[dict[str, Any], ...]

    @property
    def sentence(self) -> str:
        said = "cannot judge" if self.status == CANNOT_JUDGE else WORDS[self.status]
        return f"The gate {said}: {self.reason}"


def gate(new: Run, old: Run, margin: float) -> Verdict:
    """Compare two runs of one suite, item by item, by their main value.

    margin: the largest loss of the mean that is accepted, such as 0.05; values lie between 0 and 1. Items without an
    answer count with the value that the scorer gives them, 0. Raises GateError for a margin outside (0, 1), runs of
    different suites or values, and a value that is no finite number.
    """
    if not 0 < margin < 1:
        raise GateError(f"The margin is a share of right answers between 0 and 1, such as 0.05, not {margin}.")
    if new.suite.digest != old.suite.digest or new.main != old.main:
        raise GateError(
            f"{new.model} answered {len(new.suite.items)} items of {new.suite.name} and {old.model} "
            f"{len(old.suite.items)} of {old.suite.name}: a paired comparison needs the same items and the same score."
        )
    items, a, b = new.suite.items, new.values[new.main], old.values[old.main]
    groups = [item.group for item in items]
    overall = paired_difference(a, b, groups)
    level = 1 - 0.05 / len(new.suite.slices)
    slices = {}
    for name in new.suite.slices:
        at = [i for i, item in enumerate(items) if item.slice == name]
        slices[name] = paired_difference(a[at], b[at], [groups[i] for i in at], confidence=level)
    status, reason = _judge(overall, slices, margin)
    return Verdict(status, reason, margin, overall, slices, tuple(_regressions(new, old)))


def paired_difference(
    new: ArrayLike, old: ArrayLike, groups: Sequence[str] | None = None, *, confidence: float = 0.95
) -> Difference:
    """mean(new − old) with its `gain_interval`; a group of items counts as one (each item, where there are none).

    new, old: (N,) finite values of the same items, each in [0, 1]. A group's gain is the mean of its items; groups of
    unequal size weigh by their items (linearized, as for any ratio of sums). Raises GateError.
    """
    a, b = np.asarray(new, dtype=float), np.asarray(old, dtype=float)
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise GateError(f"Each item needs a value of both models, at least one item: not {a.shape} and {b.shape}.")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise GateError("A value is NaN or infinite: a missing answer counts 0, and is never left out.")
    gaps = a - b
    sums, sizes = by_group(gaps, list(range(len(a))) if groups is None else groups)
    mean = float(gaps.mean())
    low, high = gain_interval(mean + (sums - mean * sizes) / sizes.mean(), confidence)
    return Difference(mean, low, high, len(a), len(sums), int((gaps > 0).sum()), int((gaps < 0).sum()))


def fewest_groups(margin: float) -> int:
    """How many independent items it takes until even a model that changed nothing can pass."""
    n = 1
    while wilson(0, n)[1] >= margin:
        n += 1
    return n


def items_needed(churn: float, margin: float) -> int:
    """How many independent items let an equally good model pass in 80 % of comparisons (normal approximation).

    churn: the share of items whose value changes by 1, as often up as down, which is the variance of the change.
    """
    return max(fewest_groups(margin), math.ceil((1.96 + 0.84) ** 2 * churn / margin**2))


def status_of(low: float, high: float, margin: float) -> int:
    """PASS, FAIL or CANNOT_JUDGE, from the ends of the interval of a gain."""
    if low > -margin:
        return PASS  # a loss that matters is excluded
    return FAIL if high < 0 else CANNOT_JUDGE


def _judge(overall: Difference, slices: Mapping[str, Difference], margin: float) -> tuple[int, str]:
    status = status_of(overall.low, overall.high, margin)
    broken = [name for name, found in slices.items() if status_of(found.low, found.high, margin) == FAIL]
    if status == FAIL:
        return FAIL, f"the new model is worse, {overall}."
    if broken:
        return FAIL, f"the slice {broken[0]} is clearly worse, {slices[broken[0]]}."
    if status == PASS:
        return PASS, f"a loss of more than {100 * margin:g} points is excluded, {overall}."
    if overall.groups < fewest_groups(margin):
        return CANNOT_JUDGE, (
            f"{overall.groups} independent items are too few to exclude a loss of {100 * margin:g} points; from "
            f"{fewest_groups(margin)} on, a model that changes nothing passes. Measured: {overall}."
        )
    churn = (overall.better + overall.worse) / overall.n
    return CANNOT_JUDGE, (
        f"a loss of more than {100 * margin:g} points is neither excluded nor shown, {overall}. If as many answers "
        f"change again, it takes about {items_needed(churn, margin)} independent items to let an equally good model "
        "pass in four of five cases."
    )


def _regressions(new: Run, old: Run) -> list[dict[str, Any]]:
    """The items whose value fell, those that lost most first, then those that the new model was surest of."""
    found = []
    a, b = new.values[new.main], old.values[old.main]
    for i, item in enumerate(new.suite.items):
        if a[i] < b[i]:
            found.append(
                {
                    "id": item.id,
                    "slice": item.slice,
                    "input": item.input,
                    "expected": item.expected,
                    "new": new.replies[i].answer,
                    "old": old.replies[i].answer,
                    "loss": float(b[i] - a[i]),
                    "confidence": new.replies[i].confidence,
                }
            )
    return sorted(found, key=lambda row: (-row["loss"], -(row["confidence"] or 0.0)))
