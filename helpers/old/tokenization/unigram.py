"""Unigram: the tokenizer of T5, ALBERT and XLNet, best known from the `sentencepiece` library (Kudo, 2018).

    scores, letters = seeds(word_counts(text), 2000)              # far too many tokens, to be pruned (`em`)
    tokenizer = UnigramTokenizer([*[None] * 256, *scores], scores, range(256), {})
    tokenizer.segment("The import statement")                     # the *most likely* way to cut it

Every token has a probability; the probability of one way to cut a word is the product over its tokens. All 256 bytes
are tokens too, so a character that training never saw costs its UTF-8 bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import regex

from helpers.old.tokenization.em import BYTE_SCORE, viterbi
from helpers.tokenization import GPT2_PATTERN

PART = 64  # training cuts longer words into parts of this many characters
WORDS = regex.compile(GPT2_PATTERN)


def word_counts(text: str) -> Counter[str]:
    """Words of `text` with their occurrences as Unigram's training sees them: long runs in parts of 64 characters."""
    part = re.compile(rf"(?s).{{1,{PART}}}")
    return Counter(piece for word in WORDS.finditer(text) for piece in part.findall(word.group()))


class UnigramTokenizer:
    """Unigram with byte fallback.

    tokens: list, id -> token as text (None for bytes); scores: token -> log probability; byte_ids: the ids of the
    bytes 0 to 255.
    """

    def __init__(
        self, tokens: Sequence[str | None], scores: Mapping[str, float], byte_ids: Sequence[int], _special: dict
    ) -> None:
        self.tokens, self.scores, self.byte_ids = list(tokens), dict(scores), list(byte_ids)
        self._ids = {token: i for i, token in enumerate(self.tokens) if token is not None}
        self._byte_of = {i: byte for byte, i in enumerate(self.byte_ids)}
        self._longest = max(map(len, self.scores), default=1)
        self._fallback = min(self.scores.values(), default=0.0) + BYTE_SCORE
        self._remembered: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """The ids of the likeliest segmentation."""
        ids: list[int] = []
        for word in WORDS.findall(text):
            if word not in self._remembered:
                self._remembered[word] = self._encode_word(word)
            ids += self._remembered[word]
        return ids

    def _encode_word(self, word: str) -> list[int]:
        ids: list[int] = []
        for token in viterbi(word, self.scores, self._longest, self._fallback):
            if token in self._ids:
                ids.append(self._ids[token])
            else:
                ids += [self.byte_ids[byte] for byte in token.encode("utf-8")]
        return ids

    def segment(self, text: str) -> list[bytes]:
        """The tokens of `text` as bytes, to look at."""
        return [
            bytes([self._byte_of[i]]) if i in self._byte_of else (self.tokens[i] or "").encode("utf-8")
            for i in self.encode(text)
        ]
