"""Attention against PyTorch's own; masks, heads and linear forms against their definitions as loops.

Tolerance 1e-5 where two float32 computations of the same sum are compared: they differ by the order of additions.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers.attention import (
    MultiHeadAttention,
    attention_weights,
    causal_mask,
    fused_attention,
    keeping_weights,
    merge_heads,
    padding_mask,
    repeat_kv,
    scaled_dot_product_attention,
    split_heads,
)
from helpers.old.attention import sliding_window_mask

close = {"atol": 1e-5, "rtol": 1e-5}
SHAPES = [(1, 1, 1, 1, 1), (2, 3, 5, 5, 8), (1, 4, 3, 9, 7), (3, 1, 17, 17, 2), (2, 2, 1, 11, 16), (1, 2, 130, 130, 64)]
BOTH = pytest.mark.parametrize("attend", [scaled_dot_product_attention, fused_attention])


def qkv(B=2, H=3, T=5, S=None, head_dim=8, kv_heads=None, seed=0, spread=2.0):
    """spread 2: far enough from uniform weights that a missing scale or mask shows."""
    generator = torch.Generator().manual_seed(seed)
    S, kv_heads = S or T, kv_heads or H
    shapes = (B, H, T, head_dim), (B, kv_heads, S, head_dim), (B, kv_heads, S, head_dim)
    return [spread * torch.randn(shape, generator=generator) for shape in shapes]


def random_mask(*shape, seed=0):
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.5
    mask[..., 0] = True  # PyTorch's version defines what a row without any True gives only in newer releases
    return mask


# Scaled dot-product attention ----------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("B, H, T, S, head_dim", SHAPES)
@pytest.mark.parametrize("kind", ["none", "causal", "padding", "random", "bias", "bias and mask", "scale"])
def test_attention_equals_pytorchs(attend, B, H, T, S, head_dim, kind):
    q, k, v = qkv(B, H, T, S, head_dim)
    mask = bias = scale = None
    if kind == "causal":
        mask = causal_mask(T, S)
    elif kind == "padding":
        mask = padding_mask([max(1, S - i) for i in range(B)], S)[:, None, None, :]
    elif kind == "random":
        mask = random_mask(B, H, T, S)
    elif kind.startswith("bias"):
        bias = torch.randn(1, H, T, S, generator=torch.Generator().manual_seed(1))
        mask = random_mask(T, S) if "mask" in kind else None
    elif kind == "scale":
        scale = 0.3  # not 1/√head_dim; a larger one makes scores whose rounding shows in the fifth digit
    theirs = bias if mask is None else mask if bias is None else bias.masked_fill(~mask, float("-inf"))
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=theirs, scale=scale)
    torch.testing.assert_close(attend(q, k, v, mask, bias=bias, scale=scale), expected, **close)


@pytest.mark.parametrize("T, S", [(1, 1), (6, 6), (1, 9), (4, 9)])
@pytest.mark.parametrize("padded", [False, True])
def test_fused_causal_attention_equals_the_formula_with_a_causal_mask(T, S, padded):
    q, k, v = qkv(T=T, S=S)
    mask = padding_mask([S, S - 2 if S > 2 else S], S, left=True)[:, None, None, :] if padded else None
    hidden = causal_mask(T, S) if mask is None else causal_mask(T, S) & mask
    expected = scaled_dot_product_attention(q, k, v, hidden)
    torch.testing.assert_close(fused_attention(q, k, v, mask, causal=True), expected, **close)


def test_weights_are_a_distribution_over_what_may_be_seen():
    q, k, _ = qkv(T=7, S=7)
    weights = attention_weights(q, k, causal_mask(7))
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 7), **close)
    assert (weights >= 0).all() and (weights.masked_select(~causal_mask(7)) == 0).all()


@BOTH
@pytest.mark.parametrize("bias", [None, torch.ones(3, 4, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_query_with_nothing_to_look_at_gets_zeros_and_finite_gradients(attend, dtype, bias):
    q, k, v = (x.to(dtype).requires_grad_() for x in qkv(T=4, S=4))
    mask = causal_mask(4).clone()
    mask[1] = False
    out = attend(q, k, v, mask, bias=bias)
    out.sum().backward()
    assert (out[:, :, 1] == 0).all() and out.isfinite().all()
    assert all(x.grad.isfinite().all() for x in (q, k, v))
    assert (q.grad[:, :, 1] == 0).all()


@BOTH
def test_attention_changes_none_of_its_inputs(attend):
    inputs = [*qkv(), random_mask(5, 5)]
    inputs[3][2] = False
    before = [x.clone() for x in inputs]
    attend(*inputs)
    assert all(torch.equal(x, y) for x, y in zip(inputs, before, strict=True))


@pytest.mark.parametrize("form", ["formula", "fused"])
def test_no_gradient_flows_from_an_output_to_a_later_key_or_value(form):
    q, k, v = (x.requires_grad_() for x in qkv(T=6))
    for t in range(6):
        if form == "formula":
            out = scaled_dot_product_attention(q, k, v, causal_mask(6))
        else:
            out = fused_attention(q, k, v, causal=True)
        grads = torch.autograd.grad(out[:, :, t].square().sum(), (k, v))
        for grad in grads:
            assert (grad[:, :, t + 1 :] == 0).all()
            assert (grad[:, :, : t + 1].abs().sum(-1) > 0).all() or t == 0


@BOTH
def test_bfloat16_stays_within_its_own_rounding(attend):
    """bfloat16 keeps 8 bits, so inputs and the output are each off by up to 0.4 %; v reaches about 6 here."""
    q, k, v = qkv(T=64, S=64, head_dim=32, spread=1.0)
    exact = scaled_dot_product_attention(q, k, v, causal_mask(64))
    low = attend(*(x.bfloat16() for x in (q, k, v)), causal_mask(64))
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), exact, atol=0.03, rtol=0.02)


def test_a_numeric_mask_is_refused():
    q, k, v = qkv()
    for attend in (scaled_dot_product_attention, fused_attention):
        with pytest.raises(TypeError, match="boolean.*bias="):
            attend(q, k, v, torch.ones(5, 5))


# Masks ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("T, S", [(1, 1), (4, 4), (2, 5), (1, 3)])
def test_causal_mask_follows_its_loop(T, S):
    expected = [[key <= S - T + query for key in range(S)] for query in range(T)]
    assert causal_mask(T, S).tolist() == expected


@pytest.mark.parametrize("T, window, n_global", [(1, 1, 0), (6, 1, 0), (6, 3, 0), (7, 2, 1), (9, 4, 3), (5, 99, 0)])
def test_sliding_window_mask_follows_its_loop(T, window, n_global):
    expected = [[k <= q and (q - k < window or k < n_global) for k in range(T)] for q in range(T)]
    assert sliding_window_mask(T, window, n_global).tolist() == expected
    assert torch.equal(
        sliding_window_mask(2, window, n_global, S=T + 1), sliding_window_mask(T + 1, window, n_global)[-2:]
    )


def test_sliding_window_mask_equals_the_librarys():
    from transformers.masking_utils import sliding_window_overlay

    inside = sliding_window_overlay(3)
    theirs = torch.tensor(
        [[bool(inside(0, 0, torch.tensor(q), torch.tensor(k))) and k <= q for k in range(8)] for q in range(8)]
    )
    assert torch.equal(sliding_window_mask(8, 3), theirs)


def test_padding_mask_marks_real_tokens_on_either_side():
    assert padding_mask([3, 1, 0], 3).tolist() == [[True] * 3, [True, False, False], [False] * 3]
    assert padding_mask(torch.tensor([3, 1]), 3, left=True).tolist() == [[True] * 3, [False, False, True]]


def test_impossible_masks_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match="5 queries cannot be the last of 3"):
        causal_mask(5, 3)
    with pytest.raises(ValueError, match="between 0 and the padded length 3"):
        padding_mask([4], 3)
    with pytest.raises(ValueError, match="at least 1 position"):
        sliding_window_mask(4, 0)


# Heads ---------------------------------------------------------------------------------------------------------------


def test_heads_are_consecutive_slices_of_the_channels():
    x = torch.arange(2 * 3 * 12.0).view(2, 3, 12)
    heads = split_heads(x, 4)
    assert heads.shape == (2, 4, 3, 3)
    assert torch.equal(heads[1, 2], x[1, :, 6:9])
    assert torch.equal(merge_heads(heads), x)


def test_each_group_of_queries_shares_one_key_head():
    x = torch.arange(2.0).view(1, 2, 1, 1)
    assert repeat_kv(x, 3).flatten().tolist() == [0, 0, 0, 1, 1, 1]


def as_pytorchs(ours: MultiHeadAttention, theirs: nn.MultiheadAttention) -> None:
    """Copy PyTorch's weights into ours."""
    with torch.no_grad():
        for name, weight in zip("qkv", theirs.in_proj_weight.chunk(3), strict=True):
            getattr(ours, f"{name}_proj").weight.copy_(weight)
        ours.o_proj.weight.copy_(theirs.out_proj.weight)
        if theirs.in_proj_bias is not None:
            theirs.in_proj_bias.normal_()
            theirs.out_proj.bias.normal_()
            for name, bias in zip("qkv", theirs.in_proj_bias.chunk(3), strict=True):
                getattr(ours, f"{name}_proj").bias.copy_(bias)
            ours.o_proj.bias.copy_(theirs.out_proj.bias)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("n_heads", [1, 3, 12])
@pytest.mark.parametrize("kind", ["plain", "causal", "padded", "cross"])
@pytest.mark.parametrize("keep", [False, True])
def test_multi_head_attention_equals_pytorchs(bias, n_heads, kind, keep):
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(24, n_heads, bias=bias, batch_first=True).eval()
    ours = MultiHeadAttention(24, n_heads, bias=bias)
    as_pytorchs(ours, theirs)
    ours.keep_weights = keep
    x = 3 * torch.randn(2, 7, 24)
    memory = 3 * torch.randn(2, 5, 24) if "cross" in kind else x
    real = padding_mask([5, 3], 5) if "cross" in kind else padding_mask([7, 4], 7) if kind == "padded" else None
    expected, weights = theirs(
        x,
        memory,
        memory,
        key_padding_mask=None if real is None else ~real,
        attn_mask=~causal_mask(7) if kind == "causal" else None,
        average_attn_weights=False,
    )
    out = ours(
        x,
        memory if "cross" in kind else None,
        mask=None if real is None else real[:, None, None, :],
        causal=kind == "causal",
    )
    torch.testing.assert_close(out, expected, **close)
    if keep:
        torch.testing.assert_close(ours.weights, weights, **close)


@pytest.mark.parametrize("n_kv_heads", [1, 2, 3, 6])
def test_grouped_and_multi_query_attention_equal_multi_head_with_repeated_keys(n_kv_heads):
    torch.manual_seed(0)
    grouped, full = MultiHeadAttention(24, 6, n_kv_heads), MultiHeadAttention(24, 6)
    with torch.no_grad():
        full.q_proj.weight.copy_(grouped.q_proj.weight)
        full.o_proj.weight.copy_(grouped.o_proj.weight)
        for name in ("k_proj", "v_proj"):
            heads = getattr(grouped, name).weight.view(n_kv_heads, 4, 24)
            getattr(full, name).weight.copy_(heads.repeat_interleave(6 // n_kv_heads, dim=0).reshape(24, 24))
    x = 3 * torch.randn(2, 9, 24)
    expected = full(x, causal=True)
    torch.testing.assert_close(grouped(x, causal=True), expected, **close)
    with keeping_weights(grouped):
        torch.testing.assert_close(grouped(x, causal=True), expected, **close)
    assert grouped.k_proj.weight.numel() * 6 == full.k_proj.weight.numel() * n_kv_heads


def test_grouped_attention_equals_pytorchs():
    q, k, v = qkv(H=6, kv_heads=2)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    torch.testing.assert_close(fused_attention(q, k, v, causal=True), expected, **close)
    formula = scaled_dot_product_attention(q, repeat_kv(k, 3), repeat_kv(v, 3), causal_mask(5))
    torch.testing.assert_close(formula, expected, **close)


def test_keys_and_values_may_be_made_once_for_many_queries():
    torch.manual_seed(0)
    attention = MultiHeadAttention(12, 3)
    x, memory = torch.randn(2, 4, 12), torch.randn(2, 6, 12)
    torch.testing.assert_close(attention(x, attention.keys_values(memory)), attention(x, memory))


def test_weights_are_kept_only_inside_the_with():
    torch.manual_seed(0)
    model = nn.Sequential(MultiHeadAttention(8, 2), MultiHeadAttention(8, 2))
    x = torch.randn(1, 5, 8)
    with keeping_weights(model) as attentions:
        model(x)
        assert [a.weights.shape for a in attentions] == [(1, 2, 5, 5)] * 2
    model(x)
    assert [a.weights for a in attentions] == [None, None]


@pytest.mark.parametrize(
    "sizes, message",
    [
        ((10, 3), "n_heads=3 does not divide d_model=10"),
        ((12, 4, 3), "n_kv_heads=3 does not divide n_heads=4"),
        ((12, 0), "at least 1"),
        ((12, 4, 8), "n_kv_heads=8 does not divide"),
    ],
)
def test_head_counts_that_do_not_divide_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        MultiHeadAttention(*sizes)


def test_head_dim_may_be_any_number():
    assert MultiHeadAttention(10, 3, head_dim=7)(torch.zeros(1, 2, 10)).shape == (1, 2, 10)
