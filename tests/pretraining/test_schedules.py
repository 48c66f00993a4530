"""The learning rate over a run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.old.pretraining import share_of_peak, warmup_stable_decay


@given(st.integers(1, 300), st.data())
def test_up_level_and_down(total, data):
    warmup = data.draw(st.integers(0, total))
    decay = data.draw(st.floats(0.05, 1.0))
    floor = data.draw(st.floats(0, 1))
    shares = [warmup_stable_decay(step, warmup, total, decay, floor) for step in range(total + 1)]
    assert all(0 <= share <= 1 for share in shares)
    top = shares.index(max(shares))
    assert shares[: top + 1] == sorted(shares[: top + 1]) and shares[top:] == sorted(shares[top:], reverse=True)
    assert shares[-1] == pytest.approx(min(floor, (total + 1) / (warmup + 1)))


def test_an_example():
    shares = [warmup_stable_decay(step, warmup=1, total=10, decay=0.5) for step in range(11)]
    assert shares == pytest.approx([0.5, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0])


def test_constant_stays_up_and_cosine_is_nanogpts():
    import math

    assert [share_of_peak("constant", s, 1, 5, 0.6, 0.0) for s in range(5)] == [0.5, 1, 1, 1, 1]

    def their_rate(it, warmup=3, total=20, floor=0.1):
        """The published formula: warm-up by (it + 1)/(warmup + 1), then half a cosine."""
        if it < warmup:
            return (it + 1) / (warmup + 1)
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (it - warmup) / (total - warmup)))

    for step in range(20):
        assert share_of_peak("cosine", step, 3, 20, 0.6, 0.1) == pytest.approx(their_rate(step))


@pytest.mark.parametrize("bad", [(-1, 0, 5), (0, 6, 5), (0, -1, 5), (0, 0, 5, 1.5), (0, 0, 5, 0.5, -1)])
def test_what_makes_no_schedule_is_refused(bad):
    with pytest.raises(ValueError, match="A schedule needs"):
        warmup_stable_decay(*bad)


def test_an_unknown_schedule_is_refused():
    with pytest.raises(ValueError, match="There is no schedule 'step'"):
        share_of_peak("step", 0, 0, 5, 0.6, 0.0)
