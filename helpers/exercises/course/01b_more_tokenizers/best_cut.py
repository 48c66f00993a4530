"""best_cut: one step of Viterbi, the best total of what stands before and the last token."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property


def best_cut(word: str, end: int, best: Sequence[float], scores: Mapping[str, float]) -> tuple[float, int]:
    """(score of the best way to cut word[:end], where its last token starts).

    best[start]: the best score of word[:start], known for every start < end.
    scores: token -> log probability; what is not in it is no token.
    Where no token ends here: (-math.inf, 0).
    """
    starts = [start for start in range(end) if word[start:end] in scores]
    if not starts:
        return -math.inf, 0
    return max((best[start] + scores[word[start:end]], start) for start in starts)


ANSWER = """
def best_cut(word, end, best, scores):
    found = []
    for start in range(end):
        token = word[start:end]
        if token in scores:
            found.append((best[start] + scores[token], start))
    return max(found) if found else (-math.inf, 0)
"""
BEST = "max(found) if found else (-math.inf, 0)"
NO_TOKEN = "what is not in `scores` is no token; leave it out."
STAND_IN = "a number stands for “impossible”, and a total may lie below it: use -math.inf."
UNREACHED = "no token ends here: return -math.inf exactly, and 0."
SWAPPED = "the two numbers are swapped: the score comes first."
FEW = "the last token may have any length; yours looks back a few letters only."
SLIPS = [
    ("best[start] + ", "", "the score of what stands before, best[start], is missing."),
    ("max(found)", "min(found)", "scores are log probabilities: the largest is the best."),
    ("max(found)", "found[0]", "you take the longest token, which is greedy; compare the totals."),
    ("max(found)", "found[-1]", "you take the shortest token; compare the totals."),
    (" + scores", " * scores", "probabilities are multiplied, so their logarithms are added."),
    ("range(end)", "range(1, end)", "the last token may also start at 0 and be the whole word so far."),
    (
        "max(found) if",
        "(max(found)[0], end - max(found)[1]) if",
        "the second number is the length of the last token; return where it starts.",
    ),
    ("(-math.inf, 0)", "(0.0, 0)", "a place that no token reaches has the score -inf, not 0."),
    ("scores[token], start", "scores[token], end", "the second number is `end`; return where the token starts."),
    *(  # the best total so far begins at a number
        (BEST, f"max([({low}, 0), *found])", STAND_IN)
        for low in ("-100.0", "-1e3", "-1e4", "-1e5", "-1e6", "-1e9", "-1e10")
    ),
    (BEST, "max([(-7777.0, 0), *found])", UNREACHED),
    *(  # what is no token gets a score
        ([("token in scores", "True"), ("scores[token]", f"scores.get(token, {low})")], STAND_IN)
        for low in ("-100.0", "-1e9")
    ),
    *(
        ([("token in scores", "True"), ("scores[token]", f"scores.get(token, {score})")], NO_TOKEN)
        for score in ("0", "-1.0", "-10.0", "-20.0")
    ),
    ([("token in scores", "True"), ("scores[token]", "scores.get(token, -33.3)")], UNREACHED),
    # what is no token is looked up all the same
    (
        "        if token in scores:\n    ",
        "",
        "not every start gives a token: ask `if token in scores` before you read `scores[token]`.",
    ),
    ("word[start:end]", "word[start:]", "the token stops at `end`, not at the end of the word."),
    ("max(found) if", "max(found)[::-1] if", SWAPPED),
    (BEST, "(max(found) if found else (-math.inf, 0))[::-1]", SWAPPED),
    ("range(end)", "range(max(0, end - 4), end)", FEW),
    ("range(end)", "range(max(0, end - 5), end)", FEW),
    ("range(end)", "range(max(0, end - 16), end)", FEW),
    (
        "token in scores",
        "scores.get(token)",
        "a score of 0 counts as False, but it is a score: ask whether the token is in `scores`.",
    ),
]
REFUSED = [
    ("max(found) if", "max(found)[0] if", "The kind of the result is wrong"),
    ("return max", "max", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    ("max(found)", "max(found, key=lambda pair: pair[0])"),
    """
def best_cut(word, end, best, scores):
    top, origin = -math.inf, 0
    for length in range(1, end + 1):
        token = word[end - length:end]
        total = best[end - length] + scores.get(token, -math.inf)
        if total > top:
            top, origin = total, end - length
    return top, origin
""",
]


def cases(rng: Generator) -> list[tuple]:
    pieces = {"a": -2.0, "b": -3.0, "ab": -4.0, "c": -2.0, "bc": -6.0, "abc": -7.5}
    long_word = "internationalization"
    return [
        ("abc", 1, [0.0], pieces),
        ("abc", 2, [0.0, -2.0], pieces),
        ("abc", 3, [0.0, -2.0, -4.0], pieces),  # the longest token is not the best
        ("ac", 2, [0.0, -2.0], pieces),
        ("ax", 2, [0.0, -2.0], pieces),  # no token ends here
        ("x", 1, [0.0], pieces),
        ("abc", 3, [0.0, -20.0, -21.0], {"a": -20.0, "ab": -21.0, "abc": -8.0, "bc": -1.0, "c": -0.5}),
        ("a", 1, [0.0], {"a": 0.0}),  # a score of 0 is a score
        ("banana", 6, [0.0, -9.0, -9.0, -9.0, -9.0, -9.0], {"banana": -1.0}),
        (long_word, 20, [0.0] + [-40.0] * 19, {long_word: -9.0, "n": -3.0}),
        ("ab", 2, [0.0, -99.0], {"a": -99.0, "b": -50.0}),  # totals may lie below any round number
        ("ab", 2, [0.0, -1e12], {"a": -1e12, "b": -1e12}),
        *(case for word in ("abab", "charger") for case in random_cuts(rng, word)),
    ]


def random_cuts(rng: Generator, word: str) -> list[tuple]:
    """Each place of a word with random scores; best[start] is what the step itself gives there, without equals."""
    places = [(i, j) for i in range(len(word)) for j in range(i + 1, len(word) + 1)]
    while True:
        tokens = dict.fromkeys(word[i:j] for i, j in places if j == i + 1 or rng.random() < 0.6)
        scores = {token: float(rng.integers(-90, -30)) / 10 for token in tokens}
        best, different = [0.0], True
        for end in range(1, len(word) + 1):
            starts = [start for start in range(end) if word[start:end] in scores]
            totals = [round(best[start] + scores[word[start:end]], 1) for start in starts]
            different &= len(set(totals)) == len(totals)
            best.append(max(totals))
        if different:
            return [(word, end, best[:end], scores) for end in (2, len(word) - 1, len(word))]


EXERCISE = Exercise(
    reference=best_cut,
    minutes=4,
    difficulty=2,
    tolerance=1e-9,
    hints=(
        "The last token of word[:end] starts somewhere. How many places are there to try?",
        "For each start from 0 to end - 1 whose token word[start:end] has a score, the total is the best score of "
        "what stands before plus the score of the token. Keep the largest total.",
        "Collect pairs `(best[start] + scores[word[start:end]], start)` for every start in `range(end)` whose "
        "token is in `scores`. Return the `max` of the pairs, or (-math.inf, 0) if there are none.",
    ),
    proves="the best total wins over the longest and over the likeliest token, and unreachable places are -inf",
    properties=[
        Property(
            "where no token ends, the result is (-inf, 0)",
            lambda result, word, end, best, scores: (
                result == (-math.inf, 0) or any(word[start:end] in scores for start in range(end))
            ),
            UNREACHED,
        ),
    ],
)
