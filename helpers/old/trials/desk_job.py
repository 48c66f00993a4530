"""The job of 06b and 06c: 200 tickets to be labeled by a hosted model that fails for 18 % of the requests.

    tickets, replies = desk_tickets(), written_by_rules(desk_tickets().values())
    service = desk_service(replies)                       # fails as FAILURES says, and bills
    python -m helpers.old.trials.desk_job FOLDER              # the job in a process of its own, to be killed

The service is scripted (`helpers.old.hosted.scripted`); what it replies is what TF-IDF with rules says of the ticket
(07's baseline), so that its labels mean something and are often wrong.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from helpers.old.hosted.backends import async_client
from helpers.old.hosted.clocks import RealClock
from helpers.old.hosted.journal import read_journal
from helpers.old.hosted.outcomes import Outcome, Rates
from helpers.old.hosted.reconcile import reconcile_invoice
from helpers.old.hosted.runner import REPORT, SAME_KEY, Report, run_batch
from helpers.old.hosted.scripted import Scripted
from helpers.old.velunda.tickets import FRESH, load_tickets
from helpers.velunda.company import canon

MODEL = "nimbus-1"
N = 200
FAILURES = {"rate_limited": 0.10, "server_error": 0.05, "timeout": 0.02, "cut_off": 0.01}
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
SEED = 1219  # one with which the first request of each ticket fails at exactly these rates: a test holds it


def desk_tickets(n: int = N) -> dict[str, str]:
    """The first n of 200 tickets of the test splits, t001 to t200."""
    rows = [*load_tickets("test"), *load_tickets(FRESH)][: min(n, N)]
    return {f"t{number:03}": row["text"] for number, row in enumerate(rows, start=1)}


@cache
def instruction() -> str:
    """The task, with the values that each field may have."""
    world = canon()
    intents = ", ".join(intent["name"] for intent in world["intents"])
    names = ", ".join(thing["name"] for thing in world["products"])
    return (
        f"Label the ticket as JSON, on one line. intent: {intents}. product: {names} or null. order_number: VE-12345 "
        f"or null. urgency: {', '.join(world['urgency'])}. sentiment: {', '.join(world['sentiment'])}."
    )


def request_of(ticket: str, model: str = MODEL, room: int = 100) -> dict[str, Any]:
    """What is asked of the model about one ticket. room: tokens for the reply, hidden reasoning included."""
    messages = [{"role": "system", "content": instruction()}, {"role": "user", "content": ticket}]
    return {"model": model, "messages": messages, "max_completion_tokens": room}


def written_by_rules(tickets: Iterable[str], n_train: int | None = None) -> dict[str, str]:
    """Ticket → the label that TF-IDF with rules gives it, as JSON, fitted on n_train tickets (None: on all of them)."""
    from helpers.old.assistants.ticket_baseline import fit_baseline  # seconds that the killed process can do without

    tickets = list(tickets)
    labels = fit_baseline(load_tickets("train")[:n_train]).predict(tickets)
    return {ticket: json.dumps(label, separators=(",", ":")) for ticket, label in zip(tickets, labels, strict=True)}


def desk_service(replies: Mapping[str, str], sent: Mapping[str, int] | None = None, **options: Any) -> Scripted:
    """A hosted model that fails as FAILURES says; `replies`: what it says to each ticket. options: of `Scripted`.

    The n-th request for a ticket meets the same failure whether it is streamed or not. sent: ticket → requests that an
    earlier process has sent for it, so that its draws go on and do not begin anew.
    """
    drawn = Rates(FAILURES, seed=SEED)

    def outcome(number: int, body: Mapping[str, Any]) -> Outcome:
        return drawn(number, {**body, **STREAMED})

    def answer(turns: list[dict[str, Any]]) -> str:
        return replies[turns[-1]["content"]]

    usual = {"answer": answer, "models": (MODEL,), "retired": (), "per_token": 0.0}
    for ticket, times in (sent or {}).items():
        for _ in range(times):
            outcome(0, request_of(ticket))
    return Scripted(outcome, **usual | options)


def failing(kind: str, times: int = 1, seconds: float = 1.0) -> Scripted:
    """A service whose first requests end in this way, one of `helpers.old.hosted.outcomes.KINDS`; others are answered.

    seconds: what its Retry-After says, where there is one.
    """
    return Scripted([Outcome(kind, seconds=seconds)] * times, models=(MODEL,), retired=())


def books(service: Scripted, tickets: Mapping[str, str], answers: Iterable[str]) -> dict[str, dict[str, float]]:
    """What a service billed for each ticket, by its own records: once, twice, for nothing."""
    item_of = {text: item for item, text in tickets.items()}
    money = {line["request"]: line["money"] for line in service.invoice.lines}
    lines = [
        {"key": item_of[sent["body"]["messages"][-1]["content"]], "money": money[sent["billed"]]}
        for sent in service.requests
        if "billed" in sent
    ]
    answered = set(answers)
    rows = [{"item": item, "key": item, "outcome": "done" if item in answered else None} for item in tickets]
    return reconcile_invoice(rows, lines)


async def job(folder: Path, in_doubt: str = SAME_KEY, honors_keys: bool = True, **options: Any) -> Report:
    """The job with its files in `folder`: replies.json, which has to be there, journal.jsonl and invoice.jsonl.

    Its tickets are the first ones, as many as there are replies.
    """
    replies = json.loads((folder / "replies.json").read_text(encoding="utf-8"))
    tickets, clock = desk_tickets(len(replies)), RealClock()
    sent = {tickets[item]: times for item, times in read_journal(folder / "journal.jsonl").sent.items()}
    service = desk_service(
        replies, sent, invoice=folder / "invoice.jsonl", clock=clock, first=0.1, per_token=0.0, honors_keys=honors_keys
    )
    desk = async_client(service, timeout=0.5)
    usual = {"in_doubt": in_doubt, "at_once": 8, "clock": clock}
    return await run_batch(desk, tickets, request_of, folder / "journal.jsonl", **usual | options)


if __name__ == "__main__":
    honored = "--ignores-keys" not in sys.argv
    print(asyncio.run(job(Path(sys.argv[1]), SAME_KEY if honored else REPORT, honored, progress=False)))
