"""encode_word: while any pair has a rank, the one that training merged first is merged first."""

from __future__ import annotations

import math

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise

from ._shared import Pair, Symbols, random_word
from .count_pairs import count_pairs
from .merge_pair import merge_pair

TRAINED_ON = (
    "charge charger charges charging recharge range ranger orange arrange change changes exchange battery batteries "
    "bat batter better bitter letter letters brake brakes broken braking taking making wheel wheels kneel steel"
).split()


def encode_word(symbols: Symbols, ranks: dict[Pair, int]) -> Symbols:
    """The tokens of a word: while any pair of neighbors has a rank, the lowest-ranked one is merged.

    ranks: pair → when training merged it, 0 for the first.

        encode_word(("a", "b", "c"), {("b", "c"): 0, ("a", "b"): 1})  →  ("a", "bc")
    """
    while len(symbols) > 1:
        best = min(zip(symbols, symbols[1:], strict=False), key=lambda pair: ranks.get(pair, math.inf))
        if best not in ranks:
            break
        symbols = merge_pair(symbols, best)
    return symbols


ANSWER = """
def encode_word(symbols, ranks):
    while len(symbols) > 1:
        pairs = zip(symbols, symbols[1:])
        best = min(pairs, key=lambda pair: ranks.get(pair, math.inf))
        if best not in ranks:
            break
        symbols = merge_pair(symbols, best)
    return symbols
"""
BEST = "min(pairs, key=lambda pair: ranks.get(pair, math.inf))"
MERGE = "symbols = merge_pair(symbols, best)"
RANKED = "[pair for pair in pairs if pair in ranks]"
LEFTMOST = "you merge the leftmost pair that has a rank; the lowest rank goes first."
NO_RANK = "a pair without a rank is taken for the best; it needs a rank of infinity."
SKIP = "a pair without a rank has to be skipped, or be ranked last: `ranks.get(pair, math.inf)`."
COMPARES_NONE = "`ranks.get` gives None for a pair without a rank; give it infinity instead."
ENDLESS = "you merge pairs that have no rank, too, to the end; leave the loop when even the best pair has none."
ONE_SYMBOL = "one symbol has no pair, so `min` gets nothing: leave the loop when one symbol is left."
PAIRS = "        pairs = zip(symbols, symbols[1:])"
STOP = """        if best not in ranks:
            break
"""
SLIPS = [
    (BEST, f"next(iter({RANKED}), None)", LEFTMOST),
    (
        """
def encode_word(symbols, ranks):
    i = 0
    while i < len(symbols) - 1:
        if symbols[i : i + 2] in ranks:
            symbols = symbols[:i] + (symbols[i] + symbols[i + 1],) + symbols[i + 2 :]
            i = 0
        else:
            i += 1
    return symbols
""",
        LEFTMOST,
    ),
    (MERGE, "return merge_pair(symbols, best)", "you stop after one merge; go on while any pair has a rank."),
    (
        BEST,
        "max(pairs, key=lambda pair: ranks.get(pair, -1))",
        "you merge the highest rank first; lower means earlier.",
    ),
    (
        """
def encode_word(symbols, ranks):
    known, text, found = {a + b for a, b in ranks}, "".join(symbols), []
    while text:
        n = max((n for n in range(2, len(text) + 1) if text[:n] in known), default=1)
        found.append(text[:n])
        text = text[n:]
    return tuple(found)
""",
        "you take the longest known token from the left; BPE merges by rank.",
    ),
    (
        """
def encode_word(symbols, ranks):
    for pair in sorted(ranks, key=ranks.get):
        merge_pair(symbols, pair)
    return symbols
""",
        "nothing is merged: keep what `merge_pair` returns.",
    ),
    ("ranks.get(pair, math.inf)", "ranks[pair]", SKIP),
    (BEST, "min(pairs, key=ranks.get)", COMPARES_NONE),
    (STOP, "", ENDLESS),
    (f"while len(symbols) > 1:\n{PAIRS}", f"while True:\n{PAIRS}", ONE_SYMBOL),
    ([(f"while len(symbols) > 1:\n{PAIRS}", f"while True:\n{PAIRS}"), (STOP, "")], ENDLESS),
    ("math.inf", "0", NO_RANK),
    ("math.inf", "-1", NO_RANK),
    (
        [
            ("    while", "    ranks = {a + b: rank for (a, b), rank in ranks.items()}\n    while"),
            ("ranks.get(pair,", "ranks.get(''.join(pair),"),
            ("if best", "if ''.join(best)"),
        ],
        "you look up what two symbols spell; a rank belongs to a pair of symbols.",
    ),
    (
        """
def encode_word(symbols, ranks):
    for pair in ranks:
        symbols = merge_pair(symbols, pair)
    return symbols
""",
        "you follow the order of the dictionary; the numbers in it decide.",
    ),
    (
        """
def encode_word(symbols, ranks):
    while ranked := [(ranks[pair], -i) for i, pair in enumerate(zip(symbols, symbols[1:])) if pair in ranks]:
        i = -min(ranked)[1]
        symbols = symbols[:i] + (symbols[i] + symbols[i + 1],) + symbols[i + 2 :]
    return symbols
""",
        "of equal pairs the leftmost goes first.",
    ),
    (BEST, f"min({RANKED}, default=None)", "you take the first pair by the alphabet; its rank decides."),
    (
        BEST,
        "min(filter(ranks.get, pairs), key=ranks.get, default=None)",
        "rank 0 is taken for none, since 0 is false; ask for `in ranks`.",
    ),
    (
        BEST,
        f"max({RANKED}, key=lambda pair: len(''.join(pair)), default=None)",
        "you merge the longest pair first; the lowest rank goes first.",
    ),
]
REFUSED = [
    ("math.inf", "100", "The shape of the result is wrong"),
]
RIGHT = [
    """
def encode_word(symbols, ranks):
    for pair in sorted(ranks, key=ranks.get):
        symbols = merge_pair(symbols, pair)
    return symbols
""",
    """
def encode_word(symbols, ranks):
    while ranked := [pair for pair in zip(symbols, symbols[1:]) if pair in ranks]:
        symbols = merge_pair(symbols, min(ranked, key=ranks.get))
    return symbols
""",
]


def trained_ranks(n_merges: int) -> dict[Pair, int]:
    words = {tuple(word): 1 + n % 3 for n, word in enumerate(TRAINED_ON)}
    ranks: dict[Pair, int] = {}
    while len(ranks) < n_merges:
        counts = count_pairs(words)
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        ranks[best] = len(ranks)
        words = {merge_pair(word, best): times for word, times in words.items()}
    return ranks


def cases(rng: Generator) -> list[tuple]:
    ranks, few = trained_ranks(60), trained_ranks(12)
    shuffled = dict(sorted(ranks.items()))
    unseen = [
        "rechargeable",
        "batters",
        "changeling",
        "steering",
        "breaking",
        "orangeries",
        "wheelbarrow",
        "interchange",
    ]
    return [
        (("a", "b", "c"), {("b", "c"): 0, ("a", "b"): 1}),
        (("a", "b", "c"), {("a", "b"): 1, ("b", "c"): 0}),  # the order of the dictionary says nothing
        (("a", "b", "c"), {("b", "c"): 0, ("a", "b"): 1, ("ab", "c"): 2}),  # abc is known, but not as a + bc
        (("a", "a", "a"), {("a", "a"): 0}),
        (("a", "b", "c"), {("a", "b"): 0, ("b", "c"): 1}),  # the highest rank is not the first by the alphabet
        (("a", "b", "cd"), {("a", "b"): 0, ("b", "cd"): 1}),  # the longest is not the leftmost
        (("c", "a", "b"), {("a", "b"): 1, ("c", "a"): 0, ("ca", "b"): 2}),
        (("x", "a", "b"), {("x", "y"): 0, ("a", "b"): 1}),  # x + a has no rank
        (("a", "b", "c", "d"), {(f"q{n}", "r"): n for n in range(130)} | {("b", "c"): 130, ("a", "b"): 131}),
        *((tuple(word), shuffled) for word in unseen),
        *((tuple(word), few) for word in unseen[:3]),
        *((random_word(rng, "aegnrt", 14), ranks) for _ in range(3)),
        (("a", "b", "a", "b"), {("a", "b"): 0, ("ab", "ab"): 1}),
        (tuple("zzz"), ranks),
        (("a",), ranks),
        ((), ranks),
        (tuple("charge"), {}),
    ]


EXERCISE = Exercise(
    reference=encode_word,
    minutes=5,
    difficulty=2,
    hints=(
        "Several pairs of the word may have a rank. Which of them did training merge first?",
        "Repeat: among all neighbors take the pair with the lowest rank, merge it with `merge_pair`. Stop where no "
        "pair has a rank, or one symbol is left.",
        "Loop while there are two symbols or more: `min(zip(symbols, symbols[1:]), key=…)` finds the best pair if "
        "the key gives unranked pairs infinity; if even the best has no rank, leave the loop.",
    ),
    proves="the lowest rank first, whatever stands left, on words that training never saw",
)
