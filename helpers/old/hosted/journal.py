"""A job's journal: what was about to be sent, and what came back, one line of JSON per event.

    with Journal("job.jsonl") as journal:                 # one process at a time
        journal.intent("t017", attempt=1, key="job-t017", worst=0.0004)      # before the request is sent
        journal.outcome("t017", attempt=1, status="done", text="…", money=0.0001)    # as soon as the reply is here
    state = read_journal("job.jsonl")
    state.done["t017"], state.open, state.torn            # finished items, items in doubt, lines that a kill tore
    reconcile_invoice(state.requests(), invoice)          # helpers.old.hosted.reconcile

An item is in doubt ("open") if one of its requests was, or may have been, sent and nothing came back: it may have been
billed, and nobody can tell from this side. Without an intent in the file, nothing is sent: so whatever the service has
ever seen of this job stands here.

Each line is flushed, which survives kill −9 of this process; `sync=True` forces it to the disk as well, which survives
a power cut and takes some milliseconds per line. A process that is killed while it writes leaves a torn last line: it
is counted and passed over, and the next line begins on a line of its own.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

JOB, INTENT, OUTCOME = "job", "intent", "outcome"
DONE, FAILED, AGAIN, UNSURE = "done", "failed", "again", "unsure"
STATUSES = {
    DONE: "answered",
    FAILED: "refused for good: the same request would be refused again",
    AGAIN: "refused before any work was done: may be sent again",
    UNSURE: "no whole answer came, though the work may have been done and billed",
}


class JournalInUse(RuntimeError):
    """Another process writes this journal; two would send every item twice."""


@dataclass
class State:
    """What a journal says. done, failed: the outcome of each such item. open: the last intent of each item in doubt.

    job: a name that no other journal has; it is part of the job's idempotency keys, or a new job would get old replies.
    torn: lines that are no JSON. sent: attempts per item. asked: a digest of the request that each item was last sent
    with (its intent's `request`). events: all lines that could be read, in order.
    """

    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: dict[str, dict[str, Any]] = field(default_factory=dict)
    open: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    torn: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    job: str = ""
    _doubts: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict, repr=False)  # item → attempt → intent

    def take(self, event: dict[str, Any]) -> None:
        """One more event."""
        if event["event"] == JOB:
            self.job = event["job"]
            return
        item, attempt, status = event["item"], event["attempt"], event.get("status")
        self.events.append(event)
        doubts = self._doubts.setdefault(item, {})
        if event["event"] == INTENT:
            self.sent[item] = self.sent.get(item, 0) + 1
            self.failed.pop(item, None)  # it is sent again, so it was changed
            if "request" in event:
                self.asked[item] = event["request"]
            doubts[attempt] = event
        elif status == DONE:
            doubts.clear()  # there is an answer now; what it cost to get it is the ledger's business
            self.done[item] = event
        elif status != UNSURE:
            doubts.pop(attempt, None)
            if status == FAILED:
                self.failed[item] = event
        if doubts:
            self.open[item] = doubts[max(doubts)]
        else:
            self.open.pop(item, None)

    def requests(self) -> list[dict[str, Any]]:
        """Every request of the job, as `reconcile_invoice` takes it: item, key, outcome ("done", "failed" or None)."""
        rows: dict[tuple[str, int], dict[str, Any]] = {}
        for event in self.events:
            place = event["item"], event["attempt"]
            if event["event"] == INTENT:
                rows[place] = {"item": event["item"], "key": event.get("key"), "outcome": None}
            elif place in rows and event["status"] != UNSURE:
                rows[place]["outcome"] = DONE if event["status"] == DONE else FAILED
        return list(rows.values())


def read_journal(path: str | os.PathLike) -> State:
    """The state that a journal describes; an empty one where there is no such file yet."""
    state, path = State(), Path(path)
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        try:
            event = json.loads(line)
            if not _well_formed(event):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            state.torn += bool(line.strip())
            continue
        state.take(event)
    return state


def _well_formed(event: dict[str, Any]) -> bool:
    if event["event"] == JOB:
        return isinstance(event["job"], str)
    if event["event"] not in (INTENT, OUTCOME) or (event["event"] == OUTCOME) != ("status" in event):
        return False
    return isinstance(event["item"], str) and isinstance(event["attempt"], int)


class Journal:
    """Appends to the file at `path`, which is made if need be, and holds it against other processes until it is closed.

    state: what the file said when it was opened, kept up to date. Raises JournalInUse.
    """

    def __init__(self, path: str | os.PathLike, sync: bool = False) -> None:
        self.path, self.sync = Path(path), sync
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(f"{self.path}.lock", is_singleton=False)
        try:
            self._lock.acquire(timeout=0)  # the operating system gives it back even after kill -9
        except Timeout:
            raise JournalInUse(
                f"The journal {self.path.name} is being written already: wait for that job, or use another file."
            ) from None
        self.state = read_journal(self.path)
        self._file = open(self.path, "ab")
        if self._file.tell() and not self.path.read_bytes().endswith(b"\n"):
            self._file.write(b"\n")  # behind the line that a kill tore
        if not self.state.job:
            self._write({"event": JOB, "job": uuid.uuid4().hex[:12]})

    def intent(self, item: str, attempt: int, **more: Any) -> None:
        """This item is about to be sent."""
        self._write({"event": INTENT, "item": item, "attempt": attempt, **more})

    def outcome(self, item: str, attempt: int, status: str, **more: Any) -> None:
        """What came of it. Raises ValueError for a status that is none of STATUSES."""
        if status not in STATUSES:
            raise ValueError(f"An outcome is one of {', '.join(STATUSES)}, not {status!r}.")
        self._write({"event": OUTCOME, "item": item, "attempt": attempt, "status": status, **more})

    def _write(self, event: dict[str, Any]) -> None:
        self._file.write(json.dumps(event, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        if self.sync:
            os.fsync(self._file.fileno())
        self.state.take(event)

    def close(self) -> None:
        self._file.close()
        self._lock.release()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()
