"""reply_text: the text of a reply up to the first stop string, which may begin and end inside of tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.generation.streaming import reply_text

ANSWER = """
def reply_text(tokenizer, ids, stop=()):
    text = tokenizer.decode(ids, skip_special_tokens=True)
    places = [text.find(word) for word in stop if word in text]
    return text[: min(places, default=len(text))]
"""
WHOLE = "tokenizer.decode(ids, skip_special_tokens=True)"
END = "min(places, default=len(text))"
BY_ITSELF = "each token is still looked at by itself."
STRIPPED = "white space belongs to the reply; you strip it."
SLIPS = [
    (
        """
def reply_text(tokenizer, ids, stop=()):
    text = ""
    for token in ids:
        piece = tokenizer.decode([token], skip_special_tokens=True)
        if piece in stop:
            break
        text += piece
    return text
""",
        BY_ITSELF,
    ),
    (
        """
def reply_text(tokenizer, ids, stop=()):
    text = ""
    for token in ids:
        piece = tokenizer.decode([token], skip_special_tokens=True)
        if any(word in piece for word in stop):
            break
        text += piece
    return text
""",
        BY_ITSELF,
    ),
    (
        WHOLE,
        "''.join(tokenizer.decode([token], skip_special_tokens=True) for token in ids)",
        "tokens are decoded one by one, which breaks characters apart.",
    ),
    (
        [("text.find(word)", "len(text) - len(word)"), ("word in text", "text.endswith(word)")],
        "you look for the stop at the end of the text only; more may follow it.",
    ),
    (
        END,
        "places[0] if places else len(text)",
        "of several stops, cut at the one that comes first in the text.",
    ),
    (
        [("text.find", "text.rfind"), ("min(", "max(")],
        "you cut where the stop comes last; the first time counts.",
    ),
    (
        """
def reply_text(tokenizer, ids, stop=()):
    text = ""
    for n in range(1, len(ids) + 1):
        text = tokenizer.decode(ids[:n], skip_special_tokens=True)
        for word in stop:
            if text.endswith(word):
                return text[: -len(word)]
    return text
""",
        "a stop may end in the middle of a token; look inside the text.",
    ),
    (
        """
def reply_text(tokenizer, ids, stop=()):
    text = ""
    for n in range(1, len(ids) + 1):
        text = tokenizer.decode(ids[:n], skip_special_tokens=True)
        for word in stop:
            if word in text:
                return text[: text.find(word)]
    return text
""",
        "one token may hold two stops: cut at the one that comes first in the text.",
    ),
    (
        [("text.find(word)", "text.lower().find(word.lower())"), ("word in text", "word.lower() in text.lower()")],
        "capitals count: a stop must stand there exactly.",
    ),
    (
        f"text[: {END}]",
        "re.split('|'.join(stop), text)[0] if stop else text",
        "a stop is text, not a pattern: `.` means any character there (re.escape).",
    ),
    ("(text))]", "(text))].strip()", STRIPPED),
    ("(text))]", "(text))].rstrip()", STRIPPED),
    ("(text))]", "(text))].rstrip('\\n')", STRIPPED),
    (
        " if word in text]",
        "]",
        "`find` gives -1 for a stop that is not there, and [:-1] cuts the last character off.",
    ),
    (
        """
def reply_text(tokenizer, ids, stop=()):
    text = tokenizer.decode(ids, skip_special_tokens=True)
    for word in stop:
        text = text[: text.find(word)]
    return text
""",
        "`find` gives -1 for a stop that is not there, and [:-1] cuts the last character off.",
    ),
    (
        """
def reply_text(tokenizer, ids, stop=()):
    text = ""
    for token in ids:
        text += tokenizer.decode([token], skip_special_tokens=True)
        for word in stop:
            if word in text:
                return text[: text.find(word)]
    return text
""",
        "stops are found now, but tokens are still decoded one by one, which breaks characters apart.",
    ),
    (
        """
def reply_text(tokenizer, ids, stop=()):
    text = tokenizer.decode(ids, skip_special_tokens=True)
    for word in stop:
        text = text.split(word)[0]
    return text
""",
        "you cut at one stop before you look for the next, and the first cut can take the second one's end away.",
    ),
    ("text.find(word)", "text.find(word) + len(word)", "the stop itself is still in the text."),
    (f"text[: {END}]", "text", "stops are ignored."),
    (", skip_special_tokens=True", "", "special tokens belong to the format, not to the reply."),
]
PLANTED = SLIPS[0]
RIGHT = [
    """
def reply_text(tokenizer, ids, stop=()):
    text = tokenizer.decode(ids, skip_special_tokens=True)
    return min((text.split(word)[0] for word in stop), key=len, default=text)
""",
]


class TinyTokenizer:
    """Tokens are bytes; token 0 is the special one that ends a reply."""

    def __init__(self, tokens: Sequence[bytes]) -> None:
        self.tokens = [b"<end>", *tokens]

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = False) -> str:
        kept = [int(i) for i in ids if int(i) or not skip_special_tokens]
        return b"".join(self.tokens[i] for i in kept).decode("utf-8", errors="replace")


def drive(read: Callable, tokens: list[bytes], ids: list[int], stop: tuple[str, ...]) -> str:
    """Call `read` with a tiny tokenizer that has `tokens` as 1, 2, 3, …"""
    return read(TinyTokenizer(tokens), ids, stop)


def cases(rng: Generator) -> list[tuple]:
    chat = [b"Yes", b".", b"\n", b"User", b":", b" User", b" ok", b"Us"]
    bike = "🚲".encode()
    marks = [bike[:2], bike[2:], b" ride", "é".encode()[:1], "é".encode()[1:], b"END", b" E", b"ND"]
    said = [b"user", b":", b" ", b"User", b"Stop", b'."', b" Then", b'").', b" No"]
    drawn = [int(i) for i in rng.integers(1, 9, size=12)]
    return [
        (chat, [1, 2, 3, 4, 5, 7], ("\nUser:",)),
        (chat, [1, 2, 3, 8, 7, 2], ("\nUser:",)),  # begun, and never finished
        (chat, [1, 6, 5, 1, 2, 3], ("\n", " User:")),  # the one that is listed last comes first
        (chat, [1, 4, 5, 7, 4, 5, 7], ("User:",)),  # it comes twice
        (chat, [1, 2, 0], ()),
        (marks, [3, 1, 2, 3, 4, 5], ()),
        (marks, [1, 2, 3, 7, 8, 3], (" END", "END")),
        (marks, [4, 5, 6, 1, 2], ("END",)),
        (chat, drawn, ("ok.", "User User")),
        (said, [1, 2, 3, 4, 2], ("User:",)),  # capitals count
        (said, [5, 6, 7], (".",)),  # the stop ends in the middle of a token
        (said, [5, 8, 9], (".", '"')),  # two stops in one token
        (chat, [1, 6, 7, 5, 2], (" ok:", "User ok")),  # two stops overlap, and the earlier one is listed last
        (chat, [7, 2, 3], ("\nUser:",)),  # white space at both ends
    ]


EXERCISE = Exercise(
    minutes=4,
    difficulty=2,
    reference=reply_text,
    drive=drive,
    hints=(
        'Which tokens make up `"\\nCustomer:"`? And which make up one emoji?',
        "One token may hold a part of a stop, or of a character. Decode all ids together, then look in the text.",
        "Decode the whole list once, without special tokens. For each stop that the text holds, `text.find` says "
        "where it begins; cut at the smallest of these places.",
    ),
    proves="characters whole, stops found across tokens, cut at the earliest one",
)
