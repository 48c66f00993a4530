"""Norms, feed-forward networks and blocks against PyTorch's modules and their formulas (1e-5: order of additions)."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers.attention import MultiHeadAttention
from helpers.transformer import FeedForward, LayerNorm, NoResidualBlock, PostNormBlock, PreNormBlock, RMSNorm, SwiGLU
from tests.tiny_models import randomized

close = {"atol": 1e-5, "rtol": 1e-5}


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("ours, theirs", [(RMSNorm, nn.RMSNorm), (LayerNorm, nn.LayerNorm)])
@pytest.mark.parametrize("eps", [1e-6, 0.5])
def test_norms_equal_pytorchs(ours, theirs, eps):
    ours, theirs = randomized(ours(24, eps)), randomized(theirs(24, eps=eps))
    x = 5 + 3 * randn(2, 7, 24)
    torch.testing.assert_close(ours(x), theirs(x), **close)


@pytest.mark.parametrize("norm", [RMSNorm, LayerNorm])
def test_norms_average_in_float32_and_answer_in_bfloat16(norm):
    x = 100 + randn(1, 4, 512)
    low = norm(512).bfloat16()(x.bfloat16())
    assert low.dtype == torch.bfloat16
    expected = norm(512)(x.bfloat16().float())
    torch.testing.assert_close(low.float(), expected, atol=0.02, rtol=0.01)  # bfloat16's 0.4 % of values up to 4


@pytest.mark.parametrize("activation, function", [("gelu", F.gelu), ("relu", F.relu), ("silu", F.silu)])
def test_feed_forward_networks_follow_their_formulas(activation, function):
    x = randn(2, 3, 8)
    plain = randomized(FeedForward(8, 20, activation, bias=True))
    expected = F.linear(function(plain.up_proj(x)), plain.down_proj.weight, plain.down_proj.bias)
    torch.testing.assert_close(plain(x), expected, **close)
    gated = randomized(FeedForward(8, 20, activation, gated=True))
    expected = (function(x @ gated.gate_proj.weight.T) * (x @ gated.up_proj.weight.T)) @ gated.down_proj.weight.T
    torch.testing.assert_close(gated(x), expected, **close)


def test_swiglu_equals_llamas():
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaMLP

    theirs = randomized(LlamaMLP(LlamaConfig(hidden_size=8, intermediate_size=20, num_attention_heads=1)))
    ours = SwiGLU(8, 20)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(randn(2, 3, 8)), theirs(randn(2, 3, 8)), **close)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("block, norm_first", [(PreNormBlock, True), (PostNormBlock, False)])
def test_blocks_equal_pytorchs_encoder_layer(block, norm_first, activation):
    sizes = {"dim_feedforward": 20, "dropout": 0.0, "batch_first": True, "activation": activation}
    theirs = randomized(nn.TransformerEncoderLayer(12, 3, norm_first=norm_first, **sizes))
    ours = block(12, MultiHeadAttention(12, 3, bias=True), FeedForward(12, 20, activation, bias=True), LayerNorm)
    state = theirs.state_dict()
    renamed = {
        name: state[theirs_name]
        for name, theirs_name in {
            "attention_norm.weight": "norm1.weight",
            "attention_norm.bias": "norm1.bias",
            "feed_forward_norm.weight": "norm2.weight",
            "feed_forward_norm.bias": "norm2.bias",
            "feed_forward.up_proj.weight": "linear1.weight",
            "feed_forward.up_proj.bias": "linear1.bias",
            "feed_forward.down_proj.weight": "linear2.weight",
            "feed_forward.down_proj.bias": "linear2.bias",
            "attention.o_proj.weight": "self_attn.out_proj.weight",
            "attention.o_proj.bias": "self_attn.out_proj.bias",
        }.items()
    }
    for i, name in enumerate("qkv"):
        for kind in ("weight", "bias"):
            renamed[f"attention.{name}_proj.{kind}"] = state[f"self_attn.in_proj_{kind}"].chunk(3)[i]
    ours.load_state_dict(renamed)
    x = randn(2, 5, 12)
    torch.testing.assert_close(ours(x), theirs(x), **close)


@pytest.mark.parametrize("block, norm_first", [(PreNormBlock, True), (PostNormBlock, False)])
def test_blocks_with_cross_attention_equal_pytorchs_decoder_layer(block, norm_first):
    theirs = randomized(
        nn.TransformerDecoderLayer(12, 3, dim_feedforward=20, dropout=0.0, batch_first=True, norm_first=norm_first)
    )
    attention, cross = MultiHeadAttention(12, 3, bias=True), MultiHeadAttention(12, 3, bias=True)
    ours = block(12, attention, FeedForward(12, 20, "relu", bias=True), LayerNorm, cross_attention=cross)
    state = theirs.state_dict()
    pairs = [("attention_norm", "norm1"), ("cross_norm", "norm2"), ("feed_forward_norm", "norm3")]
    pairs += [("feed_forward.up_proj", "linear1"), ("feed_forward.down_proj", "linear2")]
    pairs += [("attention.o_proj", "self_attn.out_proj"), ("cross_attention.o_proj", "multihead_attn.out_proj")]
    renamed = {f"{a}.{kind}": state[f"{b}.{kind}"] for a, b in pairs for kind in ("weight", "bias")}
    for a, b in (("attention", "self_attn"), ("cross_attention", "multihead_attn")):
        for i, name in enumerate("qkv"):
            for kind in ("weight", "bias"):
                renamed[f"{a}.{name}_proj.{kind}"] = state[f"{b}.in_proj_{kind}"].chunk(3)[i]
    ours.load_state_dict(renamed)
    x, memory = randn(2, 5, 12), randn(2, 7, 12, seed=1)
    real = torch.tensor([[True] * 7, [True] * 3 + [False] * 4])
    expected = theirs(x, memory, tgt_mask=~torch.ones(5, 5).tril().bool(), memory_key_padding_mask=~real)
    torch.testing.assert_close(ours(x, memory, real[:, None, None, :], causal=True), expected, **close)


def test_without_residuals_a_block_forgets_what_it_read():
    def output_if_sublayers_say_nothing(kind):
        block = kind(8, MultiHeadAttention(8, 2), SwiGLU(8, 16), RMSNorm)
        nn.init.zeros_(block.attention.o_proj.weight)
        nn.init.zeros_(block.feed_forward.down_proj.weight)
        return block(randn(1, 3, 8))

    assert torch.equal(output_if_sublayers_say_nothing(PreNormBlock), randn(1, 3, 8))
    assert (output_if_sublayers_say_nothing(NoResidualBlock) == 0).all()


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="no activation 'swish'.*gelu, gelu_tanh, relu, silu"):
        FeedForward(8, 16, "swish")
