"""bytes_per_token: all bytes over all tokens, each text encoded by itself."""

from __future__ import annotations

from statistics import mean

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.tokenization.measures import bytes_per_token

ANSWER = """
def bytes_per_token(texts, encode):
    n_bytes = sum(len(text.encode("utf-8")) for text in texts)
    n_tokens = sum(len(encode(text)) for text in texts)
    return n_bytes / n_tokens
"""
RATIO = "n_bytes / n_tokens"
FIRST = "    n_bytes ="
AVERAGED = "you average the texts' rates; divide all bytes by all tokens."
JOINED = "you join the texts first; encode each by itself."
SLIPS = [
    ('text.encode("utf-8")', "text", "you count characters; “é” has two bytes, “電” three."),
    (RATIO, "mean(len(text.encode()) / len(encode(text)) for text in texts if encode(text))", AVERAGED),
    (RATIO, "sum(len(text.encode()) / len(encode(text)) for text in texts) / len(texts)", AVERAGED),
    ("/ n_tokens", "/ len(texts)", "you divide by the number of texts; divide by their tokens."),
    (RATIO, "float(n_bytes // n_tokens)", "`//` drops the fraction; use `/`."),
    (RATIO, "n_tokens / n_bytes", "this is tokens per byte; turn it around."),
    (FIRST, f"    texts = [''.join(texts)]\n{FIRST}", JOINED),
    (FIRST, f"    texts = [' '.join(texts)]\n{FIRST}", JOINED),
    (FIRST, f"    texts = ['\\n'.join(texts)]\n{FIRST}", JOINED),
]
REFUSED = [
    (FIRST, f"    texts = set(texts)\n{FIRST}", "The result is wrong"),
    (FIRST, f"    texts = [text.strip() for text in texts]\n{FIRST}", "The result is wrong"),
    ("encode(text))", "encode(text.lower()))", "The result is wrong"),
]
RIGHT = [
    """
def bytes_per_token(texts, encode):
    size = len("".join(texts).encode())
    return size / len([i for text in texts for i in encode(text)])
""",
]


def characters(text: str) -> list[int]:
    """One token a character."""
    return [ord(character) for character in text]


def four_bytes(text: str) -> list[int]:
    """One token for up to four bytes."""
    return list(range(-(-len(text.encode("utf-8")) // 4)))


def split_at_spaces(text: str) -> list[int]:
    """One token a word, two where it begins with a capital letter."""
    return [len(word) for word in text.split() for _ in range(1 + word[0].isupper())]


def cases(rng: Generator) -> list[tuple]:
    texts = ["Charge it at home.", "Ça marche, déjà?", "बैटरी", "電池🔋", "ok"]
    shuffled = [texts[i] for i in rng.permutation(len(texts))]
    return [
        (["Velunda"], characters),
        (texts, characters),
        (shuffled, four_bytes),
        (texts[:2] * 3, split_at_spaces),
        (["a", "a much longer text than the one before, so that averages differ"], split_at_spaces),
        (["ok", "ok", "a longer text"], four_bytes),
        (["  Spaces around it  ", "Capitals In It"], split_at_spaces),
        (["", "Über", ""], characters),  # here a mean of rates divides by zero
    ]


EXERCISE = Exercise(
    reference=bytes_per_token,
    minutes=2,
    difficulty=1,
    hints=(
        "How many bytes has “é” in UTF-8? `len` counts characters.",
        "Add up the bytes of all texts, and all tokens; divide once, at the end.",
        "`len(text.encode('utf-8'))` are the bytes of a text, `len(encode(text))` its tokens. Sum each over the "
        "texts, and return the ratio of the two sums.",
    ),
    proves="bytes rather than characters, long texts weigh more than short ones, empty texts do no harm",
)
