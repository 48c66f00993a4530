"""The budget holds before the call, whoever calls, and after the process that counted has died."""

from __future__ import annotations

import asyncio
import random
import threading

import pytest

from helpers.old.hosted.journal import Journal, read_journal
from helpers.old.hosted.ledger import CostLedger, OverBudget
from helpers.old.hosted.prices import Tokens, UnknownModel, price_of

MODEL = "nimbus-2"
ONE = price_of(MODEL).worst(100, 50)


def test_the_call_that_could_break_the_budget_is_not_sent():
    ledger = CostLedger(budget=2.5 * ONE)
    first, second = ledger.reserve(MODEL, 100, 50), ledger.reserve(MODEL, 100, 50)
    with pytest.raises(OverBudget, match="it was not sent"):
        ledger.reserve(MODEL, 100, 50)
    assert ledger.spent == 0 and ledger.left == pytest.approx(0.5 * ONE)
    ledger.settle(first, Tokens(100, 5))  # a short reply makes room
    ledger.release(second)
    ledger.reserve(MODEL, 100, 50)


def test_a_budget_that_fits_exactly_is_enough():
    ledger = CostLedger(budget=10 * ONE)
    for _ in range(10):
        ledger.settle(ledger.reserve(MODEL, 100, 50), Tokens(100, 50))
    assert ledger.spent == pytest.approx(10 * ONE)
    with pytest.raises(OverBudget):
        ledger.reserve(MODEL, 1, 1)


def test_what_may_have_been_billed_counts_as_spent_until_its_key_is_settled():
    ledger = CostLedger(budget=2 * ONE)
    ledger.doubt(ledger.reserve(MODEL, 100, 50, key="t1"))
    assert (ledger.spent, ledger.doubtful) == (0, pytest.approx(ONE))
    again = ledger.reserve(MODEL, 100, 50, key="t1")
    with pytest.raises(OverBudget):
        ledger.reserve(MODEL, 100, 50, key="t2")
    ledger.settle(again, Tokens(100, 10))
    assert ledger.doubtful == 0 and ledger.spent == price_of(MODEL).cost(Tokens(100, 10))


def test_another_key_leaves_the_doubt():
    ledger = CostLedger()
    ledger.doubt(ledger.reserve(MODEL, 100, 50, key="t1-1"))
    ledger.settle(ledger.reserve(MODEL, 100, 50, key="t1-2"), Tokens(100, 10))
    assert ledger.doubtful == pytest.approx(ONE)


def test_a_call_is_settled_once():
    ledger = CostLedger()
    hold = ledger.reserve(MODEL, 100, 50)
    ledger.settle(hold, Tokens(100, 10))
    for end in (ledger.release, ledger.doubt, lambda h: ledger.settle(h, Tokens(100, 10))):
        with pytest.raises(ValueError, match="settled once"):
            end(hold)
    assert ledger.by_model[MODEL].calls == 1


def test_an_unknown_model_is_refused_before_anything_is_held():
    ledger = CostLedger(budget=1.0)
    with pytest.raises(UnknownModel):
        ledger.reserve("nobody-9", 100, 50)
    assert ledger.held == 0


def test_batch_prices_and_cached_tokens():
    ledger = CostLedger(batch=True)
    ledger.settle(ledger.reserve(MODEL, 1000, 50), Tokens(1000, 50, cached=900))
    assert ledger.spent == pytest.approx((100 * 1.0 + 900 * 0.1 + 50 * 4.0) / 1e6 / 2)
    assert ledger.by_model[MODEL].cached == 900


@pytest.mark.parametrize("budget", [-1.0, float("nan"), float("inf")])
def test_a_budget_is_a_number(budget):
    with pytest.raises(ValueError, match="budget"):
        CostLedger(budget=budget)


def test_sixteen_threads_never_pass_the_budget():
    ledger, passed, refused = CostLedger(budget=40 * ONE), [], []

    def work(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(50):
            try:
                hold = ledger.reserve(MODEL, 100, 50)
            except OverBudget:
                refused.append(1)
                continue
            passed.append(ledger.spent + ledger.held + ledger.doubtful)
            rng.choice((ledger.release, ledger.doubt, lambda h: ledger.settle(h, Tokens(100, 50))))(hold)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(16)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert refused and max(passed) <= 40 * ONE + 1e-9 and ledger.held == 0


def test_tasks_that_wait_between_reserving_and_settling():
    ledger, most = CostLedger(budget=5 * ONE), []

    async def call() -> bool:
        try:
            hold = ledger.reserve(MODEL, 100, 50)
        except OverBudget:
            return False
        await asyncio.sleep(0)
        most.append(ledger.held)
        ledger.settle(hold, Tokens(100, 50))
        return True

    async def job() -> list[bool]:
        return await asyncio.gather(*(call() for _ in range(20)))

    assert sum(asyncio.run(job())) == 5 and max(most) <= 5 * ONE + 1e-9


def test_what_a_journal_says_is_counted_again(tmp_path):
    path = tmp_path / "job.jsonl"
    with Journal(path) as journal:
        for item, status in (("a", "done"), ("b", "again"), ("c", "unsure"), ("d", None)):
            journal.intent(item, 1, key=item, worst=ONE)
            if status == "done":
                journal.outcome(item, 1, status, model=MODEL, tokens=[100, 10, 0], money=0.00014)
            elif status:
                journal.outcome(item, 1, status)
    ledger = CostLedger(budget=3 * ONE)
    ledger.replay(read_journal(path))
    assert ledger.spent == pytest.approx(0.00014) and ledger.doubtful == pytest.approx(2 * ONE)
    assert ledger.by_model[MODEL].completion == 10
    with Journal(path) as journal:  # the doubt about c ends: same key, one bill
        journal.intent("c", 2, key="c", worst=ONE)
        journal.outcome("c", 2, "done", model=MODEL, tokens=[100, 10, 0], money=0.00014)
    after = CostLedger()
    after.replay(read_journal(path))
    assert after.doubtful == pytest.approx(ONE) and after.spent == pytest.approx(0.00028)


def test_a_journal_that_is_read_again_by_the_same_ledger_is_counted_once(tmp_path):
    path, ledger = tmp_path / "job.jsonl", CostLedger()
    hold = ledger.reserve(MODEL, 100, 50, key="a")
    money = ledger.settle(hold, Tokens(100, 10))
    with Journal(path) as journal:
        journal.intent("a", 1, key="a", worst=ONE)
        journal.outcome("a", 1, "done", model=MODEL, tokens=[100, 10, 0], money=money)
        journal.intent("b", 1, key="b", worst=ONE)
    for _ in range(2):
        ledger.replay(read_journal(path))
        assert ledger.spent == money and ledger.doubtful == pytest.approx(ONE)
