"""A text as numbers: tokenized once and cut into batches that can be made again.

    data = TokenData.of_texts(train_text, held_out_text, Characters.train(train_text))
    ids = data.train.batch(step=7, batch=24, length=64, seed=0)     # (24, 65): inputs ids[:, :-1], targets ids[:, 1:]

A batch is a function of its arguments alone, so a run that was killed goes on with the batches that it would have had.
One epoch cuts the whole text into windows of `length` tokens, in an order shuffled anew each time, from a starting
point drawn anew each time: every token is a target once, but for less than two windows at the edges.

What it does not do: shards, several machines, documents that must not see each other (`segment_mask`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from helpers.files.safe_files import DataUnavailable
from helpers.old.corpora import language_reference
from helpers.old.training.loop import batch_order

LEAST = 10_000  # characters of a text of one's own


class Tokenizer(Protocol):
    """What turns text into ids and back: `Characters`, and every tokenizer of `helpers.tokenization`."""

    vocab_size: int

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: Iterable[int]) -> str: ...


class Characters:
    """One token per character; the vocabulary is every character of a text, in sorted order.

    >>> Characters.train("banana").encode("nab")
    [2, 0, 1]
    """

    def __init__(self, alphabet: str) -> None:
        if not alphabet or len(set(alphabet)) != len(alphabet):
            raise ValueError("An alphabet has at least one character, and each of them once.")
        self.alphabet, self.vocab_size = alphabet, len(alphabet)
        self._ids = {character: i for i, character in enumerate(alphabet)}

    @classmethod
    def train(cls, text: str) -> Characters:
        """The vocabulary of a text. Raises ValueError for an empty one."""
        return cls("".join(sorted(set(text))))

    def encode(self, text: str) -> list[int]:
        """One id per character. Raises ValueError for a character that the vocabulary lacks."""
        try:
            return [self._ids[character] for character in text]
        except KeyError as error:
            raise ValueError(
                f"The vocabulary of {self.vocab_size} characters has no {error.args[0]!r}: train it on a text with it."
            ) from None

    def decode(self, ids: Iterable[int]) -> str:
        """The characters of ids."""
        return "".join(self.alphabet[i] for i in ids)


class Tokens:
    """A row of token ids, in memory or in a file; `n_bytes` is the size of the text that they stand for, in UTF-8."""

    def __init__(self, ids: Any, n_bytes: int) -> None:
        self.ids, self.n_bytes = ids, n_bytes

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def bytes_per_token(self) -> float:
        """How much text a token holds, on average."""
        return self.n_bytes / len(self.ids)

    def head(self, n_tokens: int) -> Tokens:
        """The first n tokens, as a part of their own. Raises ValueError where there are fewer."""
        if not 1 <= n_tokens <= len(self):
            raise ValueError(f"This part has {len(self):,} tokens, from which {n_tokens:,} cannot be taken.")
        return Tokens(self.ids[:n_tokens], round(self.n_bytes * n_tokens / len(self)))

    def n_windows(self, length: int) -> int:
        """Windows of `length` targets in one epoch. Raises ValueError where the text is shorter than one."""
        if length < 1 or len(self) <= length:
            raise ValueError(
                f"A window of {length} tokens and the one after it do not fit into a text of {len(self):,} tokens: "
                "take a longer text or a shorter window."
            )
        return max(1, (len(self) - 1) // length - 1)

    def batch(self, step: int, batch: int, length: int, seed: int = 0) -> Tensor:
        """The batch of a step: (batch, length + 1) int64. Raises ValueError where the text is shorter than a window."""
        n = self.n_windows(length)
        slack = min(length, len(self) - 1 - n * length)
        places = range(step * batch, (step + 1) * batch)
        starts = []
        for place, window in zip(places, batch_order(n, batch, step, seed), strict=True):
            shift = _shift(slack, place // n, seed)
            starts.append(shift + window * length)
        return self.rows(starts, length)

    def windows(self, length: int) -> Tensor:
        """The whole text in windows, each beginning where the last ended: (n, length + 1) int64; a shorter rest is left
        out. Raises ValueError where the text is shorter than a window."""
        self.n_windows(length)
        return self.rows(range(0, len(self) - length, length), length)

    def rows(self, starts: Iterable[int], length: int) -> Tensor:
        """What stands from each of these places on: (n, length + 1) int64."""
        places = np.asarray(list(starts))[:, None] + np.arange(length + 1)
        return torch.from_numpy(self.ids[places].astype(np.int64))


@lru_cache(maxsize=8)
def _shift(slack: int, epoch: int, seed: int) -> int:
    return int(np.random.default_rng((seed, epoch)).integers(slack + 1))


class TokenData:
    """Training text, held-out text and the tokenizer of both."""

    def __init__(self, train: Tokens, held_out: Tokens, tokenizer: Tokenizer) -> None:
        self.train, self.held_out, self.tokenizer = train, held_out, tokenizer

    @property
    def vocab_size(self) -> int:
        """Number of tokens in the vocabulary."""
        return self.tokenizer.vocab_size

    @classmethod
    def of_texts(cls, train: str, held_out: str, tokenizer: Tokenizer) -> TokenData:
        """Tokenized, in memory. Raises ValueError for texts that are too small to train on."""
        parts = [_tokens(text, tokenizer) for text in (train, held_out)]
        _require_enough(len(parts[0]), len(parts[1]), tokenizer.vocab_size)
        return cls(*parts, tokenizer)


def python_reference() -> TokenData:
    """The text that 03 trains on, in memory: the Python language reference in characters, 0.34 MB.

    Topics that repeat longer ones are left out, and whole topics are held out, so that what is held out was not read
    during training: cut at nine tenths instead, every ninth stretch of 50 characters behind the cut stands before it,
    too. Raises CorpusUnavailable as `language_reference` does.
    """
    train, kept_back = language_reference().distinct().split(0.1, 0)
    return TokenData.of_texts(train.text, kept_back.text, Characters.train(train.text + kept_back.text))


def own_text(path: str | os.PathLike, alphabet: int = 117) -> TokenData:
    """A text file of one's own, in characters and in memory; its last part, from the start of a line on, is held out.

    alphabet: so many of its characters, the most frequent ones, are kept, and every other becomes "□", which is told.
    A text that repeats itself leaks over the cut; measure that. Raises DataUnavailable, in one sentence, for a file
    that is missing, empty, binary, no UTF-8 text or too short, and where more than one character in 100 would become
    "□".
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise DataUnavailable(f"There is no file {path}: name one text file.")
    text = _read(path)
    if len(text) < LEAST:
        raise DataUnavailable(
            f"{path.name} has {len(text):,} characters; to learn from and to be judged on takes at least {LEAST:,}."
        )
    found = Counter(text)
    rare = {character for character, _ in found.most_common()[alphabet:]}
    share = sum(found[character] for character in rare) / len(text)
    if share > 0.01:
        raise DataUnavailable(
            f"{path.name} has {len(found):,} different characters, and {share:.0%} of it would be lost with the "
            f"{alphabet} most frequent ones alone: take a text in an alphabet of letters."
        )
    if rare:
        print(f"{len(rare):,} rare characters of {path.name} are read as □ ({share:.3%} of the text).")
        text = "".join("□" if character in rare else character for character in text)
    most = int(0.9 * len(text))
    cut = text.rfind("\n", 0, most) + 1 or most
    return TokenData.of_texts(text[:cut], text[cut:], Characters.train(text))


def _read(path: Path) -> str:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataUnavailable(f"{path.name} is no UTF-8 text: save it as UTF-8, or take it out.") from None
    if "\0" in text:
        raise DataUnavailable(f"{path.name} holds zero bytes, so it is a binary file and no text: take it out.")
    if not text.strip():
        raise DataUnavailable(f"{path.name} is empty: take it out, or fill it.")
    return text.replace("\r\n", "\n")


def _tokens(text: str, tokenizer: Tokenizer) -> Tokens:
    dtype = "<u2" if tokenizer.vocab_size <= 2**16 else "<u4"
    return Tokens(np.asarray(tokenizer.encode(text), dtype=dtype), len(text.encode("utf-8")))


def _require_enough(n_train: int, n_held_out: int, vocab_size: int) -> None:
    if min(n_train, n_held_out) < 2:
        raise ValueError(
            f"There are {n_train:,} tokens to train on and {n_held_out:,} held out; each needs at least 2: take a "
            "longer text."
        )
    if n_train < vocab_size:
        raise ValueError(
            f"The vocabulary has {vocab_size:,} tokens and the text only {n_train:,}, so most would never be seen: "
            "take a smaller vocabulary or a longer text."
        )
