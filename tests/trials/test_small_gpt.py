"""Three codes of 4 bits side by side."""

from __future__ import annotations

import torch

from helpers.old.trials import small_gpt


def test_16_even_steps_keep_the_largest_weight_and_two_sizes_keep_both_ends():
    weights = torch.randn(256, generator=torch.Generator().manual_seed(0))
    rows = weights.view(-1, 64)
    largest = rows.abs().argmax(dim=1, keepdim=True)
    assert torch.allclose(small_gpt.even_trip(weights, 64).view(-1, 64).gather(1, largest), rows.gather(1, largest))
    ends = torch.stack(rows.aminmax(dim=1))
    found = small_gpt.span_trip(weights, 64).view(-1, 64)
    assert torch.allclose(torch.stack(found.aminmax(dim=1)), ends, atol=1e-6)
    for trip in small_gpt.TRIPS.values():
        assert 8 < len(trip(weights[:64], 64).unique()) <= 16


def test_blocks_of_zeros_stay_zero_in_every_code():
    assert set(small_gpt.changes(torch.cat((torch.zeros(64), torch.ones(64))), 64).values()) == {0.0}
