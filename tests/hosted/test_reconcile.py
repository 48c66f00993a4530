"""Every line of the invoice stands under one heading, and the headings' sums are the invoice's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from helpers.old.hosted import reconcile_invoice, reconciled_sums


def row(item, key, outcome):
    return {"item": item, "key": key, "outcome": outcome}


def line(key, money):
    return {"key": key, "money": money}


def test_each_heading():
    journal = [
        row("once", "a", "done"),
        row("two keys", "b1", None),
        row("two keys", "b2", "done"),
        row("one key", "c", "failed"),
        row("one key", "c", "done"),
        row("lost", "d1", "failed"),
        row("lost", "d2", None),
        row("free", "e", "done"),
        row("refused", "f", "failed"),
    ]
    billed = ["b1", "a", "c", "b2", "d1", "d2", "x", "c"]
    invoice = [line(key, money) for money, key in enumerate(billed, start=1)]
    found = reconcile_invoice(journal, invoice)
    assert found == {
        "once": {"two keys": 1, "once": 2, "one key": 3},
        "twice": {"two keys": 4, "one key": 8},
        "nothing": {"lost": 11},
        "unknown": {"x": 7},
        "missing": {"free": 0},
    }
    assert reconciled_sums(found) == {"once": 6, "twice": 12, "nothing": 11, "unknown": 7, "missing": 0, "total": 36}


def test_three_lines_are_one_too_often_twice():
    found = reconcile_invoice([row("T", "a", "done")], [line("a", 5)] * 3)
    assert (found["once"], found["twice"]) == ({"T": 5}, {"T": 10})


def test_the_answer_may_stand_before_or_behind_other_tries():
    journal = [row("T", "a", "done"), row("T", "b", None)]
    assert reconcile_invoice(journal, [line("b", 5)])["once"] == {"T": 5}


def test_a_free_line_is_a_line():
    assert reconcile_invoice([row("T", "a", "done")], [line("a", 0)])["missing"] == {}


def test_nothing_sent_and_nothing_billed():
    assert not any(reconcile_invoice([], []).values())


keys = st.sampled_from("abcdefgh")
outcomes = st.sampled_from(["done", "failed", None])


@given(
    journal=st.lists(st.tuples(keys, outcomes).map(lambda pair: row("AB"[pair[0] < "d"], *pair)), max_size=8),
    invoice=st.lists(st.builds(line, keys, st.integers(0, 9)), max_size=12),
)
def test_no_money_is_lost_on_the_way(journal, invoice):
    sums = reconciled_sums(reconcile_invoice(journal, invoice))
    assert sums["total"] == sum(row["money"] for row in invoice)
    assert sums["total"] == sum(money for heading, money in sums.items() if heading != "total")
