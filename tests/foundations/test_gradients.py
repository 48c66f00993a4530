"""The numerical gradient against calculus and autograd."""

from __future__ import annotations

import pytest
import torch

from helpers.old.foundations import numerical_gradient


def test_a_parabola_has_the_slope_2w_whatever_the_step():
    w = torch.tensor([3.0, -1.0, 0.0], dtype=torch.float64)
    for step in (1.0, 1e-3):
        assert torch.allclose(numerical_gradient(lambda v: (v**2).sum(), w, step), 2 * w, atol=1e-9)


@pytest.mark.parametrize("shape", [(), (4,), (3, 2), (2, 1, 3)])
def test_it_agrees_with_autograd_in_every_shape(shape):
    torch.manual_seed(0)
    w = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    (wanted,) = torch.autograd.grad((w.sin() * w).sum(), w)
    found = numerical_gradient(lambda v: (v.sin() * v).sum(), w)
    assert found.shape == w.shape and found.dtype == w.dtype
    assert torch.allclose(found, wanted, atol=1e-5)  # off by about step², 1e-6


def test_it_leaves_the_point_as_it_was():
    w = torch.ones(3, requires_grad=True)
    numerical_gradient(lambda v: v.sum(), w)
    assert w.tolist() == [1, 1, 1] and w.grad is None


@pytest.mark.parametrize("step", [0, -1e-3, float("nan")])
def test_a_step_that_is_none_gives_one_sentence(step):
    with pytest.raises(ValueError, match="step must be positive"):
        numerical_gradient(torch.sum, torch.ones(1), step)
