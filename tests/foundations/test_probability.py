"""Softmax, cross-entropy and perplexity: PyTorch's, also where the textbook formula breaks."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.old.foundations import cross_entropy, perplexity, softmax

LOGITS = st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=8)


@given(LOGITS)
def test_softmax_is_pytorchs_for_logits_of_any_size(logits):
    """Both subtract the maximum; what is left is the rounding of exp."""
    x = torch.tensor(logits)
    assert torch.allclose(softmax(x), torch.softmax(x, 0), atol=1e-6)


@pytest.mark.parametrize("dim", [0, 1, 2, -1])
def test_softmax_sums_to_one_along_the_dimension_asked_for(dim):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 4) * 50
    assert torch.allclose(softmax(x, dim).sum(dim), torch.ones(()), atol=1e-6)
    assert torch.allclose(softmax(x, dim), torch.softmax(x, dim), atol=1e-6)


def test_what_is_masked_has_probability_zero():
    assert softmax(torch.tensor([0.0, -torch.inf, 0.0])).tolist() == [0.5, 0.0, 0.5]


@pytest.mark.parametrize("ignored", [-100, 0, 3])
def test_cross_entropy_is_pytorchs_with_ignored_targets(ignored):
    torch.manual_seed(0)
    logits, targets = torch.randn(50, 5) * 20, torch.randint(5, (50,))
    targets[::7] = ignored
    theirs = torch.nn.functional.cross_entropy(logits, targets, ignore_index=ignored)
    assert cross_entropy(logits, targets, ignored).item() == pytest.approx(theirs.item(), rel=1e-5)


def test_cross_entropy_stays_finite_for_a_target_that_the_model_rules_out():
    assert cross_entropy(torch.tensor([[0.0, 500.0]]), torch.tensor([0])).item() == pytest.approx(500)


def test_cross_entropy_of_ignored_targets_only_is_nan_as_in_pytorch():
    logits, targets = torch.zeros(2, 3), torch.tensor([-100, -100])
    assert cross_entropy(logits, targets).isnan() and torch.nn.functional.cross_entropy(logits, targets).isnan()


def test_cross_entropy_has_pytorchs_gradient():
    torch.manual_seed(0)
    logits, targets = torch.randn(6, 4, requires_grad=True), torch.tensor([0, 1, 2, 3, -100, 0])
    (ours,) = torch.autograd.grad(cross_entropy(logits, targets), logits)
    (theirs,) = torch.autograd.grad(torch.nn.functional.cross_entropy(logits, targets), logits)
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_perplexity_counts_equally_likely_choices():
    assert perplexity(math.log(27)) == pytest.approx(27)
    assert perplexity(-torch.tensor([1 / 2, 1 / 4, 1 / 8]).log().mean()) == pytest.approx(4)
    assert perplexity(0.0) == 1.0
