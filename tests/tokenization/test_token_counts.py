"""Bytes per token, by worked cases."""

from __future__ import annotations

import pytest

from helpers.old.tokenization import bytes_per_token
from helpers.tokenization import BPETokenizer


def test_bytes_are_counted_not_characters_and_long_texts_weigh_more():
    assert bytes_per_token(["é電"], list) == 5 / 2
    assert bytes_per_token(["a", "abcdefgh"], lambda text: [0]) == 9 / 2


def test_a_tokenizer_without_merges_has_one_byte_a_token():
    assert bytes_per_token(["Ça va?", "🚲"], BPETokenizer.train("", 256).encode) == 1


def test_texts_without_a_token_are_refused():
    with pytest.raises(ValueError, match="no token"):
        bytes_per_token([""], list)
