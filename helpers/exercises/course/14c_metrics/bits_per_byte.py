"""bits_per_byte: the one number by which language models with different tokenizers can be compared."""

from __future__ import annotations

import math

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def bits_per_byte(log_probability: float, text: str) -> float:
    """How many bits a model needs for each byte of the text's UTF-8 form.

    log_probability: log p(text), the natural logarithm, in nats; at most 0.
    """
    return -log_probability / (math.log(2) * len(text.encode()))


ANSWER = """
def bits_per_byte(log_probability, text):
    bits = -log_probability / math.log(2)
    return bits / len(text.encode("utf-8"))
"""
SLIPS = [
    ('len(text.encode("utf-8"))', "len(text)", "those are characters: “°” and “é” take two bytes each in UTF-8."),
    ('len(text.encode("utf-8"))', "len(text.split())", "divide by bytes, not by words."),
    ("-log_probability / math.log(2)", "-log_probability", "that is in nats: divide by ln 2 to get bits."),
    ("-log_probability / math.log(2)", "-log_probability * math.log(2)", "a nat is more than a bit: divide by ln 2."),
    ("-log_probability", "log_probability", "a log-probability is at most 0: turn the sign around."),
]
REFUSED = [('bits / len(text.encode("utf-8"))', "bits // len(text.encode())", "Expected")]
RIGHT = [
    """
def bits_per_byte(log_probability, text):
    return -log_probability * math.log2(math.e) / len(bytes(text, "utf-8"))
""",
]


def cases(rng: Generator) -> list[tuple]:
    texts = ("At −8 °C, wait.", "Leave it indoors.", "Außen frieren Akkus früh ein.", "4 घंटे")
    return [(float(-rng.uniform(3, 60)), text) for text in texts for _ in range(2)] + [(0.0, "certain")]


EXERCISE = Exercise(
    reference=bits_per_byte,
    minutes=3,
    difficulty=1,
    hints=(
        "How many bits is 1 nat? How many bytes has “°C”?",
        "Surprise is −log p, and a bit is ln 2 nats. Count what `encode` gives.",
        'One nat is 1 / ln 2 bits: return `-log_probability / math.log(2) / len(text.encode("utf-8"))`.',
    ),
    proves="nats become bits, surprise is positive, and bytes are counted, not characters",
)
