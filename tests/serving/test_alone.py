"""A text that is the only one takes the lean step, and no reply shows it. Tolerance as in `test_paged`."""

from __future__ import annotations

import random

import pytest
import torch

from helpers.old.serving.paged import PagedLlama, Row
from helpers.old.speed import FastLlama
from tests.serving.test_paged import close
from tests.serving.tiny import prompt, tiny
from tests.tiny_models import LLAMAS, llama


def whole(model: FastLlama, text: tuple[int, ...]) -> torch.Tensor:
    """The logits behind a text, read at once."""
    return model(torch.tensor([text]))[0, -1]


@pytest.mark.parametrize("name", LLAMAS)
@torch.no_grad()
def test_alone_and_together_in_any_order_are_the_same(name, tmp_path):
    llama(tmp_path, **LLAMAS[name])
    model, rng = FastLlama.from_pretrained(tmp_path), random.Random(3)
    paged, pages = PagedLlama(model, 60, 4), rng.sample(range(60), 24)
    texts, tables = [prompt(30, seed) for seed in range(3)], [pages[:8], pages[8:16], pages[16:]]
    read, current, lean = [0, 0, 0], 0, 0
    while min(read) < 30:
        going = [i for i in range(3) if read[i] < 30]
        if current not in going or rng.random() < 0.2:
            current = rng.choice(going)
        chosen = going if rng.random() < 0.2 else [current]
        rows = [Row(texts[i][read[i] : read[i] + 1], read[i], tables[i][: read[i] // 4 + 1]) for i in chosen]
        lean += paged.alone.fits(rows)
        for i, logits in zip(chosen, paged(rows), strict=True):
            read[i] += 1
            torch.testing.assert_close(logits, whole(model, texts[i][: read[i]]), **close)
    assert lean > 15


@torch.no_grad()
def test_pages_that_another_text_took_over_are_read_anew():
    model = FastLlama(tiny())
    paged, pages = PagedLlama(model, 60, 4), [5, 2, 9, 11]
    for text, begun in ((prompt(15, 1), 10), (prompt(15, 2), 12)):  # the second goes on where the first one ended
        paged([Row(text[:begun], 0, pages)])
        for at in (begun, begun + 1):
            [logits] = paged([Row(text[at : at + 1], at, pages)])
            torch.testing.assert_close(logits, whole(model, text[: at + 1]), **close)
    assert paged.alone.length == 14
    paged.clear([9])
    assert paged.alone.length == 0


@torch.no_grad()
def test_another_text_of_the_same_length_on_other_pages_is_not_mistaken():
    model = FastLlama(tiny())
    paged, texts, tables = PagedLlama(model, 40, 4), [prompt(9, 1), prompt(9, 2)], [[0, 1, 2], [3, 4, 5]]
    paged([Row(text[:6], 0, table) for text, table in zip(texts, tables, strict=True)])
    for at in (6, 7, 8):
        for text, table in zip(texts, tables, strict=True):
            [logits] = paged([Row(text[at : at + 1], at, table)])
            torch.testing.assert_close(logits, whole(model, text[: at + 1]), **close)


def test_only_a_single_token_of_a_single_text_without_adapter_that_is_short_enough_is_alone():
    alone = PagedLlama(FastLlama(tiny()), 40, 4).alone
    row = Row([1], 3, [0])
    assert alone.fits([row]) and alone.most == 40
    assert not alone.fits([row, row]) and not alone.fits([Row([1, 2], 3, [0, 1])])
    assert not alone.fits([Row([1], 3, [0], "tickets")]) and not alone.fits([Row([1], 3, [0], wanted=False)])
    assert alone.fits([Row([1], 39, list(range(10)))]) and not alone.fits([Row([1], 40, list(range(11)))])
