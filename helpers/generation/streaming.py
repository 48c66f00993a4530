"""The text of a reply while its tokens arrive: whole characters only, and nothing of what ends it.

    for piece in stream(model, tokenizer, ids, max_new_tokens=100):
        print(piece, end="")

A token is bytes, not letters: an emoji may take five tokens, and its first four decode to "�". What a reader sees as
one character may be several code points too (é as e + ́, families of emoji). So a piece is shown once the next token
proves it complete; joined, the pieces are the decoded reply, up to a stop string if one comes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import regex

UNFINISHED = "\ufffd"  # what decoders put for bytes that are no character, or not yet
CHARACTER = regex.compile(r"\X")  # an extended grapheme cluster: what readers call a character (Unicode, UAX 29)

WINDOW = 16  # tokens


class Tokenizer(Protocol):
    """What text needs of a tokenizer; the library's and the course's have it."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these tokens."""


class ReplyText:
    """The text of one reply, which grows token by token, and whether it has come to a stop string.

    text: complete code points so far, up to the stop string. stopped: True once a stop string stands in the text.
    """

    def __init__(self, tokenizer: Tokenizer, stop: Sequence[str] = ()) -> None:
        self.decode = text_decoder(tokenizer)
        self.stop = tuple(stop)
        self.text, self.stopped = "", False
        self._window: list[int] = []  # the latest tokens: decoding all is slow, decoding one alone may lose a space
        self._whole = 0  # so many tokens of the window ended with a whole character
        self._seen = 0  # characters of the window's text that are in `text`
        self._fresh = 0  # where in `text` the latest piece begins
        self._shown = 0  # characters of `text` that `take` has given

    def put(self, token: int) -> bool:
        """Add a token; True if the text now holds a stop string."""
        self._window.append(token)
        decoded = self.decode(self._window)
        self._add(decoded.rstrip(UNFINISHED)[self._seen :])
        if not decoded.endswith(UNFINISHED):
            if len(self._window) >= WINDOW and (latest := self.decode(self._window[self._whole :])):
                self._window, self._seen = self._window[self._whole :], len(latest)
            self._whole = len(self._window)
        return self.stopped

    def end(self) -> None:
        """No token follows: what is unfinished stays so."""
        self._add(self.decode(self._window)[self._seen :])

    def take(self, last: bool = False) -> str:
        """The text that can be shown by now and has not been: all of it with last=True, else what cannot change."""
        end = len(self.text) if last or self.stopped else self._settled()
        piece, self._shown = self.text[self._shown : end], max(self._shown, end)
        return piece

    def _add(self, piece: str) -> None:
        if not piece or self.stopped:
            return
        longest = max(map(len, self.stop), default=0)
        self._fresh, start = len(self.text), max(len(self.text) - longest + 1, 0)
        self._seen += len(piece)
        self.text += piece
        found = [at for word in self.stop if (at := self.text.find(word, start)) >= 0]
        if found:
            self.text, self.stopped = self.text[: min(found)], True

    def _settled(self) -> int:
        """How much of `text` no later token can change: before the latest piece, and before what may become a stop."""
        end = self._fresh
        for word in self.stop:
            end = min(end, len(self.text) - _begun(self.text, word))
        starts = (self._shown + found.start() for found in CHARACTER.finditer(self.text[self._shown :]))
        return max((start for start in starts if start <= end), default=self._shown)


def _begun(text: str, word: str) -> int:
    """How many characters of `word` the end of `text` already has: 2 for "so\nU" and "\nUser:"."""
    longest = min(len(word) - 1, len(text))
    return next((length for length in range(longest, 0, -1) if text.endswith(word[:length])), 0)


def reply_text(tokenizer: Tokenizer, ids: Iterable[int], stop: Sequence[str] = ()) -> str:
    """The text of a reply's tokens, special ones left out, up to the first stop string."""
    text = text_decoder(tokenizer)([int(token) for token in ids])
    found = [at for word in stop if (at := text.find(word)) >= 0]
    return text[: min(found)] if found else text


def text_decoder(tokenizer: Tokenizer) -> Callable[[Sequence[int]], str]:
    """The tokenizer's `decode`, told to leave special tokens out where it has a word for that."""
    options: dict[str, Any] = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
    takes = inspect.signature(tokenizer.decode).parameters
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes.values()):
        options = {name: value for name, value in options.items() if name in takes}
    return lambda ids: tokenizer.decode(ids, **options)
