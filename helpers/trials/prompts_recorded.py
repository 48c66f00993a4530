"""What the templates scored: data/results/12_prompts.json and 12_injection.json, read.

    verdicts("customer_support", "2.0.0")             # (N,) bool: which test replies were right
    gain("customer_support", "2.0.0", "bare")         # its paired difference, with interval
    optimized("greater")                              # gain of the optimizer's prompt on its dev items, and on test

What it does not do: measure anything (`tests/benchmarks/sweep_prompts.py`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from helpers.stats import PairedDifference, paired_bootstrap
from helpers.trials.records import Record

PROMPTS, INJECTION = Record("12_prompts"), Record("12_injection")


def verdicts(name: str, prompt: str) -> NDArray:
    """Which replies to the test items of a set were right, with a version or "bare": (N,) bool."""
    [run] = [run for run in PROMPTS.read()["runs"] if run["case"] == {"set": name, "prompt": prompt}]
    return bits(run["right"])


def gain(name: str, prompt: str, before: str = "bare") -> PairedDifference:
    """How much more often a prompt is right than another, on the same test items."""
    return paired_bootstrap(verdicts(name, prompt), verdicts(name, before))


def optimized(rule: str) -> tuple[PairedDifference, PairedDifference]:
    """What the optimizer's prompt gains over its start, on the 30 items of dev it was chosen on and on 60 of test."""
    [run] = [run for run in PROMPTS.read()["runs"] if run["case"] == {"optimizer": rule}]
    dev, test = (paired_bootstrap(bits(run[split]["end"]), bits(run[split]["start"])) for split in ("dev", "test"))
    return dev, test


def obeyed_share(model: str, way: str, kind: str | None = None) -> tuple[int, int]:
    """How many of the attacks (of one kind) were obeyed, and how many there are."""
    [run] = [run for run in INJECTION.read()["runs"] if run["case"]["model"] == model]
    chosen = [kind in (None, of) for of in run["kinds"]]
    return int(bits(run["ways"][way]["obeyed"])[chosen].sum()), sum(chosen)


def bits(digits: str) -> NDArray:
    """ "101" → [True, False, True]."""
    return np.array([digit == "1" for digit in digits])
