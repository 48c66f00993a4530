"""The scalar engine against autograd."""

from __future__ import annotations

import inspect

import pytest
import torch

from helpers.old.foundations import Value


@pytest.mark.parametrize(("w", "x", "y"), [(3.0, 2.0, -5.0), (-0.5, 4.0, 1.0), (0.0, 1.0, 1.0)])
def test_every_number_gets_autograds_derivative(w, x, y):
    ours = [Value(number) for number in (w, x, y)]
    theirs = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in (w, x, y)]
    for a, b, c in (ours, theirs):
        error = a * b + c
        (error * error + error * a + b * b * b).backward()
    assert [value.grad for value in ours] == pytest.approx([tensor.grad.item() for tensor in theirs])


def test_a_number_that_is_used_twice_adds_both_paths():
    w = Value(3.0)
    (w * w + w).backward()
    assert w.grad == 7.0


def test_a_second_backward_adds_to_the_gradient():
    w = Value(3.0)
    for _ in range(2):
        (w * Value(2.0)).backward()
    assert w.grad == 4.0


def test_the_engine_is_small_enough_to_be_shown():
    lines = [line for line in inspect.getsource(Value).splitlines() if line.strip()]
    assert len(lines) <= 25
