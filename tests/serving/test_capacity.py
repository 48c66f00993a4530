"""Queueing formulas against published values, sums in exact fractions, one another and the simulation."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from helpers.old.serving.capacity import Curve, break_even, cost_per_million, erlang_b, erlang_c, open_queue
from helpers.old.serving.fleet import simulate_queue

BATCHING = Curve.measured([1, 4, 8, 16], [0.4, 1.2, 1.9, 2.4])  # requests slow one another down


def by_the_textbook(offered: Fraction, servers: int) -> Fraction:
    """Erlang C as a quotient of sums, without rounding."""
    waiting = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return waiting / (sum(offered**k / math.factorial(k) for k in range(servers)) + waiting)


@pytest.mark.parametrize(("offered", "servers"), [("1/2", 1), ("3", 4), ("19/2", 10), ("1/100", 3), ("60", 64)])
def test_erlang_c_equals_the_sum_in_exact_fractions(offered, servers):
    assert erlang_c(float(Fraction(offered)), servers) == pytest.approx(
        float(by_the_textbook(Fraction(offered), servers))
    )


def test_erlang_b_of_a_published_table():
    # tables of the blocking formula: 10 lines carry 4.461 erlangs, 20 lines 12.03, at a loss of 1 %
    assert erlang_b(4.461, 10) == pytest.approx(0.01, abs=2e-5)
    assert erlang_b(12.03, 20) == pytest.approx(0.01, abs=2e-5)
    assert erlang_b(900.0, 1000) < 1e-3 and erlang_c(5.0, 5) == 1.0


@pytest.mark.parametrize(("rate", "servers", "service"), [(0.5, 1, 1.0), (3.0, 4, 1.0), (7.0, 16, 0.5)])
def test_m_m_c_is_the_special_case(rate, servers, service):
    queue = open_queue(rate, Curve.clerks(servers, service))
    waits = erlang_c(rate / service, servers)
    spare = servers * service - rate
    assert queue.waits_longer(0) == pytest.approx(waits)
    assert queue.mean_wait == pytest.approx(waits / spare)
    assert queue.mean_seconds == pytest.approx(waits / spare + 1 / service)
    assert queue.waits_longer(1.7) == pytest.approx(waits * math.exp(-spare * 1.7))
    assert queue.throughput == pytest.approx(rate) and queue.utilization == pytest.approx(rate / (servers * service))


def test_a_percentile_of_the_wait_is_where_its_chance_says():
    queue = open_queue(2.2, BATCHING)
    assert queue.waits_longer(queue.wait_percentile(95)) == pytest.approx(0.05)
    assert open_queue(0.1, BATCHING).wait_percentile(95) == 0.0


def test_a_bounded_queue_refuses_as_erlang_b_where_nobody_may_wait():
    queue = open_queue(3.0, Curve.clerks(4, 1.0), max_waiting=0)
    assert queue.refused == pytest.approx(erlang_b(3.0, 4)) and queue.mean_wait == 0
    assert open_queue(9.0, Curve.clerks(4, 1.0), max_waiting=5).refused > 5 / 9  # it cannot complete more than 4 of 9


# The simulation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "servers", "service"), [(0.6, 1, 1.0), (3.0, 4, 1.0), (6.0, 16, 0.5)])
def test_the_simulation_equals_erlang_c_within_its_own_error(rate, servers, service):
    found = simulate_queue(Curve.clerks(servers, service), rate=rate, requests=30_000, seed=4)
    expected = erlang_c(rate / service, servers) / (servers * service - rate)
    assert abs(found.mean_wait - expected) < 4 * found.standard_error
    assert found.standard_error < 0.2 * expected  # the error says something


def test_the_simulation_equals_the_model_of_a_batching_server():
    queue, found = open_queue(2.0, BATCHING), simulate_queue(BATCHING, rate=2.0, requests=30_000, seed=1)
    assert abs(found.mean_wait - queue.mean_wait) < 4 * found.standard_error
    assert found.seconds.mean() == pytest.approx(queue.mean_seconds, rel=0.1)
    wrong = open_queue(2.0, Curve.clerks(16, 2.4 / 16))  # the same most, but no gain from a few
    assert abs(found.seconds.mean() - wrong.mean_seconds) > 5 * abs(found.seconds.mean() - queue.mean_seconds)


def test_the_simulation_refuses_as_the_model_does():
    found = simulate_queue(BATCHING, rate=3.0, max_waiting=4, requests=30_000, seed=3)
    assert found.refused == pytest.approx(open_queue(3.0, BATCHING, max_waiting=4).refused, abs=0.02)


def test_fixed_lengths_wait_less_and_a_look_at_the_queues_saves_more():
    exponential = simulate_queue(BATCHING, rate=8.8, replicas=4, seed=5)
    fixed = simulate_queue(BATCHING, rate=8.8, replicas=4, sizes="fixed", seed=5)
    shortest = simulate_queue(BATCHING, rate=8.8, replicas=4, routing="shortest", seed=5)
    assert fixed.mean_wait < exponential.mean_wait and shortest.mean_wait < exponential.mean_wait / 2


def test_one_request_after_the_other_takes_what_the_curve_says():
    found = simulate_queue(Curve((2.0,)), users=1, think_seconds=1e-9, sizes="fixed", requests=50)
    assert found.seconds == pytest.approx(np.full(45, 0.5)) and found.waits.max() < 1e-6


# Plans and prices -----------------------------------------------------------------------------------------------------


def test_prices():
    assert cost_per_million(0.36, 100.0) == pytest.approx(1.0)  # 0.36 per hour is 0.0001 per second
    assert cost_per_million(0.36, 100.0, utilization=0.25) == pytest.approx(4.0)
    assert break_even(0.36, 100.0, hosted_per_million=4.0) == pytest.approx(0.25)
