"""What the recorded fine-tunings on tickets gave (data/results/07_*.json, written by `make sweeps`), read back.

    scores(adapter(), "fresh")["exact"]             # a Score: .right of .n, .share, .by_family
    all_right(adapter(), "dev")                     # ticket by ticket: all five fields right?

`adapter()` is the run of the shipped adapter (07_tickets), `cheap()` that of TF-IDF with rules on the same families
(07_baseline; also the embedder's vectors, and a constant). What it does not do: measure anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from helpers.old.metrics.grouped import Score
from helpers.old.trials.records import Record
from helpers.old.velunda.tickets import FIELDS, load_tickets

ADAPTER, CHEAP = Record("07_tickets"), Record("07_baseline")


def adapter() -> dict[str, Any]:
    """The run that trained the shipped adapter: scores, confidences and marks on dev, test and fresh."""
    return ADAPTER.read()["runs"][0]


def cheap(features: str = "characters") -> dict[str, Any]:
    """A cheap way with rules, fitted on the families that the adapter has seen: confidences and marks.

    features: "characters" (TF-IDF), "vectors" (of the embedder), or "constant", which says the commonest value.
    """
    [run] = [run for run in CHEAP.read()["runs"] if run["case"]["features"] == features]
    return run


def scores(run: Mapping[str, Any], split: str = "test") -> dict[str, Score]:
    """A run's score for each of FIELDS, and for "exact". Raises KeyError for a split that it was not measured on."""
    if "scores" in run[split]:
        return {field: Score.from_json(counts) for field, counts in run[split]["scores"].items()}
    families = [ticket["family"] for ticket in load_tickets(split)]
    marks = run[split]["right"] | {"exact": all_right(run, split)}
    return {
        name: Score.of((family, bool(int(mark))) for family, mark in zip(families, column, strict=True))
        for name, column in marks.items()
    }


def all_right(run: Mapping[str, Any], split: str) -> list[bool]:
    """For each ticket of a split: were all five fields right?"""
    return [set(marks) == {"1"} for marks in zip(*(run[split]["right"][field] for field in FIELDS), strict=True)]


def by_family(values: Sequence[float], split: str) -> list[float]:
    """The mean of each family, for one value per ticket of a split: what an interval has to draw.

    The families of a split are of one size, so the mean of these is the mean of all.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for ticket, value in zip(load_tickets(split), values, strict=True):
        found[ticket["family"]].append(float(value))
    return [fmean(row) for row in found.values()]
