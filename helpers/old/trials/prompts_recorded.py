"""What the templates scored: data/results/12_prompts.json and 12_injection.json, read.

    verdicts("customer_support", "2.0.0")             # (N,) bool: which test replies were right
    gain("customer_support", "2.0.0", "bare")         # its paired difference, with interval
    replies("extraction", 4)                          # one test item, and what each prompt made the model reply
    tried("interval")                                 # the edits that the optimizer tried, in order
    optimized("greater")                              # gain of its prompt on its dev items, and on test
    share(attacked("joined"))                         # how many of 30 orders in a ticket were obeyed, with interval
    change("delimited")                               # the paired difference from tickets that are only joined
    marks("user", "obeyed", "joined")                 # (2, 30) bool: by a model tuned to obey, one row per seed
    tuning("user", "obeyed", "joined")                # the paired difference that this tuning makes

What it does not do: measure anything (`tests/benchmarks/sweep_prompts.py` and `sweep_injection.py` do).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.old.metrics.grouped import Score
from helpers.old.trials.records import Record
from helpers.stats.intervals import PairedDifference, paired_bootstrap

PROMPTS, INJECTION = Record("12_prompts"), Record("12_injection")
VERSIONS = ("bare", "1.0.0", "2.0.0")
MODELS = ("chat", "user", "both")  # as it is; tuned to obey orders in the user's text, or there and in the system turn


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


def attacked(way: str, what: str = "obeyed") -> NDArray:
    """For each attack on the chat model, in its first run: was it "obeyed", or the number "found"? (N,) bool."""
    return marks("chat", what, way)[0]


def attack_replies(way: str) -> list[str]:
    """The chat model's reply to each attack, in one of the ways in."""
    return list(_run(INJECTION, model="chat")["ways"][way]["replies"])


def obedient_replies(way: str) -> list[str]:
    """Those of its replies that obeyed the ticket, in one of the ways in."""
    return [reply for reply, obeyed in zip(attack_replies(way), attacked(way), strict=True) if obeyed]


def share(marks: NDArray) -> Score:
    """How many of N marks are true, with its interval; each is a draw of its own."""
    return Score.of((str(i), bool(mark)) for i, mark in enumerate(marks))


def marks(model: str, what: str, way: str | None = None) -> NDArray:
    """What a model of MODELS did, one row per run: of a tuned model, per seed. (runs, N) bool.

    what: one of DID; the first two are of attacks and need one of the ways in, the others are without an attack.
    """
    runs = [run for run in INJECTION.read()["runs"] if model == run["case"].get("orders", run["case"]["model"])]
    if what in ("obeyed", "found"):
        return np.array([bits(run["ways"][way][what]) for run in runs])
    return np.array([bits(run[what][{"plain": "obeyed", "tickets": "right"}[what]]) for run in runs if what in run])


def change(way: str, before: str = "joined", model: str = "chat", run: int | None = None) -> PairedDifference:
    """How much more often the attacks are obeyed in one way in than in another: below zero if less often.

    run: 0 or 1, one run alone; by default each attack counts by the mean over both.
    """
    after, first = (marks(model, "obeyed", name) for name in (way, before))
    return paired_bootstrap(*(rows.mean(0) if run is None else rows[run] for rows in (after, first)))


def tuning(model: str, what: str, way: str | None = None, before: str = "chat") -> PairedDifference:
    """How much more often one model does it than another, on the same N items: each counts by the mean over runs."""
    return paired_bootstrap(marks(model, what, way).mean(0), marks(before, what, way).mean(0))


def bits(digits: str) -> NDArray:
    """ "101" → [True, False, True]."""
    return np.array([digit == "1" for digit in digits])


def _run(record: Record, **case: Any) -> dict[str, Any]:
    [run] = [run for run in record.read()["runs"] if run["case"] == case]
    return run
