"""What six models answer to the two suites of helpers.evaluation, item by item, as the harness keeps it: the assistants
of 10 and 07, what came before them, and the handbook's assistant with a reader in place of a quote. Nothing was chosen
by these answers. Seconds are wall time per item, one thread, on a machine that others used, too."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from helpers.evaluation import load_model, load_suite, run_suite

NAME = "14_suites"
CASES: list[dict[str, Any]] = [
    {"suite": name.partition("-")[0], "model": name}
    for name in ("handbook-search", "tickets-rules", "tickets", "handbook", "tickets-untaught", "handbook-reader")
]


def run(case: dict[str, Any]) -> dict[str, Any]:
    suite = load_suite(case["suite"])
    found = run_suite(load_model(case["model"]), suite)
    replies = [
        asdict(reply)
        | {
            "seconds": round(reply.seconds, 2),
            "confidence": None if reply.confidence is None else round(reply.confidence, 4),
        }
        for reply in found.replies
    ]
    return {"digest": suite.digest, "identity": dict(found.identity), "replies": replies}
