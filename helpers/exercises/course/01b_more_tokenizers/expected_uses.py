"""expected_uses: the expectation step of EM for one word, from the sums from both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property


def expected_uses(
    word: str, p: Mapping[str, float], forward: Sequence[float], backward: Sequence[float]
) -> dict[str, float]:
    """How often each token is used in `word`, on average over all ways to cut it.

    p: token -> probability; forward[i]: total probability of all ways to cut word[:i],
    backward[i]: of all ways to cut word[i:]
    →  {token: uses} for the tokens of `p` that stand in the word
    """
    uses: dict[str, float] = {}
    for start in range(len(word)):
        for end in range(start + 1, len(word) + 1):
            token = word[start:end]
            if token in p:
                share = forward[start] * p[token] * backward[end] / forward[-1]
                uses[token] = uses.get(token, 0.0) + share
    return uses


ANSWER = """
def expected_uses(word, p, forward, backward):
    uses = {}
    for start in range(len(word)):
        for end in range(start + 1, len(word) + 1):
            token = word[start:end]
            if token in p:
                share = forward[start] * p[token] * backward[end] / forward[-1]
                uses[token] = uses.get(token, 0.0) + share
    return uses
"""
SHARE = "forward[start] * p[token] * backward[end] / forward[-1]"
ADDED = "uses[token] = uses.get(token, 0.0) + share"
INNER = "range(start + 1, len(word) + 1)"
NOT_DIVIDED = "divide by the total of all ways, forward[-1], to get a share."
SLIPS = [
    (" / forward[-1]", "", NOT_DIVIDED),
    ("forward[-1]", "forward[end]", "the total of all ways to cut the whole word is forward[-1], the last one."),
    (
        "forward[-1]",
        "forward[3]",
        "3 is the length of “aba”; the total of all ways is the last value, forward[-1], in every word.",
    ),
    (
        "if token in p",
        "if True",
        "not every part of the word is a token: ask `if token in p` before you read `p[token]`.",
    ),
    (
        ADDED,
        "uses[token] = uses[token] + share",
        "the first time, the token has no uses yet: begin at 0, as with `uses.get(token, 0)`.",
    ),
    (ADDED, "uses[token] = share", "a token can stand in the word more than once: add its shares."),
    ("backward[end]", "backward[start]", "what follows begins where the token ends: backward[end]."),
    ("forward[start]", "forward[end]", "what comes before stops where the token starts: forward[start]."),
    (" * backward[end]", "", "the ways to go on after the token, backward[end], are missing."),
    ("forward[start] * ", "", "the ways to reach the token's start, forward[start], are missing."),
    (" * p[token]", "", "the probability of the token itself is missing."),
    (
        ADDED,
        "uses[token] = uses.get(token, 0) + 1",
        "this counts the places where a token stands; weight each place by the share of the cuts that use it.",
    ),
    (INNER, "range(start + 1, len(word))", "the last letter is never part of a token: `end` goes up to len(word)."),
    (
        "range(len(word)):",
        "range(1):",
        "only tokens at the start of the word are counted; `start` goes through the whole word.",
    ),
    (INNER, "range(start + 1, min(start + 3, len(word)) + 1)", "a token may have any length; yours are short only."),
    (INNER, "range(start + 2, len(word) + 1)", "tokens of one letter are never counted: `end` begins at start + 1."),
    (
        "    return uses",
        "    total = sum(uses.values())\n    return {token: n / total for token, n in uses.items()}",
        "these sum to 1: that is the maximization step. Return the expected uses themselves.",
    ),
    ("uses = {}", "uses = dict.fromkeys(p, 0.0)", "leave out the tokens that do not stand in the word."),
]
REFUSED = [
    ("return uses", "return list(uses.values())", "The kind of the result is wrong"),
    ("    return uses", "", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    ("uses = {}", "from collections import Counter\n    uses = Counter()"),
    """
def expected_uses(word, p, forward, backward):
    uses = {}
    for token in p:
        for start in range(len(word)):
            end = start + len(token)
            if word[start:end] == token:
                share = forward[start] * p[token] * backward[end] / backward[0]
                uses[token] = uses.get(token, 0) + share
    return uses
""",
]


def sums(word: str, p: Mapping[str, float]) -> list[float]:
    """forward[i], the total probability of all ways to cut word[:i]."""
    total = [1.0, *(0.0 for _ in word)]
    for start in range(len(word)):  # all that ends here was added before, so total[start] is complete
        for end in range(start + 1, len(word) + 1):
            total[end] += total[start] * p.get(word[start:end], 0.0)
    return total


def both(word: str, p: dict[str, float]) -> tuple[str, dict[str, float], list[float], list[float]]:
    """The arguments of the exercise for a word."""
    return word, p, sums(word, p), sums(word[::-1], {token[::-1]: value for token, value in p.items()})[::-1]


def cases(rng: Generator) -> list[tuple]:
    toy = {"a": 0.5, "b": 0.2, "ab": 0.3}
    drawn = {token: float(rng.integers(5, 30)) / 100 for token in ("b", "i", "k", "e", "bi", "ke", "bike", "x")}
    return [
        both("aba", toy),
        both("a", {"a": 0.7, "b": 0.3}),  # one letter; b does not stand in the word
        both("abab", toy),
        both("aaa", {"a": 0.4, "aa": 0.6}),  # the same token at overlapping places
        both("bike", drawn),
        both("bikebike", drawn),
        both("ionization", dict.fromkeys(["i", "o", "n", "z", "a", "t", "ization", "on", "tion"], 0.1)),
    ]


EXERCISE = Exercise(
    reference=expected_uses,
    minutes=5,
    difficulty=2,
    tolerance=1e-9,
    hints=(
        "Go through every place where a token of `p` stands: two loops, over its start and its end.",
        "The share of all cuts that use this place is forward[start] · p(token) · backward[end] / forward[-1]. Add it "
        "to what the token has so far.",
        "Let `start` count the letters of the word and, inside that loop, `end` count from `start` + 1 to the length "
        "of the word. If word[start:end] is in `p`, work out its share (forward at the start, times p, times backward "
        "at the end, divided by the last value of forward) and add it to what the token has so far, 0 at first.",
    ),
    proves="every place of a token is counted by the share of the cuts that use it, and repeated tokens add up",
    properties=[
        Property(
            "the tokens of an average cut are as long as the word, all together",
            lambda result, word, *_: abs(sum(len(token) * uses for token, uses in result.items()) - len(word)) < 1e-6,
        ),
    ],
)
