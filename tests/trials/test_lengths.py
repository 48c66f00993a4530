"""The trial of position schemes: same texts for all, the same bytes scored at every length."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
import torch

from helpers.old.trials import lengths as length_trial
from helpers.old.trials.lengths import (
    LAST,
    LENGTHS,
    SCHEMES,
    byte_pair_loss,
    losses_by_length,
    tiny_gpt,
    train_length_trial,
)


def test_training_lowers_the_loss_and_a_seed_repeats_it(monkeypatch):
    monkeypatch.setattr(length_trial, "TEXTS", 8)
    before = losses_by_length(tiny_gpt("alibi", seed=1).eval())
    one, same, other = (train_length_trial("alibi", steps=12, seed=seed, progress=False) for seed in (1, 1, 2))
    assert one.losses[32] < before[32] - 0.5
    assert one.losses == same.losses != other.losses


@pytest.mark.parametrize("positions", SCHEMES)
def test_every_scheme_reads_the_longest_text(positions):
    model = tiny_gpt(positions, seed=0)
    with torch.no_grad():
        assert model(torch.zeros(1, max(LENGTHS), dtype=torch.int64)).shape == (1, max(LENGTHS), 256)


def test_the_same_bytes_are_scored_at_every_length(monkeypatch):
    """A model that sees one byte only has the same loss at every length."""
    monkeypatch.setattr(length_trial, "TEXTS", 6)

    class Previous(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Embedding(256, 256)
            self.config = tiny_gpt("none", 0).config

        def forward(self, ids):
            return self.table(ids)

    losses = losses_by_length(Previous())
    assert max(losses.values()) - min(losses.values()) < 1e-5 and set(losses) == set(LENGTHS) and LAST < min(LENGTHS)


def test_a_factor_of_one_changes_nothing_and_a_larger_one_does(monkeypatch):
    monkeypatch.setattr(length_trial, "TEXTS", 4)
    torch.manual_seed(0)
    model = tiny_gpt("rope", seed=0).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)
    plain, slowed = losses_by_length(model), losses_by_length(model, "linear")
    assert slowed[32] == pytest.approx(plain[32], abs=1e-6) and abs(slowed[256] - plain[256]) > 1e-4


def test_a_window_hides_what_is_far_and_one_as_long_as_the_text_hides_nothing(monkeypatch):
    monkeypatch.setattr(length_trial, "TEXTS", 4)
    model = tiny_gpt("rope", seed=0).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 2:
                weight.mul_(3)
    plain, wide, narrow = (losses_by_length(model, window=window) for window in (None, max(LENGTHS), LAST))
    assert wide == pytest.approx(plain, abs=1e-4)
    assert abs(narrow[256] - plain[256]) > 1e-3


def test_the_table_of_byte_pairs_is_scored_as_a_model_that_holds_the_table_would_be():
    train, counts = length_trial._texts()[0].tolist(), torch.full((256, 256), 0.1)
    for (one, other), count in Counter(pairwise(train)).items():
        counts[one, other] += count

    class Table(torch.nn.Module):
        config = tiny_gpt("none", 0).config

        def forward(self, ids):
            return counts.log()[ids].float()

    losses = losses_by_length(Table())
    assert byte_pair_loss() == pytest.approx(losses[32], abs=1e-4)
    assert byte_pair_loss() == pytest.approx(losses[256], abs=1e-4)


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="steps must be at least 1, not 0"):
        train_length_trial("rope", steps=0)
