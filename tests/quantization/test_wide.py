"""wide_linear: the product that PyTorch's bfloat16 kernel gives, and asked for only where that kernel is slow."""

from __future__ import annotations

import pytest
import torch

from helpers.old.quantization import wide
from helpers.old.quantization.wide import BLOCK_ROWS, SEVERAL_ROWS, wide_linear


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("rows", [1, SEVERAL_ROWS - 1, SEVERAL_ROWS, 40])
@pytest.mark.parametrize("N", [12, BLOCK_ROWS, 2 * BLOCK_ROWS + 3])
@torch.no_grad()
def test_it_is_the_kernels_product_up_to_its_last_digit(N, rows, bias, monkeypatch):
    """Both sums are in float32 and rounded once; 2⁻⁷ of a number is one step of bfloat16."""
    monkeypatch.setattr(wide, "FAST_BFLOAT16", False)
    torch.manual_seed(0)
    linear, x = torch.nn.Linear(32, N, bias=bias).bfloat16(), torch.randn(rows, 32).bfloat16()
    found, expected = wide_linear(x, linear.weight, linear.bias), linear(x)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected.float(), rtol=2**-7, atol=1e-4)
    shaped = wide_linear(x.view(1, rows, 1, 32), linear.weight, linear.bias)
    assert torch.equal(shaped, found.view(1, rows, 1, N))


@torch.no_grad()
def test_a_matrix_may_be_transposed(monkeypatch):
    monkeypatch.setattr(wide, "FAST_BFLOAT16", False)
    torch.manual_seed(0)
    grad, weight = torch.randn(2, 9, 24).bfloat16(), torch.randn(24, 32).bfloat16()
    torch.testing.assert_close(wide_linear(grad, weight.T).float(), (grad @ weight).float(), rtol=2**-7, atol=1e-4)


@pytest.mark.parametrize(
    ("fast", "x", "multiplied"),
    [
        (False, torch.zeros(SEVERAL_ROWS, 32).bfloat16(), torch.float32),
        (False, torch.zeros(SEVERAL_ROWS - 1, 32).bfloat16(), torch.bfloat16),
        (True, torch.zeros(SEVERAL_ROWS, 32).bfloat16(), torch.bfloat16),
    ],
)
@torch.no_grad()
def test_weights_are_widened_for_several_rows_where_the_processor_is_slow(fast, x, multiplied, monkeypatch):
    asked, linear = [], torch.nn.functional.linear

    def recorded(rows, weight, bias=None):
        asked.append(weight.dtype)
        return linear(rows, weight, bias)

    monkeypatch.setattr(wide, "FAST_BFLOAT16", fast)
    monkeypatch.setattr(wide.F, "linear", recorded)
    wide_linear(x, torch.zeros(12, 32).bfloat16())
    assert asked == [multiplied]


def test_float32_is_left_to_pytorch_with_its_gradient():
    x, weight = torch.randn(5, 32, requires_grad=True), torch.randn(12, 32)
    wide_linear(x, weight).sum().backward()
    torch.testing.assert_close(x.grad, weight.sum(0).expand(5, 32))
