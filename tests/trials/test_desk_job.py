"""The job of 06b: what it asks, what its service books, and that it can be started twice."""

from __future__ import annotations

import asyncio
import json

import openai
import pytest

from helpers.old.hosted import client, read_invoice, read_journal
from helpers.old.trials import desk_job
from helpers.velunda.company import canon

REPLIES = {text: f'{{"n":{n}}}' for n, text in enumerate(desk_job.desk_tickets().values())}


def test_the_task_names_every_value_that_a_field_may_have():
    world = canon()
    said = desk_job.instruction()
    for name in [thing["name"] for thing in world["products"] + world["intents"]] + world["urgency"]:
        assert name in said


def test_the_books_are_kept_by_ticket():
    tickets = dict(list(desk_job.desk_tickets().items())[:3])
    service = desk_job.desk_service(REPLIES, honors_keys=False)
    service.outcome_of = lambda number, body: desk_job.Outcome("timeout" if number in (1, 3) else "answer")
    desk, answers = client(service, max_retries=0), {}
    for name in ("t001", "t002", "t002", "t003", "t003"):  # answered, lost, answered, lost, and t003 once more
        try:
            answers[name] = desk.chat.completions.create(**desk_job.request_of(tickets[name]))
        except openai.APITimeoutError:
            pass
    del answers["t003"]
    found = desk_job.books(service, tickets, answers)
    assert set(found["once"]) == {"t001", "t002"} and set(found["twice"]) == {"t002"}
    assert found["nothing"]["t003"] == pytest.approx(2 * service.invoice.lines[-1]["money"])


def test_a_failing_service_fails_as_often_as_it_is_told():
    busy = client(desk_job.failing("rate_limited", times=2, seconds=0.0), max_retries=0)
    for _ in range(2):
        with pytest.raises(openai.RateLimitError):
            busy.chat.completions.create(**desk_job.request_of("Hello"))
    assert busy.chat.completions.create(**desk_job.request_of("Hello")).choices[0].finish_reason == "stop"


def outcomes(service, tickets, streamed: bool) -> list[str]:
    """What comes of one request for each ticket."""
    desk, met = client(service, max_retries=0), []
    more = {"stream": True} if streamed else {}
    for text in tickets:
        try:
            reply = desk.chat.completions.create(**desk_job.request_of(text), **more)
            met.append("answer" if not streamed or list(reply) else "nothing")
        except openai.APIError as error:
            met.append(type(error).__name__)
    return met


def test_a_ticket_meets_the_same_failures_streamed_or_not_and_later_ones_in_a_later_process():
    said = {text: "word " * 40 for text in REPLIES}  # longer than what a broken stream brings
    tickets = list(said)
    first = desk_job.desk_service(said)
    met = [outcomes(first, tickets, streamed=True) for _ in range(3)]
    other = desk_job.desk_service(said)
    assert [outcomes(other, tickets, streamed=False) for _ in range(3)] == met
    later = desk_job.desk_service(said, sent=dict.fromkeys(tickets, 2))
    assert outcomes(later, tickets, streamed=False) == met[2] != met[0]


def test_the_job_is_complete_and_its_second_start_sends_nothing(tmp_path, monkeypatch):
    few = dict(list(desk_job.desk_tickets().items())[:12])
    monkeypatch.setattr(desk_job, "FAILURES", {"timeout": 0.2})
    (tmp_path / "replies.json").write_text(json.dumps({t: REPLIES[t] for t in few.values()}), encoding="utf-8")
    first = asyncio.run(desk_job.job(tmp_path, progress=False))
    assert len(first.done) == 12 == len(read_invoice(tmp_path / "invoice.jsonl")) < first.sent
    assert asyncio.run(desk_job.job(tmp_path, progress=False)).sent == 0
    assert not read_journal(tmp_path / "journal.jsonl").open
