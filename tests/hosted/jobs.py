"""A small job at a scripted service, for tests of the runner."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from helpers.old.hosted.backends import async_client
from helpers.old.hosted.clocks import SimulatedClock
from helpers.old.hosted.journal import read_journal
from helpers.old.hosted.reconcile import reconcile_invoice
from helpers.old.hosted.runner import Report, run_batch
from helpers.old.hosted.scripted import Scripted

ITEMS = {f"t{n:02}": f"Where is my order VE-{40000 + n}?" for n in range(24)}


def request_of(text: str) -> dict[str, Any]:
    return {"model": "nimbus-2", "messages": [{"role": "user", "content": text}], "max_tokens": 40}


def echo(turns: list[dict[str, Any]]) -> str:
    return "You wrote: " + turns[-1]["content"]


def service(script: Any = (), **options: Any) -> Scripted:
    """One clock for the service and the job, which is how no test waits."""
    return Scripted(script, **{"answer": echo, "clock": SimulatedClock(), "per_token": 0.0} | options)


def run(service: Scripted, journal: Path, items: dict[str, str] = ITEMS, **options: Any) -> Report:
    options = {"seed": 0, "progress": False, "clock": service.clock} | options
    return asyncio.run(run_batch(async_client(service), items, options.pop("ask", request_of), journal, **options))


def books(journal: Path, service: Scripted) -> dict[str, dict[str, float]]:
    return reconcile_invoice(read_journal(journal).requests(), service.invoice.lines)
