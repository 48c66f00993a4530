"""The key/value cache: its size, its limits, cutting and reordering."""

from __future__ import annotations

import pytest
import torch

from helpers.transformer import GrowingCache, KVCache, append_kv, write_kv
from tests.tiny_models import tokens
from tests.transformer.test_transformer import close, gpt, small_llama


def test_all_memory_is_taken_at_once_and_is_what_arithmetic_says():
    config = small_llama().config
    cache = KVCache(config, batch=3, max_len=50, dtype=torch.bfloat16)
    assert cache.nbytes == 2 * 3 * 3 * 2 * 50 * 8 * 2  # keys and values, layers, texts, heads, positions, width, bytes
    assert cache.nbytes == 2 * 3 * 3 * 2 * 50 * 8 * 2  # keys and values, L, B, H_kv, positions, head_dim, bytes
    before = cache.keys.data_ptr()
    model = small_llama().bfloat16()
    for _ in range(5):
        model(tokens(3, 10), cache)
    assert cache.keys.data_ptr() == before


def test_grouped_queries_save_what_they_promise():
    config, full = small_llama().config, small_llama(n_kv_heads=4).config
    assert 2 * KVCache(config, 1, 10).nbytes == KVCache(full, 1, 10).nbytes


@torch.no_grad()
def test_a_full_cache_is_refused_before_anything_is_written():
    model = small_llama()
    cache = KVCache(model.config, batch=1, max_len=6)
    expected = model(tokens(1, 6))
    model(tokens(1, 6)[:, :4], cache)
    with pytest.raises(ValueError, match="holds 6 positions and 4 of them are used, so 3 more do not fit.*max_len=7"):
        model(tokens(1, 3), cache)
    torch.testing.assert_close(model(tokens(1, 6)[:, 4:], cache), expected[:, 4:], **close)


@torch.no_grad()
def test_the_cache_takes_the_precision_of_the_first_keys():
    model = small_llama().bfloat16()
    cache = KVCache(model.config, batch=1, max_len=6)
    model(tokens(1, 3), cache)
    assert cache.keys.dtype == cache.values.dtype == torch.bfloat16


@torch.no_grad()
def test_a_cut_cache_goes_on_as_if_the_rest_had_never_been_read():
    model, ids, wrong = small_llama(), tokens(1, 8), tokens(1, 3, seed=1)
    cache = model.new_cache(1, 8)
    model(torch.cat((ids[:, :5], wrong), dim=1), cache)
    cache.truncate(5)
    torch.testing.assert_close(model(ids[:, 5:], cache), model(ids)[:, 5:], **close)


@torch.no_grad()
def test_padding_is_forgotten_with_what_is_cut():
    model, ids = small_llama(), tokens(1, 6)
    cache = model.new_cache(1, 8)
    model(ids[:, :3], cache)
    model(ids[:, 3:5], cache, torch.tensor([[True, False]]))
    assert cache.padded
    cache.truncate(3)
    assert not cache.padded
    torch.testing.assert_close(model(ids[:, 3:], cache), model(ids)[:, 3:], **close)


def test_no_gradient_flows_through_the_cache():
    model, ids = small_llama(), tokens(1, 4)
    cache = model.new_cache(1, 4)
    for i in range(4):
        model(ids[:, i : i + 1], cache)
    assert not cache.keys.requires_grad


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: KVCache(small_llama().config, 0, 5), "at least 1 text and 1 position"),
        (lambda: KVCache(small_llama().config, 1, 0), "at least 1 text and 1 position"),
        (lambda: small_llama()(tokens(2, 3), small_llama().new_cache(1, 5)), "made for a batch of 1, not of 2"),
        (lambda: small_llama()(tokens(1, 3), gpt(n_layers=2).new_cache(1, 5)), "2 layers, the model 3"),
        (lambda: small_llama()(tokens(1, 3), gpt().new_cache(1, 5)), "4 heads of 8 numbers, the keys 2 of 8"),
        (lambda: small_llama().new_cache(1, 5).truncate(1), "holds 0 positions and cannot be cut to 1"),
    ],
)
def test_a_cache_that_does_not_fit_is_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


# The growing one -----------------------------------------------------------------------------------------------------


@torch.no_grad()
def test_a_growing_cache_gives_the_same_logits_and_takes_only_what_it_holds():
    model, ids = small_llama(), tokens(2, 9)
    cache, growing = model.new_cache(2, 30), GrowingCache(model.config, 2, 30)
    assert growing.nbytes == 0
    for part in (ids[:, :4], ids[:, 4:5], ids[:, 5:8]):
        torch.testing.assert_close(model(part, growing), model(part, cache), rtol=0, atol=0)
    assert growing.nbytes == 2 * 3 * 2 * 2 * 8 * 8 * 4 < cache.nbytes
    for which in (cache, growing):
        which.truncate(5)
    torch.testing.assert_close(model(ids[:, 8:], growing), model(ids[:, 8:], cache), rtol=0, atol=0)
    assert growing.nbytes == 2 * 3 * 2 * 2 * 6 * 8 * 4
    with pytest.raises(ValueError, match="25 more do not fit"):
        model(tokens(2, 25), growing)


@torch.no_grad()
def test_a_growing_cache_hides_padding_as_the_other_does():
    model, ids = small_llama(), tokens(2, 6)
    mask = torch.ones_like(ids).bool()
    mask[0, :3] = False
    cache, growing = model.new_cache(2, 10), GrowingCache(model.config, 2, 10)
    for part, hidden in ((ids, mask), (ids[:, :1], None)):
        torch.testing.assert_close(model(part, growing, hidden), model(part, cache, hidden), rtol=0, atol=0)


def test_appending_copies_and_writing_does_not():
    past, new = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 2, 5)
    both = append_kv(past, new)
    assert append_kv(None, new) is new and both.data_ptr() != past.data_ptr()
    store = torch.zeros(2, 3, 10, 5)
    store[:, :, :4] = past
    written = write_kv(store, 4, new)
    assert torch.equal(written, both) and written.data_ptr() == store.data_ptr()
