"""A suite put to a model: replies, kept on disk; values, by a scorer; shares with intervals, overall and by slice.

    run = run_suite(load_model("handbook"), load_suite("handbook").sample(20))
    run.share().mean, run.share().low, run.share().high
    run.share(slice="unanswerable")
    score(run.suite, run.replies, my_scorer)           # the same replies, scored in another way, without a model

Answers are separate from scores: a scorer can be mended and applied again in a second.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.old.evaluation.answers import FOLDER, kept
from helpers.old.evaluation.scoring import SCORERS, Scorer
from helpers.old.evaluation.suites import Suite
from helpers.old.evaluation.systems import Model, Reply
from helpers.stats.intervals import bootstrap_ratio, wilson


@dataclass(frozen=True)
class Share:
    """A mean of values with its 95 % interval, over n items in so many groups."""

    mean: float
    low: float
    high: float
    n: int
    groups: int

    def __str__(self) -> str:
        return f"{self.mean:.0%} (95 % CI {self.low:.0%}–{self.high:.0%}, n = {self.n})"


@dataclass(frozen=True)
class Run:
    """What a model made of a suite. values: per name, (N,) in the suite's order; `main` is what a gate compares.

    asked: questions that were put to the model now, not found on disk; seconds: what that took in all.
    """

    suite: Suite
    model: str
    identity: Mapping[str, Any]
    replies: tuple[Reply, ...]
    values: Mapping[str, NDArray]
    asked: int
    seconds: float

    @property
    def main(self) -> str:
        return next(iter(self.values))

    def share(self, name: str | None = None, slice: str | None = None, seed: int = 0) -> Share:
        """The mean of a value, `main` by default, over all items or one slice. Raises KeyError for another name."""
        chosen = [i for i, item in enumerate(self.suite.items) if slice in (None, item.slice)]
        groups = [self.suite.items[i].group for i in chosen]
        return mean_of(self.values[name or self.main][chosen], groups, seed)


def run_suite(
    model: Model, suite: Suite, *, scorer: Scorer | None = None, folder: Path = FOLDER, progress: bool = False
) -> Run:
    """Every item's reply and what it is worth. scorer: `SCORERS[suite.kind]` by default. folder: of kept replies.

    progress: show a bar. Raises what the model raises; what was answered until then is kept. Raises ValueError for a
    value that is NaN or infinite.
    """
    from tqdm.auto import tqdm

    start = time.perf_counter()
    with kept(model, folder) as found:
        texts = [item.input for item in suite.items if found.get(item.input) is None]
        with tqdm(total=len(texts), desc=model.name, unit="item", disable=not (progress and texts)) as bar:
            for at in range(0, len(texts), model.batch):
                block = texts[at : at + model.batch]
                for text, reply in zip(block, model.ask(block), strict=True):
                    found.add(text, reply)
                bar.update(len(block))
        replies = tuple(found.replies_to([item.input for item in suite.items]))
    values = score(suite, replies, scorer)
    return Run(suite, model.name, model.identity, replies, values, len(texts), time.perf_counter() - start)


def score(suite: Suite, replies: Sequence[Reply], scorer: Scorer | None = None) -> dict[str, NDArray]:
    """Per name, the values of all items: (N,) floats. Raises ValueError for a value that is no finite number."""
    scorer = SCORERS[suite.kind] if scorer is None else scorer
    rows = [scorer(item, reply) for item, reply in zip(suite.items, replies, strict=True)]
    for item, row in zip(suite.items, rows, strict=True):
        if list(row) != list(rows[0]):
            raise ValueError(f"The scorer gives {', '.join(row)} for {item.id!r} and {', '.join(rows[0])} before.")
        for name, value in row.items():
            if not np.isfinite(value):
                raise ValueError(f"The scorer gives {value} as {name!r} of {item.id!r}: a value is a finite number.")
    return {name: np.array([row[name] for row in rows], dtype=float) for name in rows[0]}


def mean_of(values: NDArray, groups: Sequence[str], seed: int = 0) -> Share:
    """The mean with an interval that draws whole groups; where all values are 0, or 1, Wilson's, one draw per group.

    values: (N,) finite numbers; groups: N names. Raises ValueError for no values.
    """
    if not len(values):
        raise ValueError("There are no values to take the mean of.")
    sums, sizes = by_group(values, groups)
    mean = float(np.mean(values))
    if mean in (0.0, 1.0):
        low, high = wilson(int(mean) * len(sums), len(sums))
    else:
        low, high = bootstrap_ratio(sums, sizes, seed=seed)
    return Share(mean, low, high, len(values), len(sums))


def by_group(values: NDArray, groups: Sequence[str]) -> tuple[NDArray, NDArray]:
    """The sum of each group's values, and how many they are: (G,) and (G,)."""
    places = {name: i for i, name in enumerate(dict.fromkeys(groups))}
    at = [places[name] for name in groups]
    return np.bincount(at, weights=values), np.bincount(at).astype(float)
