"""What the recorded fine-tunings on tickets gave (data/results/07_*.json, written by `make sweeps`), read back.

    scores(adapter(), "fresh")["exact"]             # a Score: .right of .n, .share, .by_family
    all_right(adapter(), "dev"), sure(adapter(), "dev")      # ticket by ticket: all five fields right? how sure?
    gain("fresh")                                   # the adapter against TF-IDF with rules, family by family
    find("broken", labels="no stop")["dev"]["reading"]["without an end"]

`adapter()` is the run of the shipped adapter (07_tickets), `cheap()` that of TF-IDF with rules on the same families
(07_baseline), `minute()` a short training that was scored every few steps (07_minute), `find` one run of the other
trainings and of the untrained model (07_sft). What it does not do: measure anything.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from helpers.metrics.grouped import Score
from helpers.stats import PairedDifference, paired_bootstrap
from helpers.trials.records import Record
from helpers.velunda.tickets import FIELDS, load_tickets

RECORD, ADAPTER, CHEAP, MINUTE = Record("07_sft"), Record("07_tickets"), Record("07_baseline"), Record("07_minute")
recorded, find = RECORD.read, RECORD.find  # the whole of it, and one run


def adapter() -> dict[str, Any]:
    """The run that trained the shipped adapter: scores, confidences and marks on dev, test and fresh."""
    return ADAPTER.read()["runs"][0]


def cheap() -> dict[str, Any]:
    """TF-IDF with rules, fitted on the families that the adapter has seen: confidences and marks."""
    return CHEAP.read()["runs"][0]


def minute() -> dict[str, Any]:
    """The recorded minute of training that was scored on the way: run["by step"][step]["dev"], counts by field."""
    [run] = [run for run in MINUTE.read()["runs"] if "by step" in run]
    return run


def share_of(counts: Mapping[str, Mapping[str, int]]) -> float:
    """The share of right values over all fields, of counts as a record has them."""
    return sum(Score.from_json(counts[field]).share for field in FIELDS) / len(FIELDS)


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


def mean_share(run: Mapping[str, Any], split: str = "test") -> float:
    """The share of right values over all fields and tickets."""
    found = scores(run, split)
    return sum(found[field].share for field in FIELDS) / len(FIELDS)


def all_right(run: Mapping[str, Any], split: str) -> list[bool]:
    """For each ticket of a split: were all five fields right?"""
    return [set(marks) == {"1"} for marks in zip(*(run[split]["right"][field] for field in FIELDS), strict=True)]


def sure(run: Mapping[str, Any], split: str) -> list[float]:
    """For each ticket of a split: the product of its fields' confidences, as if the fields were independent."""
    return [math.prod(row) for row in zip(*(run[split]["sure"][field] for field in FIELDS), strict=True)]


def gain(split: str) -> PairedDifference:
    """All five fields right: the adapter's share minus that of TF-IDF with rules, paired by family of phrasing."""
    pairs: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    marks = zip(load_tickets(split), all_right(adapter(), split), all_right(cheap(), split), strict=True)
    for ticket, ours, theirs in marks:
        pairs[ticket["family"]].append((ours, theirs))
    ours, theirs = zip(*(map(sum, zip(*rows, strict=True)) for rows in pairs.values()), strict=True)
    n = [len(rows) for rows in pairs.values()]
    return paired_bootstrap(
        [a / k for a, k in zip(ours, n, strict=True)], [b / k for b, k in zip(theirs, n, strict=True)]
    )


def learning_curve(split: str = "test") -> dict[int, list[float]]:
    """For each number of training tickets, the mean share of right fields after training on each of the subsets."""
    curve: dict[int, list[float]] = {}
    for run in recorded()["runs"]:
        if run["case"]["case"] == "tuned":
            curve.setdefault(run["case"]["n"], []).append(mean_share(run, split))
    return dict(sorted(curve.items()))
