"""Who sees whom, and the way back to the library's T5."""

from __future__ import annotations

import pytest
import torch

from helpers.attention import scaled_dot_product_attention
from helpers.old.transformer import GPT, EncoderDecoder, EncoderDecoderConfig, GPTConfig, influence, library_t5
from helpers.old.trials import number_words as nw


def test_a_decoder_is_a_triangle_and_an_encoder_a_full_square():
    torch.manual_seed(0)
    ids = torch.arange(5)[None]
    encoder = influence(GPT(GPTConfig(16, causal=False)).eval(), ids, other_id=15)
    decoder = influence(GPT(GPTConfig(16)).eval(), ids, other_id=15)
    assert torch.equal(encoder, torch.ones(5, 5))
    assert torch.equal(decoder, torch.ones(5, 5).tril())


def test_the_library_gives_the_same_logits_with_the_weights_of_an_uneven_model():
    torch.manual_seed(1)
    config = EncoderDecoderConfig(
        30, d_model=24, n_layers=3, n_encoder_layers=1, n_heads=2, head_dim=16, d_ff=40, n_buckets=8, max_distance=12
    )
    model = EncoderDecoder(config).eval()
    source, target = torch.randint(2, 30, (3, 9)), torch.randint(2, 30, (3, 6))
    mask = torch.arange(9) < torch.tensor([9, 4, 6])[:, None]
    with torch.no_grad():
        theirs = library_t5(model, 0, 1)(source, mask.long(), decoder_input_ids=target).logits
        assert torch.allclose(model(source, target, mask), theirs, atol=1e-4)  # sums of float32 in another order


def test_another_architecture_has_no_way_back():
    with pytest.raises(ValueError, match="the first T5"):
        library_t5(EncoderDecoder(EncoderDecoderConfig(8, d_model=8, n_heads=2, gated=True)), 0, 1)


def test_a_look_inside_gives_what_makes_the_weights():
    model = nw.tiny_translator(3).eval()
    inside = nw.look_inside(model, 3542)
    assert inside.weights.shape == (4, 5, 7) and len(inside.heads) == 4
    for (w_q, w_k, _), kept in zip(inside.heads, inside.weights, strict=True):
        eye = torch.eye(7)[None]
        made = scaled_dot_product_attention(inside.x @ w_q, inside.memory @ w_k, eye, scale=1.0)[0]  # T5 has no 1/√d
        assert torch.allclose(made, kept, atol=1e-5)
    assert not model.decoder_blocks[-1].cross_norm._forward_hooks  # nothing is left behind
