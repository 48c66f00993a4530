"""Encoders without weights: vectors by rule, so that a test knows what is near to what."""

from __future__ import annotations

import hashlib
import re

import numpy as np


class WordEncoder:
    """A bag of words, each hashed to one of `d` directions: texts that share words are near."""

    def __init__(self, d: int = 64, checksum: str = "words", synonyms: dict[str, str] | None = None):
        self.d, self.checksum, self.synonyms, self.encoded = d, checksum, synonyms or {}, 0

    def encode(self, texts, show_progress_bar=False, convert_to_numpy=True):
        assert convert_to_numpy and not isinstance(texts, str)
        self.encoded += len(texts)
        rows = np.full((len(texts), self.d), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                word = self.synonyms.get(word, word)
                row[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % self.d] += 1
        return rows
