"""FastLlama: equal to Llama for every shape, cache, mask and precision; usable wherever a Llama is.

Tolerance 1e-4 relative and absolute, as for the real weights: the same sums in float32 in another order, which depends
on where PyTorch finds the numbers in memory (2e-5 seen with YaRN, whose scores are the largest).
"""

from __future__ import annotations

import pytest
import torch

from helpers.generation import generate
from helpers.models import fetch
from helpers.old.generation import speculative
from helpers.old.quantization import (
    Int4Linear,
    Int8Linear,
    dequantize,
    fake_quantize_,
    quantize_,
    quantize_groups,
    quantize_rows_absmax,
)
from helpers.old.speed import FastLlama, FastRMSNorm, Product, fast_llama, merged, side_by_side
from helpers.old.speed.fast_llama import FEW_ROWS
from helpers.old.velunda import parallel_texts
from helpers.transformer import KVCache, Llama, RMSNorm
from tests.tiny_models import LLAMAS, llama, rms_share, tokens
from tests.transformer.test_transformer import small_llama

close = {"atol": 1e-4, "rtol": 1e-4}


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", LLAMAS)
@torch.no_grad()
def test_it_equals_llama_on_random_weights(name, tmp_path):
    llama(tmp_path, **LLAMAS[name])
    model, ids = Llama.from_pretrained(tmp_path), tokens(2, 40)
    torch.testing.assert_close(FastLlama(model)(ids), model(ids), **close)


@torch.no_grad()
def test_prompt_then_token_by_token_equals_all_at_once(threads):
    model, ids = small_llama(), tokens(2, 12)
    fast = FastLlama(model)
    cache = fast.new_cache(2, 12)
    parts = [fast(ids[:, :5], cache), *(fast(ids[:, t : t + 1], cache) for t in range(5, 9)), fast(ids[:, 9:], cache)]
    torch.testing.assert_close(torch.cat(parts, dim=1), model(ids), **close)
    cache.truncate(4)
    torch.testing.assert_close(fast(ids[:, 4:6], cache), model(ids)[:, 4:6], **close)
    assert fast(ids[:, 6:], cache, last_only=True).shape == (2, 1, 61)


@pytest.mark.parametrize("bits", [None, 8, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [False, True])
@torch.no_grad()
def test_the_lean_step_is_the_layer(bits, dtype, bias):
    """Exactly: the same operations on the same numbers, with and without modules between them."""
    model = FastLlama(small_llama(attention_bias=bias).to(dtype))
    if bits:
        quantize_(model, bits, group=16)
    ids = tokens(2, 7)
    lean, plain = model.new_cache(2, 7), KVCache(model.config, 2, 7)
    for part in (ids[:, :4], ids[:, 4:5], ids[:, 5:6]):
        found, expected = model(part, lean), model(part, plain)
        torch.testing.assert_close(found, expected, rtol=0, atol=0)
    torch.testing.assert_close(lean.keys, plain.keys, rtol=0, atol=0)


@torch.no_grad()
def test_padding_is_hidden_in_prompts_and_in_the_cache():
    model, ids = small_llama(), tokens(3, 10)
    mask = torch.ones_like(ids).bool()
    mask[0, :4] = mask[2, :1] = False
    fast = FastLlama(model)
    torch.testing.assert_close(fast(ids, mask=mask)[mask], model(ids, mask=mask)[mask], **close)
    caches = model.new_cache(3, 11), fast.new_cache(3, 11)
    found = [m(ids, cache, mask) for m, cache in zip((model, fast), caches, strict=True)]
    torch.testing.assert_close(found[1][mask], found[0][mask], **close)
    following = [m(ids[:, :1], cache) for m, cache in zip((model, fast), caches, strict=True)]
    torch.testing.assert_close(following[1], following[0], **close)


@torch.no_grad()
def test_bfloat16_matrices_err_no_more_than_llamas():
    """The stream in float32 can only help; two sums of 8-bit numbers differ by chance, hence 1.25."""
    exact, ids = small_llama(n_layers=6), tokens(4, 40)
    half = small_llama(n_layers=6).to(torch.bfloat16)
    errors = [rms_share(model(ids), exact(ids)) for model in (FastLlama(half), half)]
    assert 0 < errors[0] < 1.25 * errors[1]
    assert FastLlama(half)(ids).dtype == torch.float32


def test_the_model_it_was_made_from_stays_as_it_was_and_shares_its_large_matrices():
    model, ids = small_llama(tied=True), tokens(1, 8)
    before = model(ids).detach()
    fast = FastLlama(model)
    assert fast.head.weight is model.embedding.weight is fast.embedding.weight
    assert fast.blocks[0].down_proj.weight is model.blocks[0].feed_forward.down_proj.weight
    quantize_(fast, bits=8)
    fast(ids)
    assert torch.equal(model(ids), before) and all(p.requires_grad for p in model.parameters())
    model(ids).sum().backward()


@torch.no_grad()
def test_quantized_it_holds_four_products_a_layer_and_the_head():
    fast = quantize_(FastLlama(small_llama()), bits=4, group=16, skip=["head"])
    quantize_(fast, bits=8)
    kinds = [type(module) for module in fast.modules() if isinstance(module, Int4Linear | Int8Linear)]
    assert kinds.count(Int4Linear) == 4 * 3 and kinds.count(Int8Linear) == 1


@torch.no_grad()
def test_generation_takes_it_as_it_takes_a_llama():
    model = small_llama()
    fast, prompts = FastLlama(model), [[5, 6, 7, 8, 9], [3, 4]]
    assert torch.equal(generate(fast, prompts, 12), generate(model, prompts, 12))
    assert torch.equal(generate(fast, prompts[0], 12, cache=False), generate(model, prompts[0], 12))
    assert torch.equal(speculative(fast, prompts[0], 12).ids, generate(model, prompts[0], 12))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("rows", [1, 5, FEW_ROWS, FEW_ROWS + 1])
@pytest.mark.parametrize("N", [12, 13])
@torch.no_grad()
def test_a_product_in_blocks_is_the_product(N, rows, bias, threads):
    torch.manual_seed(0)
    linear = torch.nn.Linear(32, N, bias=bias)
    product, x = merged(linear), torch.randn(rows, 32)
    torch.testing.assert_close(product(x), linear(x), **close)
    torch.testing.assert_close(product(x.view(1, rows, 1, 32)), linear(x).view(1, rows, 1, N), **close)
    assert isinstance(product, Product) and product.weight is linear.weight


@torch.no_grad()
def test_its_bfloat16_products_of_several_rows_are_widened(monkeypatch):
    asked = []
    monkeypatch.setattr(fast_llama, "wide_linear", lambda x, weight, bias: asked.append(len(x)) or x @ weight.T + bias)
    product = merged(torch.nn.Linear(32, 12))
    product(torch.zeros(5, 32))
    assert asked == []
    product.bfloat16()(torch.zeros(5, 32).bfloat16())
    assert asked == [5]


@torch.no_grad()
def test_the_norm_by_length_is_rms_norm_even_near_zero():
    norm = RMSNorm(16, eps=1e-5)
    norm.weight.copy_(torch.linspace(-1, 2, 16))
    x = torch.randn(4, 3, 16) * torch.logspace(-6, 3, 4)[:, None, None]
    x[0, 0] = 0
    torch.testing.assert_close(FastRMSNorm(norm)(x), norm(x), **close)


def test_rows_that_turn_together_become_neighbors_in_every_head():
    linear = torch.nn.Linear(4, 12, bias=True)
    moved = side_by_side(linear, head_dim=6)
    order = [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]
    assert torch.equal(moved.weight, linear.weight[order]) and torch.equal(moved.bias, linear.bias[order])


def test_bad_ids_and_a_full_cache_are_refused_as_llama_does():
    fast = FastLlama(small_llama())
    with pytest.raises(ValueError, match="There is no token 61"):
        fast(torch.tensor([[61]]))
    cache = fast.new_cache(1, 2)
    with pytest.raises(ValueError, match="3 more do not fit"):
        fast(tokens(1, 3), cache)


# The real weights ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chat():
    from transformers import AutoTokenizer

    return Llama.from_pretrained(fetch("chat")), AutoTokenizer.from_pretrained(fetch("chat"))


ROUND_TRIPS = {
    8: lambda weight: dequantize(*quantize_rows_absmax(weight)),
    4: lambda weight: dequantize(*quantize_groups(weight, 32)),
}


@pytest.mark.parametrize("bits", [8, 4])
@torch.no_grad()
def test_the_quantized_chat_model_errs_as_its_codes_do_and_still_knows_its_capitals(bits, chat):
    """Errors are shares of the logits' root mean square. What the kernels add to the codes' own error is bfloat16's,
    since they round to it; 1.5 for two errors that meet by chance."""
    model, tokenizer = chat
    ids = torch.tensor([tokenizer(" ".join(parallel_texts()["English"][:6]))["input_ids"]])
    exact = model(ids)
    half = FastLlama.from_pretrained(fetch("chat"), torch.bfloat16)
    rounding = rms_share(half(ids), exact)
    codes = rms_share(fake_quantize_(FastLlama(model), ROUND_TRIPS[bits])(ids), exact)
    fast = quantize_(half, bits)
    assert codes / 2 < rms_share(fast(ids), exact) < 1.5 * (codes + rounding)
    for prompt, word in [("The capital of France is", "Paris"), ("The capital of Italy is", "Rome")]:
        ids = torch.tensor(tokenizer(prompt)["input_ids"])
        assert word in tokenizer.decode(generate(fast, ids, 6)[0, len(ids) :]), prompt
