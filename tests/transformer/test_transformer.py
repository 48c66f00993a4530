"""Decoders: equal to the library on random configurations, cached = uncached, padded = unpadded, no look ahead.

Tolerance 1e-5 relative and absolute, unless said: logits here are of order 1 to 10, in float32.
"""

from __future__ import annotations

import pytest
import torch

from helpers.old.transformer import GPT, GPTConfig
from helpers.transformer import KVCache, Llama, LlamaConfig
from tests.tiny_models import LLAMAS, llama, randomized, rms_share, tokens

close = {"atol": 1e-5, "rtol": 1e-5}
PARTS = {
    "RoPE": {},
    "learned": {"positions": "learned"},
    "sinusoidal": {"positions": "sinusoidal"},
    "ALiBi, grouped": {"positions": "alibi", "n_kv_heads": 2},
    "T5 bias": {"positions": "t5"},
    "no positions": {"positions": "none"},
    "GPT-2": {"positions": "learned", "norm": "layer", "activation": "gelu", "gated": False, "bias": True},
    "post-norm, untied": {"block": "post", "norm": "layer", "tied": False},
    "no residual, no norm": {"block": "no_residual", "norm": "none"},
}


def gpt(**options) -> GPT:
    torch.manual_seed(0)
    config = GPTConfig(**{"vocab_size": 61, "d_model": 32, "n_layers": 3, "n_heads": 4, "max_len": 40} | options)
    return randomized(GPT(config))


def small_llama(**options) -> Llama:
    torch.manual_seed(0)
    sizes = {"vocab_size": 61, "d_model": 32, "n_layers": 3, "n_heads": 4, "n_kv_heads": 2, "d_ff": 48}
    return randomized(Llama(LlamaConfig(**sizes | options)))


DECODERS = {"Llama": small_llama} | {name: lambda o=options: gpt(**o) for name, options in PARTS.items()}
EVERY_DECODER = pytest.mark.parametrize("name", DECODERS)


# Equal to the library ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LLAMAS)
@torch.no_grad()
def test_llama_equals_the_librarys_on_random_weights(name, tmp_path):
    theirs = llama(tmp_path, **LLAMAS[name])
    ours = Llama.from_pretrained(tmp_path)
    ids = tokens(2, 40)
    torch.testing.assert_close(ours(ids), theirs(ids).logits, **close)
    assert sum(p.numel() for p in ours.parameters()) == theirs.num_parameters()


@torch.no_grad()
def test_llama_with_padding_equals_the_librarys(tmp_path):
    theirs, ids = llama(tmp_path, **LLAMAS["grouped-query"]), tokens(3, 12)
    mask = torch.ones_like(ids).bool()
    mask[1, :5] = mask[2, 9:] = False
    expected = theirs(ids, attention_mask=mask.long(), position_ids=(mask.long().cumsum(1) - 1).clamp(min=0)).logits
    torch.testing.assert_close(Llama.from_pretrained(tmp_path)(ids, mask=mask)[mask], expected[mask], **close)


@pytest.mark.parametrize("name", ["grouped-query", "untied, seven layers", "YaRN scaling"])
@torch.no_grad()
def test_bfloat16_is_no_less_exact_than_the_librarys(name, tmp_path):
    """Error as a share of the logits' root mean square; two sums of 8-bit numbers differ by chance, hence 1.25."""
    theirs, ids = llama(tmp_path, **LLAMAS[name]), tokens(2, 40)
    exact = theirs(ids).logits
    low = Llama.from_pretrained(tmp_path, torch.bfloat16)(ids)
    assert 0 < rms_share(low, exact) <= 1.25 * rms_share(theirs.bfloat16()(ids).logits, exact)


@torch.no_grad()
def test_gpt_with_its_default_parts_is_a_llama():
    ours, llama = gpt(n_kv_heads=2, tied=False), small_llama(d_ff=88)
    ours.load_state_dict(llama.state_dict())
    torch.testing.assert_close(ours(tokens(2, 9)), llama(tokens(2, 9)), **close)


@torch.no_grad()
def test_gpt_with_gpt2s_parts_equals_the_librarys_gpt2():
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = {"vocab_size": 61, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 40}
    theirs = randomized(GPT2LMHeadModel(GPT2Config(**sizes)))
    ours = gpt(**PARTS["GPT-2"] | {"activation": "gelu_tanh"})
    names = {"ln_1": "attention_norm", "ln_2": "feed_forward_norm", "attn.c_proj": "attention.o_proj"}
    names |= {"mlp.c_fc": "feed_forward.up_proj", "mlp.c_proj": "feed_forward.down_proj"}
    state = {
        "embedding": theirs.transformer.wte,
        "position_embedding": theirs.transformer.wpe,
        "norm": theirs.transformer.ln_f,
    }
    for i, block in enumerate(theirs.transformer.h):
        state |= {f"blocks.{i}.{ours_name}": block.get_submodule(name) for name, ours_name in names.items()}
        for which, (weight, bias) in enumerate(
            zip(block.attn.c_attn.weight.chunk(3, 1), block.attn.c_attn.bias.chunk(3), strict=True)
        ):
            linear = ours.blocks[i].attention.get_submodule(f"{'qkv'[which]}_proj")
            linear.weight.copy_(weight.T)
            linear.bias.copy_(bias)
    for name, module in state.items():
        turned = module.weight.T if "proj" in name else module.weight  # GPT-2 stores its matrices the other way round
        ours.get_submodule(name).weight.copy_(turned)
        if getattr(module, "bias", None) is not None:
            ours.get_submodule(name).bias.copy_(module.bias)
    torch.testing.assert_close(ours(tokens(2, 30)), theirs(tokens(2, 30)).logits, **close)


# What every decoder keeps --------------------------------------------------------------------------------------------


@EVERY_DECODER
def test_a_future_token_cannot_change_an_earlier_logit(name):
    """The gradient of the logits at t with respect to what is read at u > t is 0, not merely small."""
    model, ids = DECODERS[name](), tokens(1, 8)
    read = []
    hook = model.embedding.register_forward_hook(
        lambda module, inputs, out: read.append(out.retain_grad()) or read.append(out)
    )
    for t in range(8):
        read.clear()
        model.zero_grad()
        model(ids)[0, t].square().sum().backward()
        gradient = read[1].grad[0].abs().sum(-1)  # (T,)
        assert (gradient[t + 1 :] == 0).all()
        assert (gradient[: t + 1] > 0).all()
    hook.remove()


@EVERY_DECODER
@pytest.mark.parametrize("pieces", [[1] * 11, [5, 1, 1, 4], [10, 1], [2, 9]])
@torch.no_grad()
def test_reading_in_pieces_with_a_cache_gives_the_same_logits(name, pieces):
    model, ids = DECODERS[name](), tokens(2, 11)
    cache = KVCache(model.config, batch=2, max_len=11)
    logits = torch.cat([model(piece, cache) for piece in ids.split(pieces, dim=1)], dim=1)
    assert cache.length == 11
    torch.testing.assert_close(logits, model(ids), **close)


@EVERY_DECODER
@pytest.mark.parametrize("left", [True, False])
@torch.no_grad()
def test_padding_changes_nothing(name, left):
    model, rows = DECODERS[name](), [tokens(1, n, seed=n)[0] for n in (9, 4, 7)]
    ids, mask = torch.zeros(3, 9, dtype=torch.long), torch.zeros(3, 9, dtype=torch.bool)
    for i, row in enumerate(rows):
        place = slice(9 - len(row), 9) if left else slice(0, len(row))
        ids[i, place], mask[i, place] = row, True
    logits = model(ids, mask=mask)
    assert logits.isfinite().all()
    for i, row in enumerate(rows):
        torch.testing.assert_close(logits[i][mask[i]], model(row[None])[0], **close)


@EVERY_DECODER
def test_a_text_of_padding_alone_gives_no_nan_and_spoils_no_other(name):
    model, ids, mask = DECODERS[name](), tokens(2, 6), torch.ones(2, 6, dtype=torch.bool)
    mask[1] = False
    logits = model(ids, mask=mask)
    torch.testing.assert_close(logits[:1], model(ids[:1]), **close)
    logits.square().sum().backward()
    assert logits.isfinite().all()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@EVERY_DECODER
@torch.no_grad()
def test_a_left_padded_batch_goes_on_with_its_cache_as_if_each_text_were_alone(name):
    model, rows = DECODERS[name](), [tokens(1, 6, seed=1), tokens(1, 3, seed=2)]
    more = tokens(2, 2, seed=3)
    ids, mask = torch.zeros(2, 6, dtype=torch.long), torch.ones(2, 6, dtype=torch.bool)
    ids[0], ids[1, 3:], mask[1, :3] = rows[0][0], rows[1][0], False
    cache = KVCache(model.config, batch=2, max_len=8)
    model(ids, cache, mask)
    logits = torch.cat([model(more[:, i : i + 1], cache) for i in range(2)], dim=1)  # the cache remembers the padding
    for i, row in enumerate(rows):
        alone = model(torch.cat((row, more[i : i + 1]), dim=1))
        torch.testing.assert_close(logits[i], alone[0, -2:], **close)


@EVERY_DECODER
@torch.no_grad()
def test_last_only_gives_the_last_positions_logits(name):
    model = DECODERS[name]()
    torch.testing.assert_close(model(tokens(2, 7), last_only=True), model(tokens(2, 7))[:, -1:], **close)


@EVERY_DECODER
@torch.no_grad()
def test_bfloat16_gives_nearly_the_same_logits(name):
    """bfloat16 keeps 8 bits: each rounding is off by some 0.1 %, and a few hundred of them add up to a few percent."""
    model, ids = DECODERS[name](), tokens(2, 12)
    exact = model(ids)
    model = model.bfloat16()
    low, cache = model(ids), model.new_cache(2, 12)
    assert low.dtype == torch.bfloat16 and cache.keys.dtype == torch.bfloat16
    assert 0 < rms_share(low, exact) <= 0.05
    cached = torch.cat([model(ids[:, i : i + 1], cache) for i in range(12)], dim=1)
    assert 0 < rms_share(cached, exact) <= 0.05


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@EVERY_DECODER
@torch.no_grad()
def test_a_gpu_gives_the_same_logits(name):
    model, ids = DECODERS[name](), tokens(2, 12)
    expected = model(ids)
    model, ids = model.cuda(), ids.cuda()
    cache = KVCache(model.config, 2, 12)
    cached = torch.cat([model(piece, cache) for piece in ids.split(5, dim=1)], dim=1)
    torch.testing.assert_close(
        model(ids).cpu(), expected, atol=1e-4, rtol=1e-4
    )  # another device, another order of sums
    torch.testing.assert_close(cached.cpu(), expected, atol=1e-4, rtol=1e-4)


# GPT's own -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("positions", ["rope", "learned", "sinusoidal", "alibi", "t5"])
@torch.no_grad()
def test_every_scheme_tells_orders_apart_and_none_does_not(positions):
    """Without positions the last token sees a bag of words: shuffling what came before changes nothing."""
    ids = tokens(1, 8)
    shuffled = ids[:, [3, 0, 6, 1, 5, 2, 4, 7]]
    model = gpt(positions=positions, n_layers=1)
    assert (model(ids)[0, -1] - model(shuffled)[0, -1]).abs().max() > 1e-3
    blind = gpt(positions="none", n_layers=1)
    torch.testing.assert_close(blind(ids)[0, -1], blind(shuffled)[0, -1], **close)


def test_schemes_without_a_table_read_beyond_max_len_and_learned_positions_refuse():
    for positions in ("rope", "sinusoidal", "alibi", "t5", "none"):
        assert gpt(positions=positions)(tokens(1, 60)).shape == (1, 60, 61)
    with pytest.raises(ValueError, match="end at max_len=40, and this text has 60"):
        gpt(positions="learned")(tokens(1, 60))


def test_without_causal_every_position_sees_every_other_and_there_is_no_cache():
    model = gpt(causal=False)
    changed = tokens(1, 6)
    changed[0, 5] = (changed[0, 5] + 1) % 61
    assert (model(tokens(1, 6))[0, 0] - model(changed)[0, 0]).abs().max() > 1e-3
    with pytest.raises(ValueError, match="causal=False.*no cache"):
        model(changed, model.new_cache(1, 6))


def test_a_fresh_gpt_guesses_evenly_and_learns():
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=61, d_model=32, n_layers=2, n_heads=4))
    ids = tokens(4, 17)

    def loss():
        return torch.nn.functional.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())

    first = loss().item()
    assert first == pytest.approx(torch.log(torch.tensor(61.0)).item(), rel=0.05)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(20):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert loss() < 0.7 * first


def test_post_norm_stacks_end_with_their_own_norm_and_pre_norm_stacks_get_one_more():
    assert not list(gpt(block="post").norm.parameters())
    assert len(list(gpt(block="pre").norm.parameters())) == 1


def test_what_writes_to_the_residual_stream_starts_smaller_in_deep_stacks():
    """Standard deviations of 16,384 numbers are known to 0.6 %; 3 % is five times that."""
    torch.manual_seed(0)
    block = GPT(GPTConfig(vocab_size=61, n_layers=8)).blocks[0]
    assert block.attention.q_proj.weight.std().item() == pytest.approx(0.02, rel=0.03)
    assert block.feed_forward.up_proj.weight.std().item() == pytest.approx(0.02, rel=0.03)
    assert block.attention.o_proj.weight.std().item() == pytest.approx(0.02 / 4, rel=0.03)
    assert block.feed_forward.down_proj.weight.std().item() == pytest.approx(0.02 / 4, rel=0.03)


def test_gated_and_plain_feed_forward_networks_cost_about_the_same():
    sizes = [sum(p.numel() for p in gpt(gated=gated).parameters()) for gated in (False, True)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.02)


# Bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: GPTConfig(10, d_model=10, n_heads=3), "n_heads=3 does not divide d_model=10"),
        (lambda: GPTConfig(10, n_heads=4, n_kv_heads=3), "n_kv_heads=3 does not divide n_heads=4"),
        (lambda: LlamaConfig(10, 12, 1, 5, 8), "n_heads=5 does not divide d_model=12"),
        (lambda: GPTConfig(10, positions="absolute"), "positions='absolute' does not exist: choose one of rope"),
        (lambda: GPTConfig(10, norm="batch"), "norm='batch' does not exist"),
        (lambda: GPTConfig(10, block="parallel"), "block='parallel' does not exist"),
        (lambda: small_llama()(torch.tensor([[61]])), "no token 61: ids of this model go from 0 to 60"),
        (lambda: small_llama()(torch.tensor([[-1]])), "no token -1"),
        (lambda: small_llama()(torch.tensor([1, 2])), r"shape \(batch, time\)"),
        (lambda: small_llama()(torch.zeros(1, 0, dtype=torch.long)), "at least one token"),
        (lambda: small_llama()(tokens(1, 3), mask=torch.ones(1, 4).bool()), r"mask has the shape \(1, 4\)"),
    ],
)
def test_impossible_sizes_and_ids_are_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("ids", [[[1, 2]], torch.tensor([[1.0, 2.0]])])
def test_ids_of_another_type_are_refused(ids):
    with pytest.raises(TypeError, match="tensor of whole numbers"):
        small_llama()(ids)
