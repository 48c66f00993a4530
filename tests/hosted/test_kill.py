"""kill −9 at twenty points of a job: before, inside and behind lines of the journal, before and behind a bill."""

from __future__ import annotations

import os
import signal

import pytest

from helpers.old.hosted import journal as journals
from helpers.old.hosted import runner
from helpers.old.hosted.journal import read_journal
from helpers.old.hosted.outcomes import Rates
from tests.hosted.jobs import ITEMS, books, run, service

AT_ONCE = 4
RATES = {"rate_limited": 0.10, "server_error": 0.05}  # what is in doubt is so because of the kill
STAGES = ("before a line", "inside a line", "behind a line", "before the bill", "behind the bill")
POINTS = [(stage, nth) for nth in (1, 7, 16, 23) for stage in STAGES]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(path, bill, stage, nth, **options) -> None:
    """Run the job in a process of its own, which ends by SIGKILL when a stage is reached for the nth time."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, "the job ended before it was killed"
        return
    try:
        reached = iter(range(1, 10**6))
        at = service(Rates(RATES, seed=3), invoice=bill, **options)
        if "line" in stage:
            _at_a_line(stage, nth, reached)
        else:
            add = at.invoice.add

            def billed(**line):
                hit = next(reached) == nth
                if hit and stage == "before the bill":
                    die()
                add(**line)
                if hit:
                    die()

            at.invoice.add = billed
        run(at, path, at_once=AT_ONCE, in_doubt="same key" if at.honors_keys else "report")
    finally:
        os._exit(1)  # never back into pytest


def _at_a_line(stage, nth, reached) -> None:
    write = journals.Journal._write

    def torn(self, event):
        if next(reached) != nth:
            return write(self, event)
        if stage == "behind a line":
            write(self, event)
        elif stage == "inside a line":
            self._file.write(b'{"event": "outcome", "it')
            self._file.flush()
        die()

    journals.Journal._write = torn


@pytest.mark.parametrize(("stage", "nth"), POINTS)
def test_resumed_where_keys_are_honored_it_is_complete_and_nothing_was_paid_twice(tmp_path, stage, nth):
    path, bill = tmp_path / "job.jsonl", tmp_path / "bill.jsonl"
    killed(path, bill, stage, nth)
    before = read_journal(path)
    assert len(before.open) <= AT_ONCE and before.torn == (stage == "inside a line")
    at = service(Rates(RATES, seed=4), invoice=bill)
    report = run(at, path, at_once=AT_ONCE, in_doubt="same key")
    assert report.texts == {item: f"You wrote: {text}" for item, text in ITEMS.items()}
    found = books(path, at)
    assert set(found["once"]) == set(ITEMS) and not any(found[heading] for heading in ("twice", "nothing", "unknown"))
    assert report.spent == pytest.approx(at.invoice.total) and not report.doubtful
    assert not set(before.done) & {line["item"] for line in read_journal(path).events[len(before.events) :]}


@pytest.mark.parametrize(("stage", "nth"), POINTS)
def test_elsewhere_the_requests_under_way_are_named_and_nothing_is_paid_twice(tmp_path, stage, nth):
    path, bill = tmp_path / "job.jsonl", tmp_path / "bill.jsonl"
    killed(path, bill, stage, nth, honors_keys=False)
    at = service(Rates(RATES, seed=4), invoice=bill, honors_keys=False)
    report = run(at, path, at_once=AT_ONCE)
    assert len(report.unsure) <= AT_ONCE and len(report.done) + len(report.unsure) == len(ITEMS)
    found = books(path, at)
    assert not found["twice"] and set(found["nothing"]) <= set(report.unsure) and not found["unknown"]
    assert report.spent <= at.invoice.total <= report.spent + report.doubtful + 1e-12


def test_the_stages_are_those_of_the_runner():
    assert runner.Journal is journals.Journal
