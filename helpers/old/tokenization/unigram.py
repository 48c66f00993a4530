"""Unigram: the tokenizer of T5, ALBERT and XLNet, best known from the `sentencepiece` library (Kudo, 2018).

    tokenizer = UnigramTokenizer.train(text, 1000)
    tokenizer.encode("The import statement")      # the *most likely* way to cut it, not the first one found
    tokenizer.segment("The import statement")     # [b"The", b" import", b" statement"]

Every token has a probability. The probability of one way to cut a word is the product over its tokens, and encoding
takes the likeliest way (Viterbi, one pass over the word). Training goes the other way round from BPE: it starts with
far too many tokens and throws away:
  1. seeds: every single character, and the substrings that cover most of the text (occurrences × length);
  2. EM, twice: expect how often each token is used, over *all* ways to cut each word, weighted by their probability;
     then make the probabilities fit these counts;
  3. prune: for each token, how much likelihood the text loses if its places are cut the next best way; keep the
     best three quarters, and every single character; back to 2 until few enough are left.

What it does:
  * round trip: all 256 bytes are tokens too, so a character that training never saw costs its UTF-8 bytes.
What it does not do:
  * smooth the counts, as `sentencepiece` does to make rare tokens rarer still;
  * normalize text, or work across words: like the other tokenizers here it cuts words with a pattern first, where
    `sentencepiece` lets its tokens find the words themselves.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import methodcaller

import regex

from helpers.old.tokenization.em import BYTE_SCORE, fit, viterbi
from helpers.tokenization.bpe import GPT2_PATTERN
from helpers.tokenization.files import (
    VERSION,
    TokenizerFileError,
    allowed,
    find_special,
    read_json,
    read_pretrained,
    read_special,
    reading,
    require_ids,
    require_placed,
    require_room,
    require_special,
    require_text,
    write_json,
)

PART = 64  # training cuts longer words into parts of this many characters
REMEMBERED_WORDS, REMEMBERED_LENGTH = 50_000, 64
WORDS = regex.compile(GPT2_PATTERN)
SPACE = "\u2581"  # how sentencepiece's files write the space


class UnigramTokenizer:
    """Unigram with byte fallback; make one with `train`, `load` or `from_pretrained`.

    tokens: list, id -> token as text (None for special tokens and bytes); scores: token -> log probability;
    byte_ids: the ids of the bytes 0 to 255; special_tokens: name -> id.
    """

    def __init__(
        self,
        tokens: Sequence[str | None],
        scores: Mapping[str, float],
        byte_ids: Sequence[int],
        special_tokens: dict[str, int],
    ) -> None:
        self.tokens = list(tokens)
        self.scores = dict(scores)
        self.byte_ids = list(byte_ids)
        self.special_tokens = dict(special_tokens)
        require_placed(self.special_tokens, self.tokens)
        self._ids = {token: i for i, token in enumerate(self.tokens) if token is not None}
        if set(self._ids) != set(self.scores) or not all(map(math.isfinite, self.scores.values())):
            raise TokenizerFileError("A Unigram vocabulary needs a score for every token: get the file again.")
        free = {i for i, token in enumerate(self.tokens) if token is None} - {*self.special_tokens.values()}
        if len(self.byte_ids) != 256 or len(free & {*self.byte_ids}) != 256:
            raise TokenizerFileError(
                "A Unigram vocabulary needs an id of its own for all 256 bytes: get the file again."
            )
        self._byte_of = {i: byte for byte, i in enumerate(self.byte_ids)}
        self._names = {i: name for name, i in self.special_tokens.items()}
        self._longest = max(map(len, self.scores), default=1)
        self._fallback = min(self.scores.values(), default=0.0) + BYTE_SCORE
        self._remembered: dict[str, list[int]] = {}

    @property
    def vocab_size(self) -> int:
        """How many ids there are, bytes and special tokens included."""
        return len(self.tokens)

    def __repr__(self) -> str:
        return f"UnigramTokenizer({self.vocab_size:,} tokens)"

    @classmethod
    def train(cls, text: str, vocab_size: int, *, special_tokens: Sequence[str] = ()) -> UnigramTokenizer:
        """Learn tokens and probabilities from `text`: ids 0-255 are bytes, then tokens by probability, special last.

        Raises ValueError if `vocab_size` is below 256 + the special tokens + one. Where the text has more different
        characters than there is room for, the rarest are left to their bytes.
        """
        require_text(text)
        special_tokens = require_special(special_tokens)
        least = 257 + len(special_tokens)
        require_room(vocab_size, least, f"256 bytes, one token and {len(special_tokens)} special tokens")
        words: Counter[str] = Counter()
        for word, count in Counter(map(methodcaller("group"), WORDS.finditer(text))).items():
            for start in range(0, len(word), PART):
                words[word[start : start + PART]] += count
        scores = fit(words, vocab_size - 256 - len(special_tokens))
        tokens = [*(None for _ in range(256)), *sorted(scores, key=lambda token: (-scores[token], token))]
        special = {name: len(tokens) + n for n, name in enumerate(special_tokens)}
        return cls([*tokens, *(None for _ in special)], scores, range(256), special)

    def encode(self, text: str, allowed_special: str | Iterable[str] = ()) -> list[int]:
        """The ids of the likeliest segmentation. Special tokens in `text` are ordinary text unless allowed.

        Raises as `BPETokenizer.encode` does.
        """
        require_text(text)
        ids: list[int] = []
        for n, part in enumerate(find_special(text, allowed(self.special_tokens, allowed_special))):
            if n % 2:
                ids.append(self.special_tokens[part])
                continue
            for word in map(methodcaller("group"), WORDS.finditer(part)):
                found = self._remembered.get(word)
                ids += self._encode_word(word) if found is None else found
        return ids

    def _encode_word(self, word: str) -> list[int]:
        ids: list[int] = []
        for token in viterbi(word, self.scores, self._longest, self._fallback):
            if token in self._ids:
                ids.append(self._ids[token])
            else:
                ids += [self.byte_ids[byte] for byte in token.encode("utf-8")]
        if len(word) <= REMEMBERED_LENGTH:
            if len(self._remembered) >= REMEMBERED_WORDS:
                self._remembered.clear()
            self._remembered[word] = ids
        return ids

    def segment(self, text: str) -> list[bytes]:
        """The tokens of `text` as bytes, to look at."""
        return [self._bytes(i) for i in self.encode(text)]

    def _bytes(self, i: int) -> bytes:
        if i in self._byte_of:
            return bytes([self._byte_of[i]])
        return (self._names.get(i) or self.tokens[i] or "").encode("utf-8")

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`; bytes that form no character become U+FFFD. Raises ValueError for an unknown id."""
        parts = [self._bytes(i) for i in require_ids(ids, self.vocab_size)]
        return b"".join(parts).decode("utf-8", errors="replace")

    def save(self, path: str | os.PathLike) -> None:
        """Write everything to one JSON file; an interrupted save leaves the old file as it was."""
        data = {"type": "UnigramTokenizer", "version": VERSION, "special_tokens": self.special_tokens}
        write_json(path, data | {"tokens": self.tokens, "scores": self.scores, "byte_ids": self.byte_ids})

    @classmethod
    def load(cls, path: str | os.PathLike) -> UnigramTokenizer:
        """What `save` wrote. Raises TokenizerFileError where the file is cut off, of another type or contradictory."""
        data = read_json(path, "UnigramTokenizer")
        with reading("The tokenizer file", "save"):
            scores = {str(token): float(score) for token, score in data["scores"].items()}
            special = {str(name): int(i) for name, i in data["special_tokens"].items()}
            return cls(data["tokens"], scores, [int(i) for i in data["byte_ids"]], special)

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike) -> UnigramTokenizer:
        """Tokens and scores of a `tokenizer.json` of the Unigram type with byte fallback.

        The words are still cut with this class's pattern and the text is not normalized, so ids can differ from the
        library's. Raises TokenizerFileError for a missing or damaged file and for a vocabulary without bytes.
        """
        data = read_pretrained(folder, "Unigram")
        with reading("tokenizer.json", "fetch"):
            vocab, special = data["model"]["vocab"], read_special(data)
            names = [token for token, _ in vocab]
            places = {token: i for i, token in enumerate(names)}
            byte_ids = [places.get(f"<0x{byte:02X}>", -1) for byte in range(256)]
            if -1 in byte_ids:
                raise TokenizerFileError("tokenizer.json has no tokens for the 256 bytes, which this class needs.")
            hidden = {*byte_ids, *special.values(), data["model"].get("unk_id")}
            tokens = [None if i in hidden else token.replace(SPACE, " ") for i, token in enumerate(names)]
            tokens += [None] * (max([*special.values(), -1]) + 1 - len(tokens))
            scores = {token: float(vocab[i][1]) for i, token in enumerate(tokens) if token is not None}
            return cls(tokens, scores, byte_ids, special)
