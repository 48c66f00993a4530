"""What four models answer to the suites of helpers.old.evaluation, item by item, as the harness keeps it: the
handbook's assistant, and its search without a cross-encoder; the taught reader of tickets, and TF-IDF with rules.
Nothing was chosen by these answers. Seconds per item are left out: the machine was used by others, too."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from helpers.old.evaluation import load_model, load_suite, run_suite

NAME = "14_suites"
CASES: list[dict[str, Any]] = [
    {"suite": name.partition("-")[0], "model": name}
    for name in ("handbook-search", "tickets-rules", "tickets", "handbook")
]


def run(case: dict[str, Any]) -> dict[str, Any]:
    suite = load_suite(case["suite"])
    found = run_suite(load_model(case["model"]), suite)
    replies = [asdict(reply) for reply in found.replies]
    for reply in replies:
        del reply["seconds"]
        reply["confidence"] = reply["confidence"] and round(reply["confidence"], 4)
    return {"digest": suite.digest, "identity": dict(found.identity), "replies": replies}
