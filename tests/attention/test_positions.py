"""Positions against their papers' formulas and against the library's own code.

Tolerance 1e-6 for angles and slopes, which both sides compute in float32 from the same powers.
"""

from __future__ import annotations

import math

import pytest
import torch

from helpers.attention import RopeScaling, apply_rope, distances, rope_cos_sin, rope_frequencies
from helpers.old.attention import T5RelativeBias, alibi_bias, alibi_slopes, sinusoidal, t5_buckets

close = {"atol": 1e-6, "rtol": 1e-6}


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def rotated(x, positions, base=10_000.0, **options):
    return apply_rope(x, *rope_cos_sin(positions, rope_frequencies(x.shape[-1], base)), **options)


def test_sinusoidal_positions_follow_the_paper():
    table = sinusoidal(50, 12)
    for t in (0, 1, 49):
        for i in range(6):
            angle = t / 10_000 ** (2 * i / 12)
            assert table[t, 2 * i] == pytest.approx(math.sin(angle), abs=1e-5)
            assert table[t, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-5)


def test_the_two_rope_conventions_differ_by_a_shuffle_of_coordinates():
    x, positions = randn(2, 3, 5, 8), torch.arange(5)
    shuffle = torch.tensor([0, 2, 4, 6, 1, 3, 5, 7])  # pairs (0, 1), (2, 3) … → halves
    assert torch.equal(rotated(x, positions, interleaved=True)[..., shuffle], rotated(x[..., shuffle], positions))
    assert not torch.allclose(rotated(x, positions, interleaved=True), rotated(x, positions))


def test_interleaved_rope_multiplies_complex_numbers_by_a_phase():
    """As Meta's code writes it: each pair is a complex number times e^(i · position · frequency)."""
    x, positions = randn(1, 2, 6, 10), torch.arange(6)
    phases = torch.polar(torch.ones(6, 5), positions[:, None] * rope_frequencies(10))
    expected = torch.view_as_real(torch.view_as_complex(x.view(1, 2, 6, 5, 2)) * phases).flatten(-2)
    torch.testing.assert_close(rotated(x, positions, interleaved=True), expected, **close)


@pytest.mark.parametrize("positions", [torch.arange(7), torch.tensor([[0, 1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 2, 3, 4]])])
def test_rope_equals_the_librarys(positions):
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

    q, k = randn(2, 4, 7, 6), randn(2, 2, 7, 6, seed=1)
    config = LlamaConfig(
        hidden_size=24, num_attention_heads=4, head_dim=6, rope_parameters={"rope_theta": 500.0, "rope_type": "default"}
    )
    cos, sin = LlamaRotaryEmbedding(config)(q, positions if positions.dim() == 2 else positions[None])
    for ours, theirs in zip((q, k), apply_rotary_pos_emb(q, k, cos, sin), strict=True):
        torch.testing.assert_close(rotated(ours, positions, 500.0), theirs, **close)


@pytest.mark.parametrize("interleaved", [False, True])
def test_rotary_scores_depend_on_the_distance_alone_and_keep_lengths(interleaved):
    q, k = randn(1, 1, 1, 16), randn(1, 1, 1, 16, seed=1)

    def score(at_q, at_k):
        turned = (rotated(x, torch.tensor([at]), interleaved=interleaved) for x, at in ((q, at_q), (k, at_k)))
        return float((next(turned) * next(turned)).sum())

    assert score(3, 1) == pytest.approx(score(103, 101), abs=1e-4)  # cosines of larger angles are less exact
    assert abs(score(3, 1) - score(1, 3)) > 0.1
    torch.testing.assert_close(rotated(q, torch.tensor([9])).norm(), q.norm(), **close)


SCALED = {
    "linear": (RopeScaling("linear", 3.0), {"rope_type": "linear", "factor": 3.0}),
    "llama3": (
        RopeScaling("llama3", 8.0, trained_len=128),
        {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
        | {"original_max_position_embeddings": 128},
    ),
    "llama3, other turns": (
        RopeScaling("llama3", 4.0, trained_len=512, fast=9.0, slow=2.0),
        {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 2.0, "high_freq_factor": 9.0}
        | {"original_max_position_embeddings": 512},
    ),
    "yarn": (
        RopeScaling("yarn", 4.0, trained_len=256),
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 256},
    ),
    "yarn, other turns": (
        RopeScaling("yarn", 16.0, trained_len=64, fast=8.0, slow=2.0, magnitude=1.5),
        {
            "rope_type": "yarn",
            "factor": 16.0,
            "original_max_position_embeddings": 64,
            "beta_fast": 8.0,
            "beta_slow": 2.0,
        }
        | {"attention_factor": 1.5},
    ),
}


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize("head_dim", [8, 64])
def test_scaled_frequencies_equal_the_librarys(name, head_dim):
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    scaling, parameters = SCALED[name]
    sizes = {"hidden_size": 64, "num_attention_heads": 1, "head_dim": head_dim, "max_position_embeddings": 1024}
    config = LlamaConfig(**sizes, rope_parameters={"rope_theta": 10_000.0} | parameters)
    expected, factor = ROPE_INIT_FUNCTIONS[parameters["rope_type"]](config, "cpu")
    torch.testing.assert_close(rope_frequencies(head_dim, 10_000.0, scaling), expected, **close)
    assert scaling.cos_sin_factor == pytest.approx(factor)
    assert not torch.allclose(expected, rope_frequencies(head_dim))


def test_ntk_scaling_equals_the_librarys_dynamic_one_at_that_length():
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    sizes = {"hidden_size": 64, "num_attention_heads": 1, "max_position_embeddings": 100}
    config = LlamaConfig(**sizes, rope_parameters={"rope_theta": 10_000.0, "rope_type": "dynamic", "factor": 1.0})
    expected, _ = ROPE_INIT_FUNCTIONS["dynamic"](config, "cpu", seq_len=400)
    torch.testing.assert_close(rope_frequencies(64, scaling=RopeScaling("ntk", 4.0)), expected, **close)


def test_ntk_scaling_keeps_the_fastest_wave_and_slows_the_slowest_by_the_factor():
    plain, scaled = rope_frequencies(64), rope_frequencies(64, scaling=RopeScaling("ntk", 4.0))
    assert scaled[0] == plain[0]
    assert float(plain[-1] / scaled[-1]) == pytest.approx(4.0, rel=1e-5)


def test_rope_angles_stay_exact_for_bfloat16_queries():
    """At position 1,001 a bfloat16 angle would be off by whole radians."""
    x = randn(1, 1, 1, 8)
    exact, low = rotated(x, torch.tensor([1001])), rotated(x.bfloat16(), torch.tensor([1001]))
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), exact, atol=0.03, rtol=0.02)  # bfloat16's own 0.4 %, a few times over


@pytest.mark.parametrize("n_heads", [1, 2, 3, 8, 12, 20, 32])
def test_alibi_equals_blooms_up_to_a_constant_a_row(n_heads):
    from transformers.models.bloom.modeling_bloom import build_alibi_tensor

    theirs = build_alibi_tensor(torch.ones(1, 6), n_heads, torch.float32).view(n_heads, 1, 6)
    ours = alibi_bias(n_heads, 6)
    seen = torch.ones(6, 6).tril().bool()
    shift = (ours - theirs)[:, :, :1]  # softmax forgets what a row has in common
    torch.testing.assert_close(((ours - theirs - shift) * seen), torch.zeros(n_heads, 6, 6), atol=1e-5, rtol=0)


def test_alibi_slopes_are_the_papers():
    assert alibi_slopes(8).tolist() == [2.0**-i for i in range(1, 9)]
    assert alibi_bias(8, 3)[0].tolist() == [[0, -0.5, -1], [-0.5, 0, -0.5], [-1, -0.5, 0]]


def test_positions_of_new_tokens_count_on_from_those_in_the_cache():
    assert torch.equal(distances(2, 5), distances(5)[-2:])
    assert torch.equal(alibi_bias(4, 2, 5), alibi_bias(4, 5)[:, -2:])
    bias = T5RelativeBias(4, bidirectional=False)
    assert torch.equal(bias(2, 5), bias(5)[:, :, -2:])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("n_buckets, max_distance", [(32, 128), (8, 9), (16, 64)])
def test_t5_buckets_equal_the_librarys(bidirectional, n_buckets, max_distance):
    from transformers.models.t5.modeling_t5 import T5Attention

    apart = distances(300)
    expected = T5Attention._relative_position_bucket(apart, bidirectional, n_buckets, max_distance)
    assert torch.equal(t5_buckets(apart, bidirectional, n_buckets, max_distance), expected)


def test_t5_bias_shares_one_number_among_far_distances():
    torch.manual_seed(0)
    bias = T5RelativeBias(2, bidirectional=False, n_buckets=8, max_distance=16)(40)
    assert bias.shape == (1, 2, 40, 40)
    assert bias[0, 0, 39, 0] == bias[0, 0, 39, 20] != bias[0, 0, 39, 39]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: sinusoidal(4, 7), "even, not 7"),
        (lambda: rope_frequencies(5), "even, not 5"),
        (lambda: RopeScaling("dynamic", 2.0), "no RoPE scaling 'dynamic'.*linear, ntk, llama3, yarn"),
        (lambda: RopeScaling("linear", 0.5), "at least 1"),
        (lambda: RopeScaling("yarn", 2.0), "needs trained_len"),
        (lambda: alibi_slopes(0), "at least one head"),
        (lambda: alibi_bias(2, 5, 4), "5 queries cannot be the last of 4"),
    ],
)
def test_impossible_positions_are_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
