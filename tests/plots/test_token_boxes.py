"""Tokens as boxes: what is invisible is shown, nothing in a token can break the page."""

from __future__ import annotations

import pytest

from helpers.plots import show_tokens, spell, token_boxes
from helpers.plots.token_boxes import FILLS, SPECIAL


@pytest.mark.parametrize(
    ("token", "seen"),
    [
        (" the", "·the"),
        (b"a\n\tb\r", "a↵⇥b␍"),
        ("न".encode(), "न"),
        ("न".encode()[:2], "[e0 a4]"),
        (b" \xe0", "[20 e0]"),
        ("", ""),
    ],
)
def test_a_token_is_spelled_so_that_it_can_be_seen(token, seen):
    assert spell(token) == seen


def shown(monkeypatch, *args) -> tuple[str, str]:
    emitted: list[tuple[str, str]] = []
    monkeypatch.setattr(token_boxes, "emit", lambda text, markup: emitted.append((text, markup)))
    show_tokens(*args)
    return emitted[0]


def test_each_row_has_its_caption_its_count_and_a_bar_between_tokens(monkeypatch):
    text, markup = shown(monkeypatch, {"words": ["a", " b"], "bytes": [b"a", b" ", b"b"]})
    assert text == "words (2): a|·b\nbytes (3): a|·|b"
    assert markup.count("<span") == 2 + 5


def test_neighbors_differ_in_color_and_special_tokens_have_their_own(monkeypatch):
    _, markup = shown(monkeypatch, {"chat": ["<|im_end|>", "a", "b"]}, {"<|im_end|>"})
    assert SPECIAL in markup and FILLS[1] in markup and FILLS[2] in markup and FILLS[0] not in markup
    assert len(set(FILLS)) == 4 and SPECIAL not in FILLS


def test_markup_in_a_token_is_text(monkeypatch):
    _, markup = shown(monkeypatch, {"<b>": ["<script>", "&"]})
    assert "<script>" not in markup and "<b>" not in markup and "&lt;script&gt;" in markup
