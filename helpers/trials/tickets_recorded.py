"""What the recorded fine-tunings gave: data/results/07_sft.json, written by `make sweeps`, read back as scores.

    before_after()["TF-IDF and rules"]["exact"]     # a Score: .right of .n, .share, .by_family
    learning_curve()[100]                           # the share of exact matches for each of three subsets
    find("broken", labels="no stop")["dev"]["reading"]["without an end"]

What it does not do: measure anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helpers.metrics.grouped import Score
from helpers.trials.records import Record

RECORD = Record("07_sft")
recorded, find = RECORD.read, RECORD.find  # the whole of it, and one run
SYSTEMS: dict[str, dict[str, Any]] = {  # what before_after calls them: the case
    "zero-shot": {"case": "zero-shot"},
    "few-shot": {"case": "few-shot"},
    "few-shot, in a form": {"case": "form", "shots": 6},
    "TF-IDF and rules": {"case": "baseline"},
    "fine-tuned, in a form": {"case": "main"},
}


def scores(run: Mapping[str, Any], split: str = "test") -> dict[str, Score]:
    """A run's score for each of FIELDS, and for "exact". Raises KeyError for a split that it was not measured on."""
    return {field: Score.from_json(counts) for field, counts in run[split]["scores"].items()}


def before_after(split: str = "test") -> dict[str, dict[str, Score]]:
    """The scores of each of SYSTEMS."""
    return {name: scores(find(**case), split) for name, case in SYSTEMS.items()}


def learning_curve(split: str = "test", field: str = "exact") -> dict[int, list[float]]:
    """For each number of training tickets, the share that was right after training on each of the subsets."""
    curve: dict[int, list[float]] = {}
    for run in recorded()["runs"]:
        if run["case"]["case"] == "tuned":
            curve.setdefault(run["case"]["n"], []).append(scores(run, split)[field].share)
    return dict(sorted(curve.items()))
