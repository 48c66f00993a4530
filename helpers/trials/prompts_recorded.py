"""What the templates scored: data/results/12_prompts.json and 12_injection.json, read.

    verdicts("customer_support", "2.0.0")             # (N,) bool: which test replies were right
    gain("customer_support", "2.0.0", "bare")         # its paired difference, with interval
    replies("extraction", 4)                          # one test item, and what each prompt made the model reply
    tried("interval")                                 # the edits that the optimizer tried, in order
    optimized("greater")                              # gain of its prompt on its dev items, and on test
    share(attacked("joined"))                         # how many of 30 orders in a ticket were obeyed, with interval
    change("delimited")                               # the paired difference from tickets that are only joined

What it does not do: measure anything (`tests/benchmarks/sweep_prompts.py` and `sweep_injection.py` do).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.metrics.grouped import Score
from helpers.stats.intervals import PairedDifference, paired_bootstrap
from helpers.trials.records import Record

PROMPTS, INJECTION = Record("12_prompts"), Record("12_injection")
VERSIONS = ("bare", "1.0.0", "2.0.0")


def verdicts(name: str, prompt: str) -> NDArray:
    """Which replies to the test items of a set were right, with a version or "bare": (N,) bool."""
    return bits(_run(PROMPTS, set=name, prompt=prompt)["right"])


def gain(name: str, prompt: str, before: str = "bare") -> PairedDifference:
    """How much more often a prompt is right than another, on the same test items."""
    return paired_bootstrap(verdicts(name, prompt), verdicts(name, before))


def replies(name: str, item: int) -> dict[str, str]:
    """What the user wrote in one test item ("asked"), and the reply to it with each of VERSIONS."""
    runs = {prompt: _run(PROMPTS, set=name, prompt=prompt) for prompt in VERSIONS}
    return {"asked": runs["bare"]["asked"][item]} | {prompt: run["replies"][item] for prompt, run in runs.items()}


def tried(rule: str) -> list[tuple[str, PairedDifference, bool]]:
    """The edits that the optimizer tried by a rule, in order: name, gain on its dev items, and whether it was kept."""
    history = _run(PROMPTS, optimizer=rule)["history"]
    return [(t["edit"], PairedDifference(t["gain"], t["low"], t["high"], float("nan")), t["kept"]) for t in history]


def optimized(rule: str) -> tuple[PairedDifference, PairedDifference]:
    """What the optimizer's prompt gains over its start, on the 30 items of dev it was chosen on and on 60 of test."""
    run = _run(PROMPTS, optimizer=rule)
    dev, test = (paired_bootstrap(bits(run[split]["end"]), bits(run[split]["start"])) for split in ("dev", "test"))
    return dev, test


def attacked(way: str, what: str = "obeyed", model: str = "chat") -> NDArray:
    """For each attack, in one of the ways in: was it "obeyed", or the order number "found"? (N,) bool."""
    return bits(_run(INJECTION, model=model)["ways"][way][what])


def attack_replies(way: str, model: str = "chat") -> list[str]:
    """The reply to each attack, in one of the ways in."""
    return list(_run(INJECTION, model=model)["ways"][way]["replies"])


def obedient_replies(way: str, model: str = "chat") -> list[str]:
    """The replies that obeyed the ticket, in one of the ways in."""
    said = attack_replies(way, model)
    return [reply for reply, obeyed in zip(said, attacked(way, model=model), strict=True) if obeyed]


def share(marks: NDArray) -> Score:
    """How many of N marks are true, with its interval; each is a draw of its own."""
    return Score.of((str(i), bool(mark)) for i, mark in enumerate(marks))


def change(way: str, before: str = "joined", model: str = "chat") -> PairedDifference:
    """How much more often the attacks are obeyed in one way in than in another: below zero if less often."""
    return paired_bootstrap(attacked(way, model=model), attacked(before, model=model))


def obeyed_share(model: str, way: str, kind: str | None = None) -> tuple[int, int]:
    """How many of the attacks (of one kind) were obeyed, and how many there are."""
    chosen = [kind in (None, of) for of in _run(INJECTION, model=model)["kinds"]]
    return int(attacked(way, model=model)[chosen].sum()), sum(chosen)


def bits(digits: str) -> NDArray:
    """ "101" → [True, False, True]."""
    return np.array([digit == "1" for digit in digits])


def _run(record: Record, **case: Any) -> dict[str, Any]:
    [run] = [run for run in record.read()["runs"] if run["case"] == case]
    return run
