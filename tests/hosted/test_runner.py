"""A job loses nothing, pays nothing twice where keys are honored, and says so where they are not."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from helpers.old.hosted.journal import Journal, JournalInUse, read_journal
from helpers.old.hosted.ledger import CostLedger
from helpers.old.hosted.outcomes import Outcome, Rates
from helpers.old.hosted.prices import UnknownModel
from helpers.old.hosted.retries import CircuitBreaker
from helpers.old.hosted.runner import ChangedRequest, most_tokens, request_key
from helpers.old.hosted.written import prompt_pieces
from tests.hosted.jobs import ITEMS, books, request_of, run, service

RATES = {"rate_limited": 0.10, "server_error": 0.05, "timeout": 0.08, "cut_off": 0.06, "malformed": 0.03}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "job.jsonl"


def test_every_item_is_answered_once_and_paid_once_where_keys_are_honored(path):
    at = service(Rates(RATES, seed=1))
    report = run(at, path, in_doubt="same key")
    assert report.texts == {item: f"You wrote: {text}" for item, text in ITEMS.items()}
    assert report.sent == len(at.requests) > len(ITEMS) and not report.doubtful
    found = books(path, at)
    assert set(found["once"]) == set(ITEMS) and not (found["twice"] or found["nothing"] or found["unknown"])
    assert report.spent == pytest.approx(at.invoice.total)


def test_elsewhere_what_is_in_doubt_is_reported_and_not_sent_again(path):
    at = service(Rates(RATES, seed=1), honors_keys=False)
    report = run(at, path)
    assert report.unsure and not report.left and len(report.done) + len(report.unsure) == len(ITEMS)
    billed = Counter(line["key"] for line in at.invoice.lines)
    assert max(billed.values()) == 1
    assert set(books(path, at)["nothing"]) == set(report.unsure)
    assert report.spent < at.invoice.total <= report.spent + report.doubtful
    again = run(at, path)
    assert again.sent == 0 and again.unsure == report.unsure and again.doubtful == pytest.approx(report.doubtful)


def test_or_it_is_sent_again_under_a_new_key_and_the_price_of_that_is_bounded(path):
    at = service(Rates(RATES, seed=1), honors_keys=False)
    report = run(at, path, in_doubt="again")
    assert len(report.done) == len(ITEMS) and not report.unsure
    twice = sum(books(path, at)["twice"].values())
    assert 0 < twice <= report.doubtful and at.invoice.total == pytest.approx(report.spent + twice)


def test_done_items_are_not_sent_again_and_cost_nothing_more(path):
    at = service()
    first = run(at, path)
    assert run(at, path).sent == 0 and len(at.requests) == len(ITEMS)
    more = run(at, path, ITEMS | {"new": "Do you sell skis?"})
    assert more.sent == 1 and len(more.done) == 25 and more.spent > first.spent


def test_a_doubt_of_an_earlier_run_is_sent_again_with_its_own_key(path):
    at = service([Outcome("timeout")] * 3)
    first = run(at, path, in_doubt="report")
    assert len(first.unsure) == 3
    second = run(at, path, in_doubt="same key")
    assert second.sent == 3 and not second.unsure and not books(path, at)["twice"]


def test_a_refusal_for_good_ends_one_item_and_a_bad_key_or_model_ends_the_job(path, tmp_path):
    at = service(context=60)
    report = run(at, path, ITEMS | {"long": "word " * 200})
    assert set(report.failed) == {"long"} and len(report.done) == 24
    assert run(at, path, ITEMS | {"long": "word " * 200}).sent == 0
    gone = service(models=("nimbus-2-mini",), retired=("nimbus-2",))
    report = run(gone, tmp_path / "gone.jsonl", at_once=4)
    assert "retired" in report.stopped and report.sent <= 4 and len(report.left) == 24
    assert len(run(at, tmp_path / "gone.jsonl").done) == 24  # and can go on where it was stopped


def test_a_budget_stops_before_the_call_that_would_break_it_and_a_larger_one_goes_on(path):
    at = service()
    small = run(at, path, ledger=CostLedger(budget=0.0009), at_once=3)
    assert "it was not sent" in small.stopped and 0 < len(small.done) < 24 and small.sent == len(at.requests)
    assert small.spent == pytest.approx(at.invoice.total) and small.spent <= 0.0009
    large = run(at, path, ledger=CostLedger(budget=0.02))
    assert len(large.done) == 24 and large.spent == pytest.approx(at.invoice.total)


def test_a_wait_that_would_pass_the_deadline_is_not_begun(path):
    at = service([Outcome("rate_limited", seconds=600)])
    assert run(at, path, {"t": "Hello"}, deadline=60).left == ["t"]
    assert at.clock.now() < 60 and len(at.requests) == 1


def test_as_many_at_once_as_were_asked_for_and_no_more(path):
    at, running, most = service(first=1.0), 0, 0
    answer = at.handle_async_request

    async def watched(request):
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await answer(request)
        finally:
            running -= 1

    at.handle_async_request = watched
    assert len(run(at, path, at_once=5).done) == 24 and most == 5


def test_while_the_service_is_down_the_breaker_lets_few_requests_through(path, tmp_path):
    down = service()
    down.outcome_of = lambda number, body: Outcome("server_error" if down.clock.now() < 300 else "answer")
    report = run(down, path, at_once=8, attempts=99, deadline=3600, breaker=CircuitBreaker(failures=5, rest=30))
    assert len(report.done) == 24
    without = service()
    without.outcome_of = lambda number, body: Outcome("server_error" if without.clock.now() < 300 else "answer")
    never = CircuitBreaker(failures=10**9)
    other = run(without, tmp_path / "other.jsonl", at_once=8, attempts=999, deadline=3600, breaker=never)
    assert len(other.done) == 24 and report.sent < other.sent / 3


def test_a_reply_that_was_cut_is_done_and_named(path):
    def short(text):
        return request_of(text) | {"max_tokens": 3}

    report = run(service(), path, ask=short)
    assert len(report.unfinished) == 24 and "24 not to the end" in str(report)


def test_what_cannot_be_priced_or_bounded_is_not_sent(path):
    at = service()
    with pytest.raises(UnknownModel):
        run(at, path, ask=lambda text: request_of(text) | {"model": "nimbus-9"})
    with pytest.raises(ValueError, match="max_tokens"):
        run(at, path, ask=lambda text: {"model": "nimbus-2", "messages": []})
    with pytest.raises(ValueError, match="in_doubt"):
        run(at, path, in_doubt="perhaps")
    assert not at.requests and read_journal(path).events == []


@pytest.mark.parametrize("changed", [{"max_tokens": 41}, {"model": "nimbus-2-mini"}, {"temperature": 0}])
@pytest.mark.parametrize("outcome", ["answer", "timeout"])
def test_another_request_for_an_item_that_is_done_or_in_doubt_is_an_error_and_nothing_is_sent(path, changed, outcome):
    at = service([Outcome(outcome)])
    run(at, path, {"t": "Hello"})
    for how in ("report", "same key"):
        with pytest.raises(ChangedRequest, match="knows 't' with another request"):
            run(at, path, {"t": "Hello", "u": "New"}, ask=lambda text: request_of(text) | changed, in_doubt=how)
    with pytest.raises(ChangedRequest):
        run(at, path, {"t": "Hello!"})
    assert len(at.requests) == 1
    assert set(run(at, path, {"t": "Hello", "u": "New"}, in_doubt="same key").done) == {"t", "u"}


def test_the_answer_is_in_the_journal_before_the_ledger_counts_it(path, monkeypatch):
    order = []
    settle, outcome = CostLedger.settle, Journal.outcome
    monkeypatch.setattr(CostLedger, "settle", lambda *a: (order.append("settle"), settle(*a))[1])
    monkeypatch.setattr(Journal, "outcome", lambda *a, **more: (order.append("outcome"), outcome(*a, **more))[1])
    run(service(), path, {"t": "Hello"})
    assert order == ["outcome", "settle"]


def test_the_journal_has_what_the_service_calls_each_request(path):
    at = service(["Hi."])
    run(at, path, {"t": "Hello"})
    [line] = at.invoice.lines
    assert read_journal(path).done["t"]["request_id"] == line["request"]


@pytest.mark.parametrize("kind", ["malformed", "page", "cut_off"])
def test_what_is_no_whole_reply_is_no_answer(path, kind):
    report = run(service([Outcome(kind)]), path, {"t": "Hello"})
    assert report.unsure == ["t"] and not report.done and report.sent == 1


def test_a_doubt_that_may_not_be_sent_again_is_not_waited_for(path):
    at = service([Outcome("malformed")])
    run(at, path, {"t": "Hello"})
    assert at.clock.now() < 0.4


def test_two_jobs_with_one_journal(path):
    with Journal(path), pytest.raises(JournalInUse):
        run(service(), path)


def test_an_interrupted_job_gives_its_journal_back(path):
    at = service(first=1.0)

    async def interrupted():
        from helpers.old.hosted.backends import async_client
        from helpers.old.hosted.runner import run_batch

        job = asyncio.create_task(
            run_batch(async_client(at), ITEMS, request_of, path, clock=at.clock, progress=False, at_once=4)
        )
        while len(at.requests) < 9:
            await asyncio.sleep(0)
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)

    asyncio.run(interrupted())
    assert 0 < len(read_journal(path).open) <= 4
    assert len(run(at, path, in_doubt="same key").done) == 24


def test_keys_follow_the_request_and_bounds_hold():
    one = request_of("Hello")
    assert request_key("j", "t", one) == request_key("j", "t", dict(reversed(one.items())))
    assert request_key("j", "t", one) != request_key("j", "t", one | {"max_tokens": 41})
    for text in ("Hello, world!", "你好 😀", "a b c d e f g h", ""):
        assert most_tokens(request_of(text)) >= len(prompt_pieces(request_of(text)))
