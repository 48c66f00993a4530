"""Memory of this process: what a block of code held at most."""

from __future__ import annotations

import pytest
import torch

from helpers.old.measuring import watch_peak

MB = 10**6


@pytest.mark.parametrize("megabytes", [50, 200])
def test_the_peak_of_a_block_is_what_was_held_at_once(megabytes):
    with watch_peak() as peak:
        for _ in range(3):  # one after the other: freed memory is not counted again
            held = torch.ones(megabytes * MB // 4)
            held += 1
            del held
    assert peak.above_start == pytest.approx(megabytes * MB, rel=0.1, abs=5 * MB)


def test_what_is_held_before_is_not_counted_and_the_end_is_looked_at():
    before = torch.ones(40 * MB // 4)
    with watch_peak(every=60) as peak:
        held = torch.ones(30 * MB // 4)
    assert peak.above_start == pytest.approx(30 * MB, rel=0.1, abs=5 * MB)
    assert len(before) and len(held)
