"""merge_pair: every occurrence of a pair becomes one symbol, from left to right."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property

from ._shared import Pair, Symbols, random_word


def merge_pair(symbols: Symbols, pair: Pair) -> Symbols:
    """The word with every occurrence of `pair` made one symbol, from left to right.

    merge_pair(("g", "o", "a", "g", "o"), ("g", "o"))  →  ("go", "a", "go")
    """
    merged: list[str] = []
    i = 0
    while i < len(symbols):
        if symbols[i : i + 2] == pair:
            merged.append(pair[0] + pair[1])
            i += 2
        else:
            merged.append(symbols[i])
            i += 1
    return tuple(merged)


ANSWER = """
def merge_pair(symbols, pair):
    merged = []
    i = 0
    while i < len(symbols):
        if symbols[i : i + 2] == pair:
            merged.append(pair[0] + pair[1])
            i += 2
        else:
            merged.append(symbols[i])
            i += 1
    return tuple(merged)
"""
LOST_OR_TWICE = "a symbol was lost or written twice; after a merge, go on behind the pair."
SLIPS = [
    ("i += 2", "return (*merged, *symbols[i + 2 :])", "only the first occurrence is merged."),
    (
        [
            ("i = 0", "i, symbols = 0, symbols[::-1]"),
            ("== pair", "== pair[::-1]"),
            ("tuple(merged)", "tuple(merged[::-1])"),
        ],
        "you merge from the right; in a a a the left two come first.",
    ),
    (
        "merged.append(pair[0] + pair[1])",
        "again = merged and merged[-1].endswith(''.join(pair))\n"
        "            merged.append((merged.pop() if again else '') + ''.join(pair))",
        "what a merge has made is merged again; one pass is enough.",
    ),
    (
        """
def merge_pair(symbols, pair):
    return tuple(" ".join(symbols).replace(" ".join(pair), "".join(pair)).split(" "))
""",
        "you replace in the joined text, where a longer symbol may end or start like the pair.",
    ),
    ("== pair", "== list(pair)", "nothing is merged: compare two neighbors with the tuple `pair`."),
    ("len(symbols)", "len(symbols) - 1", "the last symbol is lost where it is in no pair."),
    (
        "symbols[i : i + 2] == pair",
        "''.join(symbols[i : i + 2]) == ''.join(pair)",
        "you compare joined text; l·ow spells low as well, but is another pair.",
    ),
    ("i += 2", "i += 1", "the second symbol of the pair is copied as well."),
    ("i += 2", "i += 3", LOST_OR_TWICE),
]
REFUSED = [
    ("tuple(merged)", "merged", "The kind of the result is wrong"),
]
RIGHT = [
    """
def merge_pair(symbols, pair):
    if len(symbols) < 2:
        return symbols
    if symbols[:2] == pair:
        return (pair[0] + pair[1],) + merge_pair(symbols[2:], pair)
    return symbols[:1] + merge_pair(symbols[1:], pair)
""",
]


def cases(rng: Generator) -> list[tuple]:
    return [
        (("g", "o", "a", "g", "o"), ("g", "o")),
        (("a", "g", "o", "t"), ("g", "o")),
        (("a", "a", "a"), ("a", "a")),  # left to right: aa, a
        (("a",) * 7, ("a", "a")),
        (("l", "ow", "lo", "w"), ("lo", "w")),  # the same letters, cut elsewhere, are another pair
        (("yello", "w", "lo", "w"), ("lo", "w")),  # the end of a longer symbol is none of the pair's
        (("lo", "wl", "lo", "wl"), ("lo", "w")),
        (("b", "a", "b", "a", "b"), ("a", "b")),
        (random_word(rng, "ab", 12), ("a", "b")),
        (random_word(rng, "ab", 15), ("b", "b")),
        (("x", "y", "z"), ("z", "x")),
        (("q",), ("q", "u")),
    ]


EXERCISE = Exercise(
    reference=merge_pair,
    minutes=4,
    difficulty=2,
    hints=(
        "A `for` loop visits every symbol. Which symbol must it *not* visit after a merge?",
        "Walk with an index of your own: where this symbol and the next are the pair, put their joined text into "
        "the result and step by two; else copy the symbol and step by one.",
        "With `i = 0` and `while i < len(symbols)`: compare `symbols[i : i + 2]` with `pair`; append either "
        "`pair[0] + pair[1]` or `symbols[i]`, and move `i` on by 2 or 1. Return a tuple of the list.",
    ),
    proves="every occurrence, left to right, overlaps included, and other cuts of the same letters left alone",
    properties=[
        Property(
            "the letters stay the same",
            lambda merged, symbols, pair: "".join(merged) == "".join(symbols),
            LOST_OR_TWICE,
        ),
    ],
)
