"""Policies that start and let go of replicas, in simulated time."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.old.serving.autoscaling import HOUR, Fixed, Reactive, Scheduled, autoscale, day_of_traffic
from helpers.old.serving.capacity import Curve, open_queue

CURVE = Curve.measured([1, 4, 8, 16], [0.4, 1.2, 1.9, 2.4])


def test_a_fixed_fleet_is_paid_until_the_last_reply():
    outcome = autoscale(np.array([0.0, 10.0]), Curve((0.5,)), Fixed(3), sizes="fixed")
    assert outcome.seconds == pytest.approx([2.0, 2.0]) and outcome.waits == pytest.approx([0.0, 0.0])
    assert outcome.replica_hours * HOUR == pytest.approx(3 * 12.0)


def test_one_replica_under_a_steady_load_is_the_queue_of_the_formulas():
    steady = day_of_traffic(quiet=2.0, busy=2.0, hours=4, seed=2)
    outcome = autoscale(steady, CURVE, Fixed(1), max_waiting=None)
    assert outcome.seconds.mean() == pytest.approx(open_queue(2.0, CURVE).mean_seconds, rel=0.1)


def test_a_day_has_the_rates_that_were_asked_for():
    day = day_of_traffic(quiet=0.5, busy=2.0, spike=3.0, spike_hour=9, spike_minutes=30, seed=1)
    assert (np.diff(day) >= 0).all() and day.max() < 24 * HOUR

    def per_second(start, end):
        return ((day >= start * HOUR) & (day < end * HOUR)).sum() / ((end - start) * HOUR)

    assert per_second(1.5, 2.5) == pytest.approx(0.5, rel=0.1)
    assert per_second(13.5, 14.5) == pytest.approx(2.0, rel=0.1)
    usual = 0.5 + 1.5 * (1 - np.cos(2 * np.pi * 7.25 / 24)) / 2
    assert per_second(9, 9.5) == pytest.approx(3 * usual, rel=0.1)


def test_a_late_replica_costs_waits_and_a_higher_target_costs_less():
    day = day_of_traffic(quiet=0.3, busy=3.0, hours=13.5, spike=2.5, spike_hour=13, seed=3)[-12_000:]
    day = day - day[0]
    roomy, tight = (autoscale(day, CURVE, Reactive(target)) for target in (4, 14))
    assert tight.replica_hours < roomy.replica_hours
    assert np.percentile(tight.seconds, 95) > np.percentile(roomy.seconds, 95)
    slow = autoscale(day, CURVE, Reactive(8, startup_seconds=600))
    quick = autoscale(day, CURVE, Reactive(8, startup_seconds=5))
    assert slow.wait_percentile(99) > quick.wait_percentile(99)


def test_the_desired_number_is_that_of_kubernetes():
    policy = Reactive(target=8, hold_seconds=60)
    assert policy.desired(0, 2, 40) == 5  # ⌈40 / 8⌉
    assert policy.desired(15, 5, 42) == 5  # within 10 %
    assert policy.desired(30, 5, 3) == 5  # fewer would do, but 5 were wished a moment ago
    assert policy.desired(90, 5, 3) == 1
    assert Reactive(target=8, most=3).desired(0, 2, 400) == 3
    assert Reactive(target=8, fewest=2).desired(0, 2, 0) == 2


def test_a_started_replica_is_paid_at_once_and_serves_later():
    burst = np.arange(0, 400, 0.25)
    outcome = autoscale(burst, CURVE, Reactive(8, startup_seconds=100), max_waiting=None)
    first_paid = outcome.times[outcome.paid > 1][0]
    first_ready = outcome.times[outcome.ready > 1][0]
    assert 100 <= first_ready - first_paid <= 115  # decisions are 15 seconds apart
    assert (outcome.paid >= outcome.ready).all()


def test_a_replica_that_is_let_go_finishes_its_requests():
    rush = np.sort(np.random.default_rng(0).uniform(0, 300, 1500))
    late = np.arange(300, 3000, 20.0)
    outcome = autoscale(np.concatenate([rush, late]), CURVE, Reactive(8, hold_seconds=0), max_waiting=None)
    assert len(outcome.seconds) == len(rush) + len(late) and outcome.refused == 0
    assert outcome.ready.max() > 4 and outcome.ready[-1] == 1


def test_a_schedule_starts_early_enough():
    policy = Scheduled(((0, 1), (8, 4), (20, 2)), startup_seconds=600)
    assert [policy.desired(hour * HOUR, 1, 0) for hour in (0, 7.5, 7.9, 12, 19.9, 23)] == [1, 1, 4, 4, 2, 2]
    assert policy.desired(23.9 * HOUR, 2, 0) == 1  # tomorrow's first hour


def test_a_full_fleet_refuses():
    outcome = autoscale(np.arange(0, 200, 0.1), CURVE, Fixed(1), max_waiting=4)
    assert outcome.refused > 0.6 and "refused" in str(outcome)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Reactive(0), "positive target"),
        (lambda: Reactive(1, fewest=3, most=2), "fewest"),
        (lambda: Scheduled(((1, 2),)), "begin with 0"),
        (lambda: day_of_traffic(quiet=2, busy=1), "quiet"),
        (lambda: autoscale(np.array([]), CURVE, Fixed(1)), "nothing to scale"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(call, said):
    with pytest.raises(ValueError, match=said):
        call()
