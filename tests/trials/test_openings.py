"""A trial of decoding settings: its numbers are those of its text, and loops are found."""

from __future__ import annotations

import pytest
import torch

from helpers.generation import greedy, sample
from helpers.old.trials.openings import OPENINGS, Watched, share_repeated, trials
from tests.trials.conftest import Letters


def test_repeats_of_a_trial_are_drawn_anew_and_greedy_ones_are_equal(model):
    one, two = trials(model, Letters(), sample(generator=torch.Generator().manual_seed(0)), 6, repeats=2)
    assert not one.written.equal(two.written)
    one, two = trials(model, Letters(), greedy, 6, repeats=2)
    assert one.written.equal(two.written) and one.perplexity == pytest.approx(two.perplexity)


def test_a_watched_sampler_chooses_as_before_and_notes_the_models_own_odds():
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 3.0]])
    watched = Watched(lambda logits, ids=None: greedy(-logits))  # chooses the unlikeliest
    assert watched(logits).tolist() == [2, 0]
    assert torch.allclose(watched.log_probs[0], logits.log_softmax(-1)[[0, 1], [2, 0]])


def test_a_closed_loop_is_repeated_throughout_and_a_list_of_new_tokens_never():
    assert share_repeated([1, 2, 3] * 30) == 1.0
    assert share_repeated(list(range(90))) == 0.0
    assert share_repeated([*range(60), *range(30)]) == pytest.approx(27 / 32)  # the last 30: all but the first three
    assert share_repeated(torch.tensor([5, 5, 5, 5, 5, 5]), last=2) == 1.0


def test_the_openings_are_twelve_and_different():
    assert len(set(OPENINGS)) == 12
