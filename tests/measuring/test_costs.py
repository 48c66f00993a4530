"""Costs: processor time is of this process, the largest tensor is exact, exponents are those of known powers."""

from __future__ import annotations

import pytest
import torch

from helpers.old.measuring import cpu_seconds, exponent, largest_tensor


def test_the_exponent_of_a_power_is_that_power():
    sizes = [100, 200, 400, 1000]
    assert exponent(sizes, [3e-6 * n**1.7 for n in sizes]) == pytest.approx(1.7)
    assert exponent(sizes, [5.0] * 4) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("sizes", "costs"), [([1], [1]), ([1, 2], [1]), ([1, 2], [0.0, 1]), ([1, 2], [1, float("nan")])]
)
def test_what_has_no_exponent_is_refused_in_one_sentence(sizes, costs):
    with pytest.raises(ValueError, match="^[A-Z].*[.]$"):
        exponent(sizes, costs)


def test_the_largest_tensor_is_found_inside_the_function():
    def outer(a, b):
        return (a[:, None] * b[None, :]).sum()  # (300, 500) float32 in between, one number out

    assert largest_tensor(outer, torch.ones(300), torch.ones(500)) == 4 * 300 * 500
    assert largest_tensor(lambda a: a.double(), torch.ones(10)) == 80


def test_processor_time_counts_work_and_not_waiting():
    import threading

    # Threads of an earlier product may spin for a few milliseconds more, so the wait is much longer than that.
    waiting = cpu_seconds(lambda: threading.Event().wait(0.1), at_least=0.0)
    a = torch.ones(400, 400)
    assert waiting < 0.05
    assert cpu_seconds(lambda: [a @ a for _ in range(40)], at_least=0.0) > 0.002


def test_a_call_is_repeated_until_the_clock_has_seen_enough():
    calls = []
    cpu_seconds(lambda: calls.append(1), at_least=0.01)
    assert len(calls) > 10
