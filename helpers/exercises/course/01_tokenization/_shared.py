"""What several exercises of 01_tokenization use: the types of byte-pair encoding, and drawn words."""

from __future__ import annotations

from numpy.random import Generator

Symbols = tuple[str, ...]
Pair = tuple[str, str]


def random_word(rng: Generator, letters: str, length: int) -> Symbols:
    return tuple(letters[i] for i in rng.integers(len(letters), size=length))
