"""Weights in 8 and 4 bits: codes and back, layers over PyTorch's kernels and without them, whole models."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from helpers import quantization as quantization
from helpers.quantization import (
    Int4Linear,
    Int8Linear,
    dequantize,
    fake_quantize_,
    kernel_works,
    pack_pairs,
    quantize_,
    quantize_groups,
    quantize_rows_absmax,
    unpack_pairs,
)
from tests.tiny_models import rms_share

SHAPES = [(1, 32), (7, 64), (16, 32), (48, 96), (33, 160)]


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def linear(N: int, K: int, bias: bool = False, dtype: torch.dtype = torch.float32) -> nn.Linear:
    layer = nn.Linear(K, N, bias=bias, dtype=dtype)
    with torch.no_grad():
        layer.weight.copy_(normal(N, K, seed=N) / K**0.5)  # so that outputs are of order 1
        if bias:
            layer.bias.copy_(normal(N, seed=K))
    return layer


@pytest.fixture
def without_kernels(monkeypatch):
    monkeypatch.setattr(quantization, "kernel_works", lambda bits: False)


# Codes and back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_int8_comes_back_within_half_a_step(shape):
    weight = normal(*shape) * torch.logspace(-3, 3, shape[0])[:, None]  # every row has a size of its own
    codes, scale = quantize_rows_absmax(weight)
    assert codes.dtype == torch.int8 and scale.shape == shape[:1]
    error = (dequantize(codes, scale) - weight).abs()
    assert (error <= 0.5001 * scale[:, None]).all()  # the last digit: float32 rounds as well
    assert (codes.abs().amax(1) == 127).all()


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("group", [8, 32])
@pytest.mark.parametrize("shape", SHAPES)
def test_int4_comes_back_within_half_a_step_of_its_group(shape, group, symmetric):
    weight = normal(*shape) + 0.3
    codes, scale, zero = quantize_groups(weight, group, symmetric)
    assert codes.max() <= 15 and scale.shape == zero.shape == (shape[0], shape[1] // group)
    error = (dequantize(codes, scale, zero) - weight).abs().view(shape[0], -1, group)
    assert (error <= 0.5001 * scale[..., None]).all()


def test_symmetric_codes_have_15_levels_around_an_exact_zero():
    weight = torch.cat((normal(4, 31), torch.zeros(4, 1)), dim=1)
    codes, scale, zero = quantize_groups(weight, 32, symmetric=True)
    assert (zero == 0).all() and codes.min() >= 1 and (codes[:, -1] == 8).all()
    assert (dequantize(codes, scale, zero)[:, -1] == 0).all()
    assert torch.allclose(dequantize(-(codes.int() - 8) + 8, scale, zero), -dequantize(codes, scale, zero))


def test_asymmetric_codes_keep_the_ends_of_each_group_and_err_less_than_symmetric_ones():
    weight = normal(64, 256) + 1.0  # symmetric levels waste half of their range on this
    codes, scale, zero = quantize_groups(weight, 32)
    assert (codes.view(64, 8, 32).amin(-1) == 0).all() and (codes.view(64, 8, 32).amax(-1) == 15).all()
    errors = [rms_share(dequantize(*quantize_groups(weight, 32, symmetric)), weight) for symmetric in (False, True)]
    assert errors[0] < 0.7 * errors[1]


def test_smaller_groups_and_more_bits_err_less():
    weight = normal(64, 256)
    errors = [rms_share(dequantize(*quantize_groups(weight, group)), weight) for group in (256, 64, 32, 16)]
    assert errors == sorted(errors, reverse=True)
    assert rms_share(dequantize(*quantize_rows_absmax(weight)), weight) < errors[-1] / 5


def test_a_second_round_changes_nothing_unless_the_groups_are_shifted():
    once = dequantize(*quantize_groups(normal(8, 128), 32))
    assert torch.allclose(dequantize(*quantize_groups(once, 32)), once, atol=1e-6)  # float32 rounding
    shifted = torch.roll(dequantize(*quantize_groups(torch.roll(once, 16, dims=1), 32)), -16, dims=1)
    assert rms_share(shifted, once) > 0.03


def test_zeros_and_equal_weights_are_kept_exactly():
    zeros = torch.zeros(3, 32)
    assert torch.equal(dequantize(*quantize_rows_absmax(zeros)), zeros)
    equal = torch.tensor([[0.25], [-3.0]]).expand(2, 32)
    for symmetric in (False, True):
        assert torch.allclose(dequantize(*quantize_groups(equal, 32, symmetric)), equal)


def test_codes_fit_the_rounded_scales_that_they_are_stored_with():
    weight = normal(32, 128) + 2.0
    codes, scale, zero = quantize_groups(weight, 32, dtype=torch.bfloat16)
    assert scale.dtype == zero.dtype == torch.bfloat16
    fitted = rms_share(dequantize(codes, scale, zero), weight)
    codes, scale, zero = quantize_groups(weight, 32)
    rounded_later = rms_share(dequantize(codes, scale.bfloat16(), zero.bfloat16()), weight)
    assert fitted <= rounded_later


def test_pairs_in_a_byte_come_apart_again():
    codes = torch.arange(256).view(8, 32).remainder(16).to(torch.uint8)
    packed = pack_pairs(codes)
    assert packed.shape == (8, 16) and packed.dtype == torch.uint8
    assert int(packed[0, 0]) == 0 + 16 * 1
    assert torch.equal(unpack_pairs(packed), codes)


def test_weights_that_are_no_matrix_of_numbers_are_refused():
    for quantizer in (quantize_rows_absmax, quantize_groups):
        with pytest.raises(ValueError, match=r"a matrix \(N, K\), not a tensor \(32,\)"):
            quantizer(normal(32))
        with pytest.raises(ValueError, match="NaN or infinity"):
            quantizer(torch.tensor([[1.0, float("nan")] * 16]))
    for group in (0, 5, 64):
        with pytest.raises(ValueError, match=f"Groups of {group} do not divide rows of 32 weights"):
            quantize_groups(normal(2, 32), group)


# Layers --------------------------------------------------------------------------------------------------------------


def layers(N: int, K: int, bias: bool = False, dtype: torch.dtype = torch.float32) -> list[nn.Module]:
    plain = linear(N, K, bias, dtype)
    return [Int8Linear(plain), Int4Linear(plain), Int4Linear(plain, symmetric=True)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("N", "K"), [(16, 32), (64, 96), (48, 576), (7, 64), (33, 32)])
def test_the_kernels_give_what_the_plain_version_gives(N, K, bias, dtype, monkeypatch):
    by_kernel = layers(N, K, bias, dtype)
    monkeypatch.setattr(quantization, "kernel_works", lambda bits: False)
    plain = layers(N, K, bias, dtype)
    for x in (normal(1, 1, K), normal(2, 5, K), normal(40, K), normal(K)):
        for kernel, other in zip(by_kernel, plain, strict=True):
            assert not other.by_kernel
            found, expected = kernel(x.to(dtype)), other(x.to(dtype))
            assert found.dtype == dtype and found.shape == (*x.shape[:-1], N)
            # bfloat16 has 8 bits: both round the sum to it, and the int4 kernel each weight as well
            assert torch.allclose(found.float(), expected.float(), rtol=2**-7, atol=2**-7)


def test_this_machine_has_the_kernels_that_the_speed_comes_from():
    if not hasattr(torch.ops.aten, "_weight_int4pack_mm_for_cpu"):
        pytest.skip("this PyTorch has no int4 kernel for CPUs")
    assert kernel_works(8) and kernel_works(4)
    assert all(layer.by_kernel for layer in layers(64, 64))
    assert not Int4Linear(linear(33, 64)).by_kernel  # rows that do not fill the kernel's blocks
    assert not Int4Linear(linear(64, 48), group=16).by_kernel  # a group size that it does not have


@pytest.mark.parametrize("problem", [AttributeError("gone"), RuntimeError("changed"), NotImplementedError("not here")])
def test_an_operator_that_is_gone_or_raises_counts_as_absent(problem, monkeypatch):
    def broken(*args):
        raise problem

    monkeypatch.setattr(quantization, "int8_product", broken)
    monkeypatch.setattr(quantization, "_pack_for_kernel", broken)
    kernel_works.cache_clear()
    try:
        assert not kernel_works(8) and not kernel_works(4)
        x = normal(3, 64)
        for layer in layers(32, 64):
            assert not layer.by_kernel and layer(x).shape == (3, 32)
    finally:
        kernel_works.cache_clear()


def test_an_operator_that_computes_something_else_counts_as_absent(monkeypatch):
    monkeypatch.setattr(quantization, "int8_product", lambda rows, codes, scale: rows.new_ones(len(rows), len(codes)))
    kernel_works.cache_clear()
    try:
        assert not kernel_works(8)
    finally:
        kernel_works.cache_clear()


def test_layers_are_as_small_as_arithmetic_says():
    int8, int4, _ = layers(64, 256)
    n = 64 * 256
    assert sum(buffer.nbytes for buffer in int8.buffers()) == n + 64 * 2
    assert sum(buffer.nbytes for buffer in int4.buffers()) == n // 2 + n // 32 * 4


def test_saved_layers_load_again():
    for layer in layers(32, 64, bias=True):
        other = type(layer)(linear(32, 64, bias=True))
        for buffer in other.buffers():
            buffer.zero_()
        other.load_state_dict(layer.state_dict())
        x = normal(2, 64)
        assert torch.equal(layer(x), other(x))


# Models --------------------------------------------------------------------------------------------------------------


class Small(nn.Module):
    """Two layers, one of them twice, an embedding that shares the head's matrix, and attention that reads weights."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(48, width)
        self.first = linear(width, width, bias=True)
        self.blocks = nn.ModuleList([nn.Sequential(self.first, nn.ReLU()), nn.Sequential(linear(width, width))])
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.head = nn.Linear(width, 48, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.first(self.embedding(ids))
        for block in self.blocks:
            x = block(x)
        return self.head(x + self.attention(x, x, x)[0])


IDS = torch.arange(24).view(2, 12)


@pytest.mark.parametrize(("bits", "at_most"), [(8, 0.02), (4, 0.25)])
@torch.no_grad()
def test_a_model_is_exchanged_in_place_and_says_nearly_the_same(bits, at_most):
    torch.manual_seed(0)
    model = Small().eval()
    before = model(IDS)
    assert quantize_(model, bits) is model
    kind = Int8Linear if bits == 8 else Int4Linear
    assert all(isinstance(layer, kind) for layer in (model.first, model.blocks[0][0], model.blocks[1][0], model.head))
    assert model.first is model.blocks[0][0]  # one layer in two places stays one
    assert type(model.attention.out_proj) is not kind  # its owner reads the weight itself
    assert isinstance(model.embedding.weight, nn.Parameter)
    assert 0 < rms_share(model(IDS), before) < at_most


@torch.no_grad()
def test_skipped_layers_stay_and_a_second_call_takes_the_rest():
    model = Small()
    quantize_(model, bits=4, skip=["head", "blocks.1.0"])
    assert type(model.head) is nn.Linear and type(model.blocks[1][0]) is nn.Linear
    quantize_(model, bits=8)
    assert isinstance(model.head, Int8Linear) and isinstance(model.first, Int4Linear)
    assert isinstance(quantize_(Small(), bits=8, skip="head").head, nn.Linear)


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        (Small(), {"bits": 3}, ValueError, "8 and 4 bits, not 3"),
        (Small(), {"bits": "4"}, ValueError, "8 and 4 bits, not 4"),
        (Small(), {"skip": ["tail"]}, ValueError, "no linear layer 'tail' to skip"),
        (Small(), {"bits": 4, "group": 48}, ValueError, "first has rows of 64 weights, which groups of 48 do not"),
        (Small(), {"bits": 4, "group": 0}, ValueError, "groups of 0"),
        (nn.Sequential(nn.ReLU()), {}, ValueError, "no nn.Linear to quantize in this Sequential"),
        (nn.Linear(32, 32), {}, TypeError, "cannot do so in a Linear"),
        ({"weight": torch.ones(2, 2)}, {}, TypeError, "cannot do so in a dict"),
        ("a model", {"bits": 4}, TypeError, "cannot do so in a str"),
    ],
)
def test_what_cannot_be_quantized_is_refused_in_one_sentence_and_left_alone(model, options, error, message):
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    with pytest.raises(error, match=message):
        quantize_(model, **options)
    assert not modules or list(model.modules()) == modules


def test_an_odd_layer_far_down_leaves_the_layers_before_it_alone():
    model = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 40), nn.Linear(40, 64))
    with pytest.raises(ValueError, match=r"2 has rows of 40 weights.*skip=\['2'\]"):
        quantize_(model, bits=4)
    assert all(type(layer) is nn.Linear for layer in model)
    with torch.no_grad():
        model[1].weight[3, 3] = float("inf")
    with pytest.raises(ValueError, match="NaN or infinity"):
        quantize_(model, bits=8)
    assert all(type(layer) is nn.Linear for layer in model)
    quantize_(model[:1], bits=4)


@torch.no_grad()
def test_fake_quantization_keeps_plain_layers_whose_weights_have_been_there_and_back():
    torch.manual_seed(0)
    model, layer = Small().eval(), linear(64, 64)
    model.first.weight.copy_(layer.weight)
    embedding = model.embedding.weight.clone()
    fake_quantize_(model, lambda weight: dequantize(*quantize_groups(weight, 32)))
    assert type(model.first) is nn.Linear
    assert torch.equal(model.first.weight, dequantize(*quantize_groups(layer.weight, 32)))
    assert torch.equal(model.embedding.weight, embedding)  # though the head shared it
    assert not torch.equal(model.head.weight, embedding)
    real = quantize_(Small().eval(), bits=4)
    real.load_state_dict(real.state_dict())
    x = normal(4, 64)
    plain = nn.Sequential(linear(64, 64))
    fake = fake_quantize_(plain, lambda weight: dequantize(*quantize_groups(weight, 32, dtype=torch.bfloat16)))
    # the real layer multiplies bfloat16 copies of x and of the weights
    assert rms_share(Int4Linear(linear(64, 64))(x), fake(x)) < 0.01
