"""decode_tokens: a character may be spread over several tokens, so bytes are joined before they are decoded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def decode_tokens(ids: Sequence[int], tokens: Sequence[bytes]) -> str:
    """The text of `ids`; tokens: the bytes of every id. Bytes that form no character become "\\ufffd"."""
    return b"".join(tokens[i] for i in ids).decode("utf-8", errors="replace")


ANSWER = """
def decode_tokens(ids, tokens):
    return b"".join(tokens[i] for i in ids).decode("utf-8", errors="replace")
"""
WHOLE = 'b"".join(tokens[i] for i in ids).decode("utf-8", errors="replace")'
SLIPS = [
    (
        WHOLE,
        '"".join(tokens[i].decode("utf-8", errors="replace") for i in ids)',
        "each token is still decoded by itself.",
    ),
    ("tokens[i] for i in ids", "tokens", "you decode all of `tokens`; `ids` say which, and in which order."),
    (
        "tokens[i] for i in ids",
        "tokens[i] for i in range(len(ids))",
        "you use positions; look up `tokens[i]` for each i in `ids`.",
    ),
    ('"replace"', '"ignore"', 'broken bytes vanish without a trace; keep errors="replace".'),
    (
        WHOLE,
        '"".join(tokens[i].decode("utf-8", errors="ignore") for i in ids)',
        "each token is decoded by itself, and half characters vanish.",
    ),
    (
        '"utf-8", errors="replace"',
        '"latin-1"',
        "each byte becomes a character of its own (Latin-1); the bytes are UTF-8.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    (', errors="replace"', "", "It stops with an error"),
    ('.decode("utf-8", errors="replace")', "", "The kind of the result is wrong"),
    (WHOLE, f"{WHOLE}.strip()", "The result is wrong"),
    (WHOLE, f'unicodedata.normalize("NFC", {WHOLE})', "The result is wrong"),
    (WHOLE, rf're.sub("\ufffd+", "\ufffd", {WHOLE})', "The result is wrong"),
]
RIGHT = [
    ("tokens[i] for i in ids", "map(tokens.__getitem__, ids)"),
    """
def decode_tokens(ids, tokens):
    data = bytearray()
    for i in ids:
        data += tokens[i]
    return str(bytes(data), "utf-8", "replace")
""",
]


def cases(rng: Generator) -> list[tuple]:
    tokens = [b"Vel", b"unda", b" is ", b"\xf0\x9f", b"\x9a\xb2", b" \xe0\xa4", b"\xa8", b"\x80", b"e", b"\xcc\x81"]
    single = [bytes([byte]) for byte in range(256)]
    return [
        ([0, 1], tokens),
        ([3, 4], tokens),
        ([0, 1, 5, 6, 2, 3, 4], tokens),
        ([8, 7, 8], tokens),  # a byte that starts no character
        ([7, 7, 7], tokens),
        ([0, 3], tokens),  # cut off
        ([8, 9, 0], tokens),  # e and an accent: two characters, and they stay two
        ([2, 0, 2], tokens),  # spaces at both ends
        (list("naïve Straße".encode()), single),
        ([int(i) for i in rng.integers(32, 127, size=9)], single),
        ([], tokens),
    ]


EXERCISE = Exercise(
    reference=decode_tokens,
    minutes=1,
    difficulty=1,
    hints=(
        "Print the bytes of the tokens of “🚲”. Is any of them a character?",
        "A character may be spread over several tokens. What must be whole before you decode?",
        "Join the bytes of all tokens first (`b''.join`), and call `decode` once on the whole, with the same `errors`.",
    ),
    proves="characters spread over tokens come back whole, broken bytes are marked, and nothing else is changed",
)
