"""The step over pages gives the logits of the model with a cache of its own, wherever the pages lie.

Tolerance 1e-4, as for `FastLlama` itself: the same sums in float32 in another order.
"""

from __future__ import annotations

import random

import pytest
import torch

from helpers.adapters import AdapterUnavailable, weights_checksum
from helpers.lora import add_lora_
from helpers.old.lora import save_adapter
from helpers.old.serving.corrections import base_weights
from helpers.old.serving.paged import PagedLlama, Row, groups
from helpers.old.serving.pages import pages_for
from helpers.old.speed import FastLlama
from helpers.quantization import quantize_
from tests.serving.tiny import adapted, adapter, prompt, tiny
from tests.tiny_models import LLAMAS, llama
from tests.transformer.test_transformer import small_llama

close = {"atol": 1e-4, "rtol": 1e-4}


def read_in_pieces(paged: PagedLlama, texts: list[tuple[int, ...]], adapters: list[str | None], seed: int):
    """Read texts side by side, a random piece of each per step, on shuffled pages → logits by (text, position)."""
    rng = random.Random(seed)
    pages = list(range(paged.n_pages))
    rng.shuffle(pages)
    tables = [[pages.pop() for _ in range(pages_for(len(text), paged.page_size))] for text in texts]
    read, found = [0] * len(texts), {}
    while any(read[i] < len(text) for i, text in enumerate(texts)):
        rows, places = [], []
        for i, text in enumerate(texts):
            n = min(rng.choice((0, 1, 1, 1, 1, 1, 5)), len(text) - read[i])
            if n:
                table = tables[i][: pages_for(read[i] + n, paged.page_size)]
                rows.append(Row(text[read[i] : read[i] + n], read[i], table, adapters[i], wanted=rng.random() < 0.8))
                read[i] += n
                if rows[-1].wanted:
                    places.append((i, read[i] - 1))
        if rows:
            found |= dict(zip(places, paged(rows), strict=True))
    return found


@pytest.mark.parametrize("name", LLAMAS)
@torch.no_grad()
def test_it_equals_llama_in_any_batch_on_any_pages(name, tmp_path):
    llama(tmp_path, **LLAMAS[name])
    model = FastLlama.from_pretrained(tmp_path)
    texts = [prompt(n) for n in (23, 2, 11, 17, 1)]
    found = read_in_pieces(PagedLlama(model, 40, 4), texts, [None] * 5, seed=0)
    assert len(found) > 10
    for (i, position), logits in found.items():
        torch.testing.assert_close(logits, model(torch.tensor([texts[i]]))[0, position], **close)


@torch.no_grad()
def test_each_row_is_corrected_by_its_own_adapter(tmp_path):
    """Different ranks and layers, three rows of each, one of which has none."""
    folders = {
        "one": adapter(tmp_path, 1),
        "two": adapter(tmp_path, 2, rank=3, targets=("k_proj", "o_proj", "gate_proj", "down_proj")),
        "all": adapter(
            tmp_path, 3, targets=("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
        ),
    }
    alone = {None: tiny()} | {name: adapted(folder) for name, folder in folders.items()}
    names = [None, "one", "two", "all"] * 2
    texts = [prompt(9 + i) for i in range(8)]
    found = read_in_pieces(PagedLlama(FastLlama(tiny()), 60, 4, folders), texts, names, seed=1)
    for (i, position), logits in found.items():
        torch.testing.assert_close(logits, alone[names[i]](torch.tensor([texts[i]]))[0, position], **close)
    last = [alone[name](torch.tensor([texts[0]]))[0, -1] for name in alone]
    assert min((a - b).abs().max() for i, a in enumerate(last) for b in last[:i]) > 0.1, "the adapters do differ"


@torch.no_grad()
def test_numbers_that_are_none_stay_in_the_pages_that_hold_them():
    paged = PagedLlama(FastLlama(tiny()), 8, 4)
    paged.store[:, :, 7] = float("nan")
    long, short = prompt(10), prompt(2)
    expected = [FastLlama(tiny())(torch.tensor([text]))[0, -1] for text in (long, short)]
    paged([Row(long[:9], 0, [0, 1, 2]), Row(short[:1], 0, [3])])
    found = paged([Row(long[9:], 9, [0, 1, 2]), Row(short[1:], 1, [3])])
    torch.testing.assert_close(found, torch.stack(expected), **close)
    paged.clear([7])
    assert not paged.store.isnan().any()


def test_rows_of_very_different_lengths_attend_apart():
    rows = [Row([1], end - 1, list(range(20))) for end in (80, 60, 40, 39, 20, 19, 4)]
    assert [[row.end for row in group] for group in groups(rows, 4)] == [[80, 60, 40, 39], [20, 19], [4]]


def test_an_adapter_of_another_base_is_refused(tmp_path):
    save_adapter(add_lora_(small_llama(d_ff=64), 2, 4, targets=("up_proj",)), tmp_path / "other")
    with pytest.raises(AdapterUnavailable, match="in this model it maps"):
        PagedLlama(FastLlama(tiny()), 8, 4, {"other": tmp_path / "other"})
    other = tiny()
    with torch.no_grad():
        other.blocks[1].attention.k_proj.weight[0, 0] += 1.0
    save_adapter(add_lora_(other, 2, 4, targets=("up_proj",)), tmp_path / "weights")
    with pytest.raises(AdapterUnavailable, match="whose weights differ"):
        PagedLlama(FastLlama(tiny()), 8, 4, {"other": tmp_path / "weights"})


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("options", [{}, {"attention_bias": True, "feed_forward_bias": True}, {"tied": True}])
def test_the_base_is_recognized_by_its_weights(dtype, options):
    model = small_llama(**options).to(dtype)
    expected = weights_checksum(model.parameters())
    fast = FastLlama(model)
    assert weights_checksum(base_weights(fast)) == expected is not None
    assert weights_checksum(base_weights(quantize_(fast, 8))) is None
