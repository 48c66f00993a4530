"""The encoder-decoder: equal to the library's T5 on random weights to 1e-4 of the logits' size, cached = uncached.

1e-4 since some of these logits, unscaled in v1.1, reach 30 in float32.
"""

from __future__ import annotations

import pytest
import torch

from helpers.old.transformer import EncoderDecoder, EncoderDecoderConfig
from tests.tiny_models import T5S, randomized, rms_share, t5, tokens

close = {"atol": 1e-4, "rtol": 1e-4}


def model(**options) -> EncoderDecoder:
    torch.manual_seed(0)
    sizes = {"vocab_size": 61, "d_model": 32, "n_layers": 2, "n_heads": 4, "d_ff": 48}
    return randomized(EncoderDecoder(EncoderDecoderConfig(**sizes | options)))


def padded_source():
    mask = torch.arange(40) < torch.tensor([40, 23, 1])[:, None]
    return tokens(3, 40), mask


@pytest.mark.parametrize("name", T5S)
@torch.no_grad()
def test_encoder_decoder_equals_the_librarys_on_random_weights(name, tmp_path):
    theirs = t5(tmp_path, **T5S[name])
    ours = EncoderDecoder.from_pretrained(tmp_path)
    (source, mask), target = padded_source(), tokens(3, 30, seed=1)
    expected = theirs(input_ids=source, attention_mask=mask.long(), decoder_input_ids=target)
    torch.testing.assert_close(ours.encode(source, mask)[mask], expected.encoder_last_hidden_state[mask], **close)
    torch.testing.assert_close(ours(source, target, mask), expected.logits, **close)
    assert sum(p.numel() for p in ours.parameters()) == theirs.num_parameters()


@torch.no_grad()
def test_a_head_of_its_own_in_the_file_is_used(tmp_path):
    """T5 v1.1 as its authors published it: tie_word_embeddings is false and the head differs from the embedding."""
    theirs = t5(tmp_path, **T5S["v1.1, gated"])
    theirs.lm_head.weight = torch.nn.Parameter(torch.randn(61, 32, generator=torch.Generator().manual_seed(1)))
    theirs.save_pretrained(tmp_path)
    ours, (source, mask), target = EncoderDecoder.from_pretrained(tmp_path), padded_source(), tokens(3, 5, seed=1)
    expected = theirs(input_ids=source, attention_mask=mask.long(), decoder_input_ids=target).logits
    torch.testing.assert_close(ours(source, target, mask), expected, **close)


@pytest.mark.parametrize("options", [{}, {"gated": True, "activation": "gelu_tanh", "scaled_logits": False}])
@pytest.mark.parametrize("pieces", [[1] * 9, [4, 1, 4]])
@torch.no_grad()
def test_decoding_in_pieces_with_a_cache_gives_the_same_logits(options, pieces):
    ours, (source, mask), target = model(**options), padded_source(), tokens(3, 9, seed=1)
    memory, cache = ours.encode(source, mask), ours.new_cache(3, 9)
    logits = [ours.decode(piece, memory, mask, cache) for piece in target.split(pieces, dim=1)]
    torch.testing.assert_close(torch.cat(logits, dim=1), ours(source, target, mask), **close)


@torch.no_grad()
def test_greedy_decoding_with_a_cache_writes_what_the_library_writes(tmp_path):
    theirs = t5(tmp_path, **T5S["first T5"], eos_token_id=None)
    ours, source = EncoderDecoder.from_pretrained(tmp_path), tokens(2, 9)
    expected = theirs.generate(source, max_new_tokens=12, do_sample=False)
    memory, cache, written = ours.encode(source), ours.new_cache(2, 12), torch.zeros(2, 1, dtype=torch.long)
    for _ in range(12):
        token = ours.decode(written[:, -1:], memory, cache=cache)[:, -1].argmax(-1, keepdim=True)
        written = torch.cat((written, token), dim=1)
    assert torch.equal(written, expected)


def test_the_decoder_sees_all_of_the_source_and_none_of_the_future():
    ours, reads = model(), []
    ours.embedding.register_forward_hook(lambda module, inputs, out: reads.append(out) or out.retain_grad())
    ours(tokens(1, 6), tokens(1, 5, seed=1))[0, 2].square().sum().backward()
    source, target = (read.grad[0].abs().sum(-1) for read in reads)
    assert (source > 0).all() and (target[:3] > 0).all() and (target[3:] == 0).all()


@torch.no_grad()
def test_padding_of_the_source_changes_nothing():
    ours, (source, mask), target = model(), padded_source(), tokens(3, 4, seed=1)
    alone = ours(source[1:2, :23], target[1:2])
    torch.testing.assert_close(ours(source, target, mask)[1:2], alone, atol=1e-5, rtol=1e-5)


def test_a_source_of_padding_alone_gives_no_nan():
    ours, source, mask = model(), tokens(2, 6), torch.ones(2, 6, dtype=torch.bool)
    mask[1] = False
    logits = ours(source, tokens(2, 4, seed=1), mask)
    logits.square().sum().backward()
    assert logits.isfinite().all()
    assert all(p.grad.isfinite().all() for p in ours.parameters() if p.grad is not None)


@pytest.mark.parametrize("name", ["first T5", "v1.1, gated"])
@torch.no_grad()
def test_bfloat16_is_no_less_exact_than_the_librarys(name, tmp_path):
    """Error as a share of the logits' root mean square; two sums of 8-bit numbers differ by chance, hence 1.25."""
    theirs, (source, mask), target = t5(tmp_path, **T5S[name]), padded_source(), tokens(3, 20, seed=1)
    inputs = {"input_ids": source, "attention_mask": mask.long(), "decoder_input_ids": target}
    exact = theirs(**inputs).logits
    low = EncoderDecoder.from_pretrained(tmp_path, torch.bfloat16)(source, target, mask)
    assert low.dtype == torch.bfloat16
    assert 0 < rms_share(low, exact) <= 1.25 * rms_share(theirs.bfloat16()(**inputs).logits, exact)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@torch.no_grad()
def test_a_gpu_gives_the_same_logits():
    ours, (source, mask), target = model(), padded_source(), tokens(3, 9, seed=1)
    expected, ours = ours(source, target, mask), ours.cuda()
    source, target, mask = source.cuda(), target.cuda(), mask.cuda()
    torch.testing.assert_close(ours(source, target, mask).cpu(), expected, **close)
    memory, cache = ours.encode(source, mask), ours.new_cache(3, 9)
    cached = torch.cat([ours.decode(piece, memory, mask, cache) for piece in target.split(4, dim=1)], dim=1)
    torch.testing.assert_close(cached.cpu(), expected, **close)


def test_targets_shift_right_behind_the_start():
    labels = torch.tensor([[5, 6, 7, -100]])
    assert model(start_id=3).shift_right(labels).tolist() == [[3, 5, 6, 7]]
    assert model(start_id=3).shift_right(labels.flip(1)).tolist() == [[3, 3, 7, 6]]


def test_it_starts_with_the_librarys_spread():
    """Standard deviations within 10 %: the smallest matrix has 1,024 numbers, so theirs are known to about 2 %."""
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    theirs = T5ForConditionalGeneration(
        T5Config(vocab_size=61, d_model=32, d_kv=16, d_ff=48, num_layers=1, num_heads=4)
    )
    ours = EncoderDecoder(EncoderDecoderConfig(61, 32, 1, 4, head_dim=16, d_ff=48))
    block, other = ours.decoder_blocks[0], theirs.decoder.block[0].layer
    for mine, their in (
        (block.attention.q_proj, other[0].SelfAttention.q),
        (block.attention.o_proj, other[0].SelfAttention.o),
        (block.cross_attention.k_proj, other[1].EncDecAttention.k),
        (block.feed_forward.up_proj, other[2].DenseReluDense.wi),
        (block.feed_forward.down_proj, other[2].DenseReluDense.wo),
        (ours.embedding, theirs.shared),
    ):
        assert mine.weight.std().item() == pytest.approx(their.weight.std().item(), rel=0.1)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: model(n_heads=5), "n_heads=5 does not divide d_model=32"),
        (lambda: model()(tokens(1, 4), torch.tensor([[61]])), "no token 61"),
        (lambda: model()(torch.tensor([[99]]), tokens(1, 4)), "no token 99"),
        (lambda: model()(tokens(1, 4), tokens(1, 4), torch.ones(1, 3).bool()), r"source has the shape \(1, 3\)"),
        (
            lambda: model().decode(tokens(1, 4), model().encode(tokens(1, 4)), cache=model().new_cache(1, 3)),
            "4 more do",
        ),
        (lambda: model()(tokens(2, 4), tokens(3, 4)), "2 sources and 3 targets"),
    ],
)
def test_impossible_input_is_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
