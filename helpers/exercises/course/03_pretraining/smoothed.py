"""smoothed: a discount from every count pays for what was never seen, and the probabilities sum to one."""

from __future__ import annotations

import math

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property


def smoothed(counts: dict[str, int], shorter: dict[str, float], discount: float) -> dict[str, float]:
    """The probability of every token after a context, from counts and from the probabilities after a shorter context.

    counts: how often each token came after this context; tokens that never came are missing. shorter: the probability
    of every token after the context without its oldest token; they sum to 1. discount: above 0 and at most 1.

        p(token) = max(count − discount, 0) / total  +  (discount · kinds / total) · shorter[token]

    total: the sum of the counts; kinds: how many different tokens came. After a context that never occurred, the
    shorter one's probabilities are the answer.
    """
    total, kinds = sum(counts.values()), len(counts)
    if total == 0:
        return dict(shorter)
    return {
        token: (max(counts.get(token, 0) - discount, 0) + discount * kinds * p) / total for token, p in shorter.items()
    }


ANSWER = """
def smoothed(counts, shorter, discount):
    total = sum(counts.values())
    kinds = len(counts)
    if total == 0:
        return dict(shorter)
    saved = discount * kinds / total
    p = {}
    for token in shorter:
        kept = max(counts.get(token, 0) - discount, 0) / total
        p[token] = kept + saved * shorter[token]
    return p
"""
AS_A_SHARE = "you give away more than was taken: each *kind* of token gave one discount, however often it came."
SLIPS = [
    (
        "saved = discount * kinds / total",
        "saved = discount / total",
        "you give away one discount, but it was taken from every kind of token: multiply by `kinds`.",
    ),
    (
        "saved = discount * kinds / total",
        "saved = discount",
        AS_A_SHARE,
    ),
    (
        "kinds = len(counts)",
        "kinds = len(shorter)",
        "`kinds` counts the tokens that came after this context, not the whole vocabulary.",
    ),
    (
        "kinds = len(counts)",
        "kinds = total",
        AS_A_SHARE,
    ),
    (
        "max(counts.get(token, 0) - discount, 0) / total",
        "counts.get(token, 0) / total",
        "you give something to every token and take nothing from any: subtract the discount.",
    ),
    (
        "max(counts.get(token, 0) - discount, 0) / total",
        "(counts.get(token, 0) - discount) / total",
        "a token that never came gets a share below zero: no less than 0 is left of a count.",
    ),
    (
        "kept + saved * shorter[token]",
        "kept + saved / len(shorter)",
        "you share it out evenly; the shorter context knows which tokens are likelier.",
    ),
    (
        "kept + saved * shorter[token]",
        "kept if kept else saved * shorter[token]",
        "only unseen tokens get something from the shorter context; here all do.",
    ),
    (
        "for token in shorter:",
        "for token in counts:",
        "tokens that never came after this context are missing; every token of `shorter` has a probability.",
    ),
    (
        "return dict(shorter)",
        "return {token: 1 / len(shorter) for token in shorter}",
        "after a context that never occurred, answer with the shorter context's probabilities.",
    ),
]
REFUSED = [
    (
        "    if total == 0:\n        return dict(shorter)\n",
        "",
        "ZeroDivisionError",
    ),
]
RIGHT = [
    """
def smoothed(counts, shorter, discount):
    if not counts:
        return dict(shorter)
    total = sum(counts.values())
    share = sum(min(discount, count) for count in counts.values()) / total
    return {t: max(counts.get(t, 0) - discount, 0) / total + share * q for t, q in shorter.items()}
""",
]


def cases(rng: Generator) -> list[tuple]:
    def odds(*tokens: str) -> dict[str, float]:
        drawn = rng.dirichlet([1.0] * len(tokens))
        return {token: float(p) for token, p in zip(tokens, drawn, strict=True)}

    letters = "abcdefgh"
    many = {letter: int(n) for letter, n in zip(letters[:5], rng.integers(1, 9, size=5), strict=True)}
    return [
        ({"a": 3, "b": 1}, {"a": 0.5, "b": 0.2, "c": 0.3}, 0.75),
        ({"c": 1}, odds("a", "b", "c"), 0.5),
        (many, odds(*letters), 0.6),
        (many, odds(*letters), 1.0),
        ({"a": 1, "b": 1, "c": 1}, odds(*letters), 1.0),
        ({}, odds("a", "b", "c", "d"), 0.75),
        ({"a": 100}, odds("a", "b"), 0.1),
    ]


def _sums_to_one(result: dict[str, float], *_: object) -> bool:
    return math.isclose(sum(result.values()), 1.0, abs_tol=1e-6)


EXERCISE = Exercise(
    reference=smoothed,
    minutes=7,
    difficulty=2,
    hints=(
        "Three tokens came after a context, and each count gave up 0.75. How much can be given away?",
        "Keep max(count − discount, 0) / total of each token. Add discount · kinds / total, times what the shorter "
        "context says, for every token of the vocabulary.",
        "Loop over the tokens of `shorter`; a token that is missing in `counts` has the count 0 (`counts.get`). Take "
        "the discount, but not below 0, and divide by the total. Add discount · kinds / total times the shorter "
        "context's probability. Where `counts` is empty there is nothing to divide by: answer with `shorter`.",
    ),
    proves="no token is impossible, and all probabilities sum to one",
    properties=[
        Property("the probabilities sum to 1", _sums_to_one),
    ],
)
